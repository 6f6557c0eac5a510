import { type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { sourceOffset } from './yaml-offset.ts';

export interface TextPosition {
  line: number;
  col: number;
}

/** A place in a document: a value, its key, or a character inside a text. */
export interface Place {
  path: readonly PropertyKey[];
  place?: 'key';
  at?: number;
}

export interface YamlDocument {
  value: unknown;
  /** The nearest place that exists: a missing key is where its parent is. */
  locate(place: Place): TextPosition;
}

export interface YamlProblem extends TextPosition {
  message: string;
}

export const YAML_BYTES_MAX = 256 * 1024;
const DEPTH_MAX = 32;

/**
 * The documents of a YAML 1.2 text (core schema). Anchors, aliases, tags and `?` keys are refused before anything is
 * built: a bomb made of them costs minutes, and no rule needs them. Documents are answered only for a text without
 * problems, since a broken one may have lost half of what its author wrote.
 */
export function readYaml(text: string): { documents: YamlDocument[]; problems: YamlProblem[] } {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > YAML_BYTES_MAX) {
    const message = `the file has ${bytes} bytes; at most ${YAML_BYTES_MAX} are allowed`;
    return { documents: [], problems: [{ line: 1, col: 1, message }] };
  }
  const lines = new LineCounter();
  for (let at = 0; at >= 0; at = text.indexOf('\n', at) + 1 || -1) lines.addNewLine(at);
  const position = (offset: number): TextPosition => lines.linePos(Math.min(offset, text.length));
  const refused = refusedTokens(text);
  if (refused.length > 0) {
    return { documents: [], problems: refused.map(({ at, message }) => ({ ...position(at), message })) };
  }
  const parsed = parse(text);
  if ('problem' in parsed) return { documents: [], problems: [{ line: 1, col: 1, message: parsed.problem }] };
  const problems = parsed.documents.flatMap((document) =>
    [...document.errors, ...document.warnings].map((error) => ({
      ...position(error.pos[0]),
      message: `not YAML: ${error.message}`,
    })),
  );
  if (problems.length > 0) return { documents: [], problems };
  const documents = parsed.documents
    .filter((document) => document.contents !== null)
    .map((document) => ({
      value: document.toJS({ maxAliasCount: 0 }) as unknown,
      locate: (place: Place) => position(offsetOf(document, text, place)),
    }));
  return { documents, problems: [] };
}

function parse(text: string): { documents: Document.Parsed[] } | { problem: string } {
  try {
    const options = { merge: false, uniqueKeys: true, schema: 'core', prettyErrors: false, strict: true } as const;
    return { documents: [...parseAllDocuments(text, options)] as Document.Parsed[] };
  } catch (error) {
    // The parser recurses: thousands of `- - - -` overflow the stack. Whatever it throws, the text caused it.
    return { problem: `the file cannot be read as YAML: ${(error as Error).message}` };
  }
}

const REFUSED: Record<string, string> = {
  '&': 'anchors are not allowed; write the value where it is needed',
  '*': 'aliases are not allowed; write the value out',
  '!': 'tags such as !!str are not allowed; quote a text instead',
  '?': '"?" keys are not allowed; write key: value',
};

/** What the lexer alone can tell, in linear time. */
function refusedTokens(text: string): { at: number; message: string }[] {
  const found: { at: number; message: string }[] = [];
  let at = 0;
  let depth = 0;
  let afterMark = '';
  for (const token of new Lexer().lex(text)) {
    // The lexer marks structure with control characters of its own, which are not in the text.
    if (MARKS.has(token)) {
      afterMark = token;
      continue;
    }
    const message = afterMark === SCALAR ? undefined : REFUSED[token[0]!];
    if (message !== undefined) found.push({ at, message });
    if (afterMark !== SCALAR && (token === '[' || token === '{') && ++depth === DEPTH_MAX + 1) {
      found.push({ at, message: `brackets are nested deeper than ${DEPTH_MAX}` });
    }
    if (afterMark !== SCALAR && (token === ']' || token === '}')) depth--;
    afterMark = '';
    at += token.length;
  }
  return found.slice(0, REFUSALS_MAX);
}

/** The next token is a plain or block scalar. */
const SCALAR = '\u001f';
const MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', SCALAR]);
const REFUSALS_MAX = 20;

function offsetOf(document: Document.Parsed, text: string, { path, place, at }: Place): number {
  let node: Node | null = document.contents;
  let offset = start(node);
  for (const [depth, key] of path.entries()) {
    let next: Node | null | undefined;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (pair === undefined) return offset;
      offset = start(pair.key as Node);
      next = pair.value as Node | null;
      if (place === 'key' && depth === path.length - 1) return offset;
    } else if (isSeq(node)) {
      next = node.items[Number(key)] as Node | undefined;
    }
    if (next === undefined || next === null || isAlias(next)) return offset;
    node = next;
    if (next.range) offset = next.range[0];
  }
  return at !== undefined && isScalar(node) && typeof node.value === 'string' ? sourceOffset(node, text, at) : offset;
}

function start(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}
