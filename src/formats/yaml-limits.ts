import { isMap, isScalar, isSeq, Lexer, type Node, type Pair } from 'yaml';

/**
 * What one file may hold. Rules are far below all of it; the limits keep the time of reading a file small, whatever
 * the file. Both the lexer and the walk over the parsed nodes are linear, so nothing is built before it is bounded.
 */
export const YAML_LIMITS = {
  bytes: 64 * 1024,
  documents: 64,
  /** Keys, values, brackets, colons, dashes, commas, comments and ends of lines. */
  parts: 8000,
  /** Maps and lists inside each other. */
  depth: 32,
  /** Of one map. */
  keys: 256,
  /** Of one list. */
  items: 1000,
  keyLength: 256,
  textLength: 8192,
} as const;

/** Something in a text that is refused, at an offset in UTF-16 units. */
export interface Refusal {
  at: number;
  message: string;
}

const REFUSED: Record<string, string> = {
  '&': 'anchors are not allowed; write the value where it is needed',
  '*': 'aliases are not allowed; write the value out',
  '!': 'tags such as !!str are not allowed; quote a text instead',
  '?': '"?" keys are not allowed; write key: value',
  '%': 'directives are not allowed',
};
const REFUSALS_MAX = 20;

/** The next token is a plain or block scalar. */
const SCALAR = '\u001f';
/** The lexer marks structure with control characters of its own, which are not in the text. */
const MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', SCALAR]);
/** YAML 1.2 allows none of these; the lexer would take some of them for its own marks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** What can be told before anything is built: a hostile text costs the parser minutes, or its stack. */
export function refusedBeforeParsing(text: string): Refusal[] {
  const control = CONTROL.exec(text);
  if (control) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return [{ at: control.index, message: `the control character U+${code} is not allowed; write "\\u${code}"` }];
  }
  const found: Refusal[] = [];
  let at = 0;
  let parts = 0;
  let documents = 0;
  let brackets = 0;
  let dashesInLine = 0;
  let afterMark = '';
  for (const token of new Lexer().lex(text)) {
    if (MARKS.has(token)) {
      afterMark = token;
      continue;
    }
    const first = token[0]!;
    if (first !== ' ' && first !== '\t') parts++;
    if (afterMark !== SCALAR) {
      if (REFUSED[first] !== undefined) found.push({ at, message: REFUSED[first] });
      if (first === '[' || first === '{') brackets++;
      if (first === ']' || first === '}') brackets--;
      if (token === '-') dashesInLine++;
      if (token === '---' || token === '...') documents++;
    }
    if (first === '\n' || first === '\r') dashesInLine = 0;
    if (brackets > YAML_LIMITS.depth || dashesInLine > YAML_LIMITS.depth) return [...found, tooDeep(at)];
    if (documents > YAML_LIMITS.documents) {
      return [
        ...found,
        { at, message: `the file has more than ${YAML_LIMITS.documents} documents; use several files` },
      ];
    }
    if (parts > YAML_LIMITS.parts) {
      const message = `the file has more than ${YAML_LIMITS.parts} keys, values, marks and lines; use several files`;
      return [...found, { at, message }];
    }
    if (found.length === REFUSALS_MAX) return found;
    afterMark = '';
    at += token.length;
  }
  return found;
}

function tooDeep(at: number): Refusal {
  return { at, message: `maps and lists are nested deeper than ${YAML_LIMITS.depth}` };
}

/** What only the nodes show: their depth, their size, and keys that are there twice. */
export function refusedNodes(root: Node | null): Refusal[] {
  const found: Refusal[] = [];
  const visit = (node: unknown, depth: number): void => {
    const at = startOf(node);
    if (isScalar(node)) {
      const length = typeof node.value === 'string' ? node.value.length : 0;
      if (length > YAML_LIMITS.textLength) {
        const message = `the text has ${length} characters; at most ${YAML_LIMITS.textLength} are allowed`;
        found.push({ at, message });
      }
    } else if (depth > YAML_LIMITS.depth) {
      found.push(tooDeep(at));
    } else if (isSeq(node)) {
      if (node.items.length > YAML_LIMITS.items) {
        const message = `the list has ${node.items.length} items; at most ${YAML_LIMITS.items} are allowed`;
        found.push({ at, message });
      } else for (const item of node.items) visit(item, depth + 1);
    } else if (isMap(node)) {
      if (node.items.length > YAML_LIMITS.keys) {
        const message = `the map has ${node.items.length} keys; at most ${YAML_LIMITS.keys} are allowed`;
        found.push({ at, message });
      } else visitMap(node.items, depth);
    }
  };
  const visitMap = (pairs: readonly Pair[], depth: number): void => {
    const seen = new Set<string>();
    for (const { key, value } of pairs) {
      const at = startOf(key);
      const name = isScalar(key) ? String(key.value) : undefined;
      if (name === undefined) found.push({ at, message: 'a key is a text, not a map or a list' });
      else if (name.length > YAML_LIMITS.keyLength) {
        const message = `the key has ${name.length} characters; at most ${YAML_LIMITS.keyLength} are allowed`;
        found.push({ at, message });
      } else if (seen.has(name)) found.push({ at, message: `the key ${JSON.stringify(name)} is there already` });
      if (name !== undefined) seen.add(name);
      visit(value, depth + 1);
    }
  };
  visit(root, 1);
  return found;
}

export function startOf(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}
