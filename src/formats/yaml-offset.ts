import { Scalar } from 'yaml';

const BLANK = /[ \t]/;

/**
 * Where the character `at` of a scalar's value stands in the source text. Folded lines, indentation and escapes make
 * the two differ; both are walked side by side.
 */
export function sourceOffset(node: Scalar, text: string, at: number): number {
  const [start, end] = node.range ?? [0, 0];
  const value = String(node.value);
  switch (node.type) {
    case Scalar.QUOTE_DOUBLE:
    case Scalar.QUOTE_SINGLE:
      return walkFlow(value, text, at, start + 1, end, node.type);
    case Scalar.BLOCK_LITERAL:
    case Scalar.BLOCK_FOLDED:
      return walkBlock(value, text, at, start, end);
    default:
      return walkFlow(value, text, at, start, end, Scalar.PLAIN);
  }
}

function walkFlow(value: string, text: string, at: number, start: number, end: number, type: Scalar.Type): number {
  let source = start;
  for (let i = 0; i < at && source < end; ) {
    const folded = /^[ \t]*\r?\n\s*/.exec(text.slice(source, end));
    if (folded) {
      source += folded[0].length;
      while (value[i] === '\n' && value[i + 1] === '\n') i++;
      i++;
    } else if (type === Scalar.QUOTE_DOUBLE && text[source] === '\\') {
      const continued = /^\\\r?\n\s*/.exec(text.slice(source, end));
      source += continued ? continued[0].length : (ESCAPE_LENGTHS[text[source + 1]!] ?? 2);
      if (!continued) i++;
    } else {
      source += type === Scalar.QUOTE_SINGLE && text[source] === "'" ? 2 : 1;
      i++;
    }
  }
  return source;
}

const ESCAPE_LENGTHS: Record<string, number> = { x: 4, u: 6, U: 10 };

/** Block scalars keep their characters; only indentation goes, and a folded line break becomes a space. */
function walkBlock(value: string, text: string, at: number, start: number, end: number): number {
  let source = text.indexOf('\n', start) + 1;
  const header = text.slice(start, source);
  const first = /^(?: *\r?\n)*( *)/.exec(text.slice(source, end))?.[1]?.length ?? 0;
  const explicit = /^[|>][-+]?([1-9])/.exec(header)?.[1];
  const indent = explicit === undefined ? first : first - leading(value);
  let i = 0;
  while (source < end) {
    for (let skipped = 0; skipped < indent && text[source] === ' '; skipped++) source++;
    while (source < end && text[source] !== '\n') {
      if (i >= at) return source;
      if (text[source] === value[i]) i++;
      source++;
    }
    if (value[i] === '\n' || value[i] === ' ') i++;
    source++;
  }
  return source;
}

function leading(value: string): number {
  let count = 0;
  while (count < value.length && BLANK.test(value[count]!)) count++;
  return count;
}
