import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { ActionEvent } from '../../domain/event.ts';
import { FIELD_NAMES, fieldOf } from '../../domain/fields.ts';
import { type Intent, MARK_KINDS, type MarkKind } from '../../domain/intent.ts';
import { hint } from '../expression/names.ts';
import { partId } from '../fingerprint.ts';
import { compileMatch, type EventTest } from '../match/compile.ts';
import type { RuleProblem } from '../problem.ts';
import { type ModeAt, modeAtOf } from './dwell.ts';

/** An intent with everything that text can get wrong settled. */
export interface CheckedIntent {
  intent: Intent;
  /** Names its state in a session: the same wherever its marks mean the same. */
  id: number;
  /** The same as text, for a baseline. */
  meaning: string;
  test: EventTest;
  after: Opening | undefined;
  mark: Mark;
  /** What of an action its cohort is to be known for; undefined where nothing is novel to this intent. */
  familiar: Values | undefined;
  /** Factor of a mark, 0 to 1. */
  weight(event: ActionEvent): number;
  modeAt: ModeAt;
}

type Values = (event: ActionEvent) => readonly string[];

/** The action that has to come before a mark. */
export interface Opening {
  test: EventTest;
  /** Of these values one must be new to the cohort; undefined where none has to be. */
  novel: Values | undefined;
  /** Only the first of the session that passes `test`, or none. */
  first: boolean;
}

export type Mark =
  | { kind: 'count' }
  | { kind: 'distinct' | 'novel' | 'again' | 'elsewhere'; values: Values }
  | { kind: 'amount'; value(event: ActionEvent): number; cap: number };

