/**
 * Sigma's plain strings: `*` is any run of characters, `?` exactly one, `\` escapes `*`, `?` and `\`, a single `\`
 * before anything else is itself. Compared without case unless `cased`.
 *
 * `?` is one code point. Matched by two cursors with one point to go back to, so the time is at most pattern × text, whatever the pattern:
 * a regular expression made of `.*` parts would take pattern-many powers of that.
 */
export type TextTest = (text: string) => boolean;
export type Casing = 'folded' | 'cased';

const ANY_RUN = 0;
const ANY_ONE = 1;
type Token = string | typeof ANY_RUN | typeof ANY_ONE;

export function compileText(pattern: string, casing: Casing): TextTest {
  return compileTokens(tokensOf(pattern), casing);
}

/** The pattern anywhere, at the start or at the end of the text. Wildcards keep their meaning. */
export function compileTextPart(
  pattern: string,
  place: 'contains' | 'startswith' | 'endswith',
  casing: Casing,
): TextTest {
  const tokens = tokensOf(pattern);
  if (place !== 'startswith') tokens.unshift(ANY_RUN);
  if (place !== 'endswith') tokens.push(ANY_RUN);
  return compileTokens(tokens, casing);
}

/** Any of the patterns: the text is folded once, and all patterns without a wildcard cost one look. */
export function compileTexts(patterns: readonly string[], casing: Casing): TextTest {
  const fold = FOLDS[casing];
  const literals = new Set<string>();
  const globs: TextTest[] = [];
  for (const pattern of patterns) {
    const runs = foldedRuns(tokensOf(pattern), fold);
    if (isLiteral(runs)) literals.add(runs.join(''));
    else globs.push(compileGlob(runs));
  }
  return (text) => {
    if (literals.has(text)) return true;
    const compared = fold(text);
    return literals.has(compared) || globs.some((test) => test(compared));
  };
}

function compileTokens(tokens: Token[], casing: Casing): TextTest {
  const fold = FOLDS[casing];
  const runs = foldedRuns(tokens, fold);
  if (isLiteral(runs)) {
    const wanted = runs.join('');
    return casing === 'cased' ? (text) => text === wanted : (text) => text === wanted || fold(text) === wanted;
  }
  const test = compileGlob(runs);
  return (text) => test(fold(text));
}

const FOLDS: Record<Casing, (text: string) => string> = { folded, cased: (text) => text };

/** Lower case without regard to place: JavaScript alone lowers a sigma differently at the end of a word. */
function folded(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes('ς') ? lower.replaceAll('ς', 'σ') : lower;
}

function foldedRuns(tokens: readonly Token[], fold: (text: string) => string): Token[] {
  return literalRuns(tokens).map((token) => (typeof token === 'string' ? fold(token) : token));
}

function isLiteral(runs: readonly Token[]): runs is string[] {
  return runs.every((token) => typeof token === 'string');
}

/** Of texts that are folded already. Without `?` the parts are looked for one behind the other, which the runtime does fast. */
function compileGlob(runs: readonly Token[]): TextTest {
  if (runs.includes(ANY_ONE)) {
    const units = runs.flatMap((token): Token[] => (typeof token === 'string' ? token.split('') : [token]));
    return (text) => globMatches(units, text);
  }
  const start = typeof runs[0] === 'string' ? runs[0] : '';
  const last = runs.at(-1);
  const end = typeof last === 'string' ? last : '';
  const between = runs
    .slice(start === '' ? 0 : 1, end === '' ? undefined : -1)
    .filter((run) => run !== ANY_RUN) as string[];
  return (text) => {
    if (text.length < start.length + end.length || !text.startsWith(start) || !text.endsWith(end)) return false;
    let at = start.length;
    for (const part of between) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= text.length - end.length;
  };
}

/** Neighbouring literals as one text: a letter outside the basic plane has two units and folds only as a whole. */
function literalRuns(tokens: readonly Token[]): Token[] {
  const runs: Token[] = [];
  for (const token of tokens) {
    const last = runs.at(-1);
    if (typeof token === 'string' && typeof last === 'string') runs[runs.length - 1] = last + token;
    else runs.push(token);
  }
  return runs;
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const unit = pattern[at]!;
    const next = pattern[at + 1];
    if (unit === '\\' && (next === '*' || next === '?' || next === '\\')) {
      tokens.push(next);
      at++;
    } else if (unit === '*') tokens.push(ANY_RUN);
    else if (unit === '?') tokens.push(ANY_ONE);
    else tokens.push(unit);
  }
  return tokens;
}

function globMatches(pattern: Token[], text: string): boolean {
  let p = 0;
  let t = 0;
  let lastRun = -1;
  let resumeAt = 0;
  while (t < text.length) {
    const token = pattern[p];
    if (token === text[t]) {
      p++;
      t++;
    } else if (token === ANY_ONE) {
      p++;
      t += text.codePointAt(t)! > 0xffff ? 2 : 1;
    } else if (token === ANY_RUN) {
      lastRun = p++;
      resumeAt = t;
    } else if (lastRun >= 0) {
      p = lastRun + 1;
      t = ++resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[p] === ANY_RUN) p++;
  return p === pattern.length;
}
