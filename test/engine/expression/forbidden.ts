import { create, type MathNode, parseDependencies } from 'mathjs/number';
import { functionNames } from '../../../src/engine/expression/functions.ts';

const { parse } = create({ ...parseDependencies });
const allowed = new Set([
  'Constant',
  'Symbol',
  'Accessor',
  'Index',
  'Function',
  'Operator',
  'Conditional',
  'Parenthesis',
]);
const operators = new Set(['+', '-', '*', '/', '^', '<', '<=', '>', '>=', '==', '!=', 'and', 'or', 'not']);

/** Independent of the compiler's own walk: no node, operator or function outside the language, nothing indexed. */
export function forbidden(source: string, paths: readonly string[]): string[] {
  const found: string[] = [];
  parse(source.replaceAll(/[\r\n]/g, ' ')).traverse((any) => {
    const node = any as MathNode & Record<string, unknown>;
    if (!allowed.has(node.type.replace('Node', ''))) found.push(node.type);
    if (node.type === 'OperatorNode') {
      const unaryPlus = node['fn'] === 'unaryPlus';
      if (!operators.has(String(node['op'])) || node['implicit'] || unaryPlus) found.push(`operator ${node['op']}`);
    }
    if (node.type === 'IndexNode' && !node['dotNotation']) found.push('index');
    if (node.type === 'AccessorNode') {
      const text = node.toString();
      if (!paths.some((path) => path === text || path.startsWith(`${text}.`))) found.push(`access ${text}`);
    }
    if (node.type === 'FunctionNode' && !functionNames.includes(String(node['fn']))) found.push('call');
  });
  return found;
}
