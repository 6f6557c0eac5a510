import type {
  AccessorNode,
  ConditionalNode,
  ConstantNode,
  FunctionNode,
  MathNode,
  OperatorNode,
  ParenthesisNode,
  RelationalNode,
  SymbolNode,
} from 'mathjs/number';
import type { Names } from './names.ts';
import { isBinaryOperator } from './operators.ts';
import type { ExpressionProblem } from './problem.ts';
import type { Term } from './term.ts';
import { constant } from './term.ts';
import { quoted, type Token } from './tokens.ts';
import { type Checked, Typing } from './typing.ts';

const longestString = 128;

/** The term of a mathjs tree, and what is wrong with it: a term without problems, or problems. */
export function lower(
  tree: MathNode,
  tokens: Token[],
  names: Names,
  end: number,
): { term: Term | undefined; problems: ExpressionProblem[] } {
  const lowering = new Lowering(tokens, names, end);
  const term = lowering.lower(tree);
  return { term, problems: lowering.typing.problems };
}

/**
 * The allow-list over mathjs' nodes. Nodes have no positions, but walked in source order they meet the scanner's
 * tokens one by one; a node that does not meet its own token is refused, so the two readings cannot part unnoticed.
 */
class Lowering {
  readonly typing = new Typing();
  readonly #tokens: Token[];
  readonly #names: Names;
  readonly #end: number;
  #next = 0;

  constructor(tokens: Token[], names: Names, end: number) {
    this.#tokens = tokens;
    this.#names = names;
    this.#end = end;
  }

  lower(node: MathNode): Checked {
    switch (node.type) {
      case 'ParenthesisNode':
        return this.lower((node as ParenthesisNode).content);
      case 'ConstantNode':
        return this.#constant((node as ConstantNode<never>).value);
      case 'SymbolNode':
      case 'AccessorNode':
        return this.#name(node);
      case 'FunctionNode':
        return this.#call(node as FunctionNode<MathNode>);
      case 'OperatorNode':
        return this.#operator(node as OperatorNode);
      case 'ConditionalNode':
        return this.#conditional(node as ConditionalNode);
      case 'RelationalNode':
        return this.#chained(node as RelationalNode);
      default:
        return this.#refused(`${node.type.replace(/Node$/, '').toLowerCase()} is not allowed in an expression`);
    }
  }

  #constant(value: unknown): Checked {
    const at = this.#meet(() => true);
    if (at === undefined) return undefined;
    switch (typeof value) {
      case 'number':
        if (!Number.isFinite(value)) return this.typing.report('the number is not finite', at);
        return constant(value);
      case 'string':
        if (value.length > longestString) {
          return this.typing.report(`a string has at most ${longestString} characters`, at);
        }
        return constant(value);
      case 'boolean':
        return constant(value);
      default:
        return this.typing.report(`${String(value)} is not a value here`, at);
    }
  }

  #name(node: MathNode): Checked {
    const path = dottedPath(node);
    if (path === undefined) return this.#refused('only a name that is declared as a whole may have dots');
    const at = this.#meet((token) => token.kind === 'name' && token.text === path);
    if (at === undefined) return undefined;
    const declared = this.#names.lookup(path);
    if (!declared) return this.typing.report(`unknown name ${quoted(path)}`, at);
    return { kind: 'slot', type: declared.type, slot: declared.slot };
  }

  #call(node: FunctionNode<MathNode>): Checked {
    if (node.fn.type !== 'SymbolNode') return this.#refused('only the functions of the language can be called');
    const { name } = node.fn as SymbolNode;
    const at = this.#meet((token) => token.kind === 'call' && token.text === name);
    const args = node.args.map((arg) => this.lower(arg));
    return at === undefined ? undefined : this.typing.call(name, args, at);
  }

  #operator(node: OperatorNode): Checked {
    // `isPercentage` is missing from mathjs' types. The scanner refuses `%`, so that this is a second lock.
    if (node.implicit) return this.#refused('multiplication is written with *');
    if ((node as { isPercentage?: boolean }).isPercentage) return this.#refused('percent is not available');
    const [first, second, ...more] = node.args as MathNode[];
    const text: string = node.op;
    if (first && !second && (text === '-' || text === 'not')) {
      const at = this.#meetOperator(text);
      const of = this.lower(first);
      return at === undefined ? undefined : this.typing.unary(text, of, at);
    }
    if (first && second && more.length === 0 && isBinaryOperator(text)) {
      const left = this.lower(first);
      const at = this.#meetOperator(text);
      const right = this.lower(second);
      return at === undefined ? undefined : this.typing.binary(text, left, right, at);
    }
    return this.#refused(`${second ? 'the operator' : 'the prefix'} "${text}" is not available`);
  }

  #conditional(node: ConditionalNode): Checked {
    const condition = this.lower(node.condition);
    const at = this.#meetOperator('?');
    const whenTrue = this.lower(node.trueExpr);
    this.#meetOperator(':');
    const whenFalse = this.lower(node.falseExpr);
    return at === undefined ? undefined : this.typing.conditional(condition, whenTrue, whenFalse, '"?"', at);
  }

  /** Refused as a whole, but its operands are still checked. */
  #chained(node: RelationalNode): undefined {
    node.params.forEach((param, index) => {
      if (index > 0) {
        const at = this.#meet((token) => token.kind === 'operator');
        if (index === 2 && at !== undefined) {
          this.typing.report('comparisons cannot be chained: write a < b and b < c', at);
        }
      }
      this.lower(param);
    });
  }

  #meetOperator(text: string): number | undefined {
    return this.#meet((token) => token.kind === 'operator' && token.text === text);
  }

  /** The offset of the next token, which must be the node's own. */
  #meet(isOwn: (token: Token) => boolean): number | undefined {
    const token = this.#tokens[this.#next];
    this.#next += 1;
    if (token && isOwn(token)) return token.at;
    return this.typing.report('syntax error: this part is not allowed here', token?.at ?? this.#end);
  }

  #refused(message: string): undefined {
    return this.typing.report(message, this.#tokens[this.#next]?.at ?? this.#end);
  }
}

/** `a.b.c` of dotted accessors over a symbol; undefined for every other access: an index, a call, a literal. */
function dottedPath(node: MathNode): string | undefined {
  if (node.type === 'SymbolNode') return (node as SymbolNode).name;
  if (node.type !== 'AccessorNode') return undefined;
  const { object, index, optionalChaining } = node as AccessorNode;
  const [key, ...more] = index.dimensions as ConstantNode<string>[];
  if (!index.dotNotation || optionalChaining || more.length > 0 || key?.type !== 'ConstantNode') return undefined;
  const owner = dottedPath(object);
  return owner === undefined ? undefined : `${owner}.${key.value}`;
}
