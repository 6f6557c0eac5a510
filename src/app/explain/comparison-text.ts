import { scan } from '../../engine/expression/tokens.ts';

/** One comparison inside the text of a condition, with one side that no measure moves. */
export interface ThresholdText {
  /** What is measured, as written. */
  score: string;
  operator: '<' | '<=' | '>' | '>=';
  /** What it is compared with, as written. */
  threshold: string;
  /** Whether the condition holds above the threshold or below it. */
  holds: 'above' | 'below';
  /** The whole condition with another threshold. */
  withThreshold(value: number): string;
}

interface Lexeme {
  text: string;
  at: number;
  kind: 'name' | 'operator' | 'bracket' | 'other';
}

const COMPARISONS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=']);
/** What binds less than a comparison, or as much: an operand ends there. */
const ENDS: ReadonlySet<string> = new Set([...COMPARISONS, '==', '!=', 'and', 'or', 'not', '?', ':', ',']);
const MIRRORED = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;

/** The comparisons with a threshold in a condition that `check` accepted, in the order of the text. */
export function thresholdTexts(source: string): ThresholdText[] {
  const lexemes = lexemesOf(source);
  return lexemes.flatMap(({ kind, text }, index) => {
    if (kind !== 'operator' || !COMPARISONS.has(text)) return [];
    const left = operand(lexemes, index, -1);
    const right = operand(lexemes, index, 1);
    const [leftMoves, rightMoves] = [left.some(isMoving), right.some(isMoving)];
    if (leftMoves === rightMoves) return [];
    const written = text as ThresholdText['operator'];
    const [score, threshold] = leftMoves ? [left, right] : [right, left];
    const operator = leftMoves ? written : MIRRORED[written];
    const [from, to] = spanOf(threshold);
    return [
      {
        score: source.slice(...spanOf(score)),
        operator,
        threshold: source.slice(from, to),
        holds: operator.startsWith('>') ? 'above' : 'below',
        withThreshold: (value: number) =>
          `${source.slice(0, from)}${value < 0 ? `(${value})` : value}${source.slice(to)}`,
      },
    ];
  });
}

/** The scanner leaves brackets and commas out; an operand is bounded by them. */
function lexemesOf(source: string): Lexeme[] {
  const lexemes: Lexeme[] = [];
  let from = 0;
  const between = (to: number): void => {
    for (let at = from; at < to; at++) {
      const text = source[at]!;
      if ('(),'.includes(text)) lexemes.push({ text, at, kind: 'bracket' });
    }
  };
  for (const { kind, text, at } of scan(source).tokens) {
    between(at);
    lexemes.push({ text, at, kind: kind === 'name' || kind === 'operator' ? kind : 'other' });
    from = at + text.length;
  }
  between(source.length);
  return lexemes;
}

function operand(lexemes: readonly Lexeme[], operator: number, direction: 1 | -1): Lexeme[] {
  const [opens, closes] = direction === 1 ? ['(', ')'] : [')', '('];
  const taken: Lexeme[] = [];
  let depth = 0;
  for (let index = operator + direction; index >= 0 && index < lexemes.length; index += direction) {
    const one = lexemes[index]!;
    if (depth === 0 && (one.text === closes || (one.kind !== 'name' && ENDS.has(one.text)))) break;
    if (one.text === opens) depth++;
    if (one.text === closes) depth--;
    taken.push(one);
  }
  return direction === 1 ? taken : taken.reverse();
}

/** Measures and the session's names change from action to action; a baseline does not. */
function isMoving({ kind, text }: Lexeme): boolean {
  return kind === 'name' && text !== 'true' && text !== 'false' && !text.startsWith('baseline.');
}

function spanOf(lexemes: readonly Lexeme[]): [from: number, to: number] {
  const last = lexemes.at(-1)!;
  return [lexemes[0]!.at, last.at + last.text.length];
}