const FORM = /^\s*([a-z]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*$/;

/** Checks one intent that passed its schema. Every mistake at once. */
export function checkIntent(
  intent: Intent,
): { ok: true; checked: CheckedIntent } | { ok: false; problems: RuleProblem[] } {
  const problems: RuleProblem[] = [];
  const { test } = compileMatch(intent.match, problems);
  const afterProblems: RuleProblem[] = [];
  const afterTest = intent.after && compileMatch(intent.after, afterProblems).test;
  problems.push(...afterProblems.map((problem) => ({ ...problem, path: ['after', ...problem.path.slice(1)] })));
  const mark = markOf(intent, problems);
  const after = openingOf(intent, afterTest, problems);
  const weight = weightOf(intent, problems);
  const modeAt = modeAtOf(intent, problems);
  if (mark === undefined || problems.length > 0) return { ok: false, problems };
  const meaning = meaningOf(intent);
  const familiar = familiarOf(test, mark, after);
  const checked = { intent, id: partId(`intent ${meaning}`), meaning, test, after, mark, familiar, weight, modeAt };
  return { ok: true, checked };
}

function openingOf(intent: Intent, test: EventTest | undefined, problems: RuleProblem[]): Opening | undefined {
  const { afterNovel, afterFirst, mark } = intent;
  const opening = FORM.exec(mark);
  const needs = [
    ['afterNovel', afterNovel],
    ['afterFirst', afterFirst],
    ['mark', opening?.[1] === 'again' || opening?.[1] === 'elsewhere' || undefined],
  ] as const;
  for (const [name, value] of needs) {
    if (value === undefined || intent.after !== undefined) continue;
    const what = name === 'mark' ? `${opening![1]}(field)` : name;
    problems.push({
      path: [name],
      message: `${what} goes with \`after\`: the action that comes before the marked one`,
    });
  }
  if (opening?.[1] === 'again' && afterNovel !== opening[2]) {
    const message = `again(${opening[2] ?? 'field'}) marks what \`afterNovel\` found new, and that is ${afterNovel ?? 'absent'}`;
    problems.push({ path: ['mark'], message: `${message}; allowed: afterNovel: ${opening[2] ?? 'target'}` });
  }
  const kind = opening?.[1];
  if ((kind === 'novel' || kind === 'elsewhere') && afterNovel !== undefined && afterNovel !== opening![2])
    problems.push({
      path: ['afterNovel'],
      message: `found ${afterNovel}, and the mark is ${kind}(${opening![2]}); allowed: one field for both, the cohort is known for one`,
    });
  const novel = afterNovel === undefined ? undefined : valuesOf(afterNovel, ['afterNovel'], problems);
  return test && { test, novel, first: afterFirst ?? false };
}

function familiarOf(test: EventTest, mark: Mark, after: Opening | undefined): Values | undefined {
  if (after?.novel !== undefined) return (event) => (test(event) || after.test(event) ? after.novel!(event) : NONE);
  return mark.kind === 'novel' ? (event) => (test(event) ? mark.values(event) : NONE) : undefined;
}

function valuesOf(name: string, path: string[], problems: RuleProblem[]): Values {
  const field = fieldOf(name);
  if (!field) {
    problems.push({ path, message: `unknown field "${name}"${hint(name, FIELD_NAMES)}` });
    return () => NONE;
  }
  return (event) => texts(field.read(event));
}

/** Digest of everything that makes a mark what it is; title, mode and share may change without learning anew. */
function meaningOf({ match, after, afterNovel, afterFirst, mark, cap, weight }: Intent): string {
  const optional = Object.entries({ after, afterNovel, afterFirst, cap, weight }).filter(([, value]) => value);
  const text = canonicalJson({ match, mark, ...Object.fromEntries(optional) });
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function markOf(intent: Intent, problems: RuleProblem[]): Mark | undefined {
  const path = ['mark'];
  const found = FORM.exec(intent.mark);
  const kind = found?.[1] as MarkKind | undefined;
  if (!found || kind === undefined || !MARK_KINDS.includes(kind)) {
    const name = found?.[1] ?? intent.mark;
    const allowed = 'count, distinct(field), novel(field), again(field), elsewhere(field), amount(field)';
    problems.push({ path, message: `unknown mark "${intent.mark}"${hint(name, MARK_KINDS)}; allowed: ${allowed}` });
    return undefined;
  }
  if (intent.cap !== undefined && kind !== 'amount')
    problems.push({ path: ['cap'], message: `cap goes with amount(field), and the mark is ${kind}` });
  const argument = found[2];
  if (kind === 'count') {
    if (argument !== undefined) problems.push({ path, message: 'count takes no field' });
    return { kind };
  }
  const field = argument === undefined ? undefined : fieldOf(argument);
  if (!field) {
    const message = argument
      ? `unknown field "${argument}"${hint(argument, FIELD_NAMES)}`
      : `${kind} takes a field, such as ${kind}(${kind === 'amount' ? 'amount' : 'target'})`;
    problems.push({ path, message });
    return undefined;
  }
  if (kind !== 'amount') return { kind, values: (event) => texts(field.read(event)) };
  if (field.type !== 'number' && field.type !== 'any')
    problems.push({ path, message: `amount measures a number, and "${argument}" is a ${field.type}` });
  if (intent.cap === undefined) problems.push({ path, message: 'amount(field) needs `cap`: the value that marks 1' });
  return { kind, cap: intent.cap ?? 1, value: (event) => Number(field.read(event) ?? 0) };
}

function weightOf({ weight }: Intent, problems: RuleProblem[]): CheckedIntent['weight'] {
  if (weight === undefined) return () => 1;
  const field = fieldOf(weight.by);
  if (!field) {
    const message = `unknown field "${weight.by}"${hint(weight.by, FIELD_NAMES)}`;
    problems.push({ path: ['weight', 'by'], message });
    return () => 1;
  }
  return (event) => {
    const text = String(field.read(event) ?? '');
    return Object.hasOwn(weight.values, text) ? weight.values[text]! : weight.other;
  };
}

const NONE: readonly string[] = [];

/** As values are told apart everywhere in an intent: without case and outer space, so that spelling hides nothing. */
function texts(value: ReturnType<NonNullable<ReturnType<typeof fieldOf>>['read']>): readonly string[] {
  if (value === undefined || value === null) return NONE;
  const list = typeof value === 'object' ? value : [String(value)];
  return list.map((one) => one.trim().toLowerCase());
}
