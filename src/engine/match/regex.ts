import { RE2JS } from 're2js';

const LENGTH_MAX = 256;
/** What counted repetitions may copy, nested ones multiplied: `(a{10}b){20}` is 220 instructions. */
const COPIES_MAX = 1000;
/** Each is a table of thousands of ranges, searched for both cases. */
const UNICODE_CLASSES_MAX = 6;
/** The check of a rule asks for the same expression several times. */
const KEPT_MAX = 256;

type Compiled = { regex: RE2JS } | { refused: string };
const kept = new Map<string, Compiled>();

/** RE2 syntax and semantics: linear in the text. What would take long to compile is refused before it is compiled. */
export function compileRegex(source: string): Compiled {
  const known = kept.get(source);
  if (known !== undefined) return known;
  const compiled = compile(source);
  if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value!);
  kept.set(source, compiled);
  return compiled;
}

function compile(source: string): Compiled {
  if (source.length > LENGTH_MAX) return { refused: `a regular expression has at most ${LENGTH_MAX} characters` };
  const copies = copiesOf(source);
  if (copies > COPIES_MAX) {
    const refused = `the counted repetitions of a regular expression copy at most ${COPIES_MAX} parts; these copy ${copies}`;
    return { refused };
  }
  if ((source.match(/\\p/gi)?.length ?? 0) > UNICODE_CLASSES_MAX) {
    return { refused: `a regular expression has at most ${UNICODE_CLASSES_MAX} Unicode classes such as \\pL` };
  }
  try {
    return { regex: RE2JS.compile(source) };
  } catch (error) {
    return { refused: `not a regular expression that runs in linear time (RE2): ${(error as Error).message}` };
  }
}

/**
 * How many parts the counted repetitions stand for. Errs high: a literal `{5}` inside a class is taken for a repetition.
 */
function copiesOf(source: string): number {
  const sums = [0];
  let last = 0;
  const add = (size: number) => {
    sums[sums.length - 1]! += size;
    last = size;
  };
  for (const [token, least, most] of source.matchAll(/\\.|\[(?:\\.|[^\]\\])+\]|\{(\d+)(?:,(\d*))?\}|./gs)) {
    if (least !== undefined) add(last * Math.max(Number(least), Number(most || least)) - last);
    else if (token === '(') sums.push(0);
    else if (token === ')' && sums.length > 1) add(sums.pop()!);
    else add(1);
  }
  const copied = sums.reduce((sum, size) => sum + size, 0);
  return copied > source.length ? copied : 0;
}
