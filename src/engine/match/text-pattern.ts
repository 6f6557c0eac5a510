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

function compileTokens(tokens: Token[], casing: Casing): TextTest {
  const fold = casing === 'folded' ? folded : (text: string) => text;
  const runs = literalRuns(tokens).map((token) => (typeof token === 'string' ? fold(token) : token));
  if (runs.every((token) => typeof token === 'string')) {
    const wanted = runs.join('');
    return casing === 'cased' ? (text) => text === wanted : (text) => text === wanted || fold(text) === wanted;
  }
  const units = runs.flatMap((token): Token[] => (typeof token === 'string' ? token.split('') : [token]));
  return (text) => globMatches(units, fold(text));
}

/** Lower case without regard to place: JavaScript alone lowers a sigma differently at the end of a word. */
function folded(text: string): string {
  return text.toLowerCase().replaceAll('ς', 'σ');
}

/** Neighbouring literals as one text: a letter outside the basic plane has two units and folds only as a whole. */
function literalRuns(tokens: Token[]): Token[] {
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
