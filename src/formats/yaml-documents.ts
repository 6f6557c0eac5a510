import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml';
import { type Refusal, refusedBeforeParsing, refusedNodes, startOf, YAML_LIMITS } from './yaml-limits.ts';
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

/**
 * The documents of a YAML 1.2 text (core schema). Anchors, aliases, tags and `?` keys are refused before anything is
 * built: a bomb made of them costs minutes, and no rule needs them. Documents are answered only for a text without
 * problems, since a broken one may have lost half of what its author wrote.
 */
export function readYaml(source: string | Uint8Array): { documents: YamlDocument[]; problems: YamlProblem[] } {
  const bytes = typeof source === 'string' ? new TextEncoder().encode(source) : source;
  if (bytes.length > YAML_LIMITS.bytes) {
    const message = `the file has more than ${YAML_LIMITS.bytes} bytes; use several files`;
    return { documents: [], problems: [{ line: 1, col: 1, message }] };
  }
  const { text, whole } = typeof source === 'string' ? { text: source, whole: true } : decoded(source);
  const lines = new LineCounter();
  for (let at = 0; at >= 0; at = text.indexOf('\n', at) + 1 || -1) lines.addNewLine(at);
  const position = (offset: number): TextPosition => lines.linePos(Math.min(offset, text.length));
  const refuse = (refusals: readonly Refusal[]) => ({
    documents: [],
    problems: refusals.map(({ at, message }) => ({ ...position(at), message })),
  });
  const refused = whole ? refusedBeforeParsing(text) : [notUtf8(text)];
  if (refused.length > 0) return refuse(refused);
  const parsed = parse(text);
  if ('problem' in parsed) return refuse([{ at: 0, message: parsed.problem }]);
  const broken = parsed.documents.flatMap((document) =>
    [...document.errors, ...document.warnings].map((error) => ({
      at: error.pos[0],
      message: `not YAML: ${error.message}`,
    })),
  );
  if (broken.length > 0) return refuse(broken);
  const excessive = parsed.documents.flatMap(({ contents }) => refusedNodes(contents));
  if (excessive.length > 0) return refuse(excessive);
  const documents = parsed.documents
    .filter((document) => document.contents !== null)
    .map((document) => ({
      value: document.toJS({ maxAliasCount: 0 }) as unknown,
      locate: (place: Place) => position(offsetOf(document, text, place)),
    }));
  return { documents, problems: [] };
}

/** `whole` is false for bytes that are not UTF-8; the text then has U+FFFD in their place. */
function decoded(bytes: Uint8Array): { text: string; whole: boolean } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), whole: true };
  } catch {
    return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), whole: false };
  }
}

/** Where the first U+FFFD stands, written or not. */
function notUtf8(text: string): Refusal {
  return { at: Math.max(text.indexOf('\ufffd'), 0), message: 'the file is not UTF-8 text' };
}

function parse(text: string): { documents: Document.Parsed[] } | { problem: string } {
  try {
    // Keys that are there twice are found in refusedNodes; the parser would compare each key with each.
    const options = { merge: false, uniqueKeys: false, schema: 'core', prettyErrors: false, strict: true } as const;
    return { documents: [...parseAllDocuments(text, options)] as Document.Parsed[] };
  } catch (error) {
    // The parser recurses: thousands of `- - - -` overflow the stack. Whatever it throws, the text caused it.
    return { problem: `the file cannot be read as YAML: ${(error as Error).message}` };
  }
}

function offsetOf(document: Document.Parsed, text: string, { path, place, at }: Place): number {
  let node: Node | null = document.contents;
  let offset = startOf(node);
  for (const [depth, key] of path.entries()) {
    let next: Node | null | undefined;
    if (isMap(node)) {
      const pair = pairsOf(node).get(String(key));
      if (pair === undefined) return offset;
      offset = startOf(pair.key as Node);
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

const pairs = new WeakMap<YAMLMap, Map<string, Pair>>();

/** The pairs of a map by key. Kept, since a map with many mistakes is asked for each of them. */
function pairsOf(map: YAMLMap): Map<string, Pair> {
  const known =
    pairs.get(map) ?? new Map(map.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : '', pair]));
  pairs.set(map, known);
  return known;
}
