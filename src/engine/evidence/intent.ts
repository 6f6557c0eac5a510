import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { ActionEvent } from '../../domain/event.ts';
import { FIELD_NAMES, fieldOf } from '../../domain/fields.ts';
import { type Intent, MARK_KINDS, type MarkKind } from '../../domain/intent.ts';
import { hint } from '../expression/names.ts';
import { partId } from '../fingerprint.ts';
import { compileMatch, type EventTest } from '../match/compile.ts';
import type { RuleProblem } from '../problem.ts';

/** An intent with everything that text can get wrong settled. */
export interface CheckedIntent {
  intent: Intent;
  /** Names its state in a session: the same wherever its marks mean the same. */
  id: number;
  /** The same as text, for a baseline. */
  meaning: string;
  test: EventTest;
  after: EventTest | undefined;
  mark: Mark;
  /** Factor of a mark, 0 to 1. */
  weight(event: ActionEvent): number;
}

export type Mark =
  | { kind: 'count' }
  | { kind: 'distinct' | 'novel'; values(event: ActionEvent): readonly string[] }
  | { kind: 'amount'; value(event: ActionEvent): number; cap: number };

const FORM = /^\s*([a-z]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*$/;

/** Checks one intent that passed its schema. Every mistake at once. */
export function checkIntent(
  intent: Intent,
): { ok: true; checked: CheckedIntent } | { ok: false; problems: RuleProblem[] } {
  const problems: RuleProblem[] = [];
  const { test } = compileMatch(intent.match, problems);
  const afterProblems: RuleProblem[] = [];
  const after = intent.after && compileMatch(intent.after, afterProblems).test;
  problems.push(...afterProblems.map((problem) => ({ ...problem, path: ['after', ...problem.path.slice(1)] })));
  const mark = markOf(intent, problems);
  const weight = weightOf(intent, problems);
  if (mark === undefined || problems.length > 0) return { ok: false, problems };
  const meaning = meaningOf(intent);
  return { ok: true, checked: { intent, id: partId(`intent ${meaning}`), meaning, test, after, mark, weight } };
}

/** Digest of everything that makes a mark what it is; title, mode and share may change without learning anew. */
function meaningOf({ match, after, mark, cap, weight }: Intent): string {
  const text = canonicalJson({ match, mark, ...(after && { after }), ...(cap && { cap }), ...(weight && { weight }) });
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function markOf(intent: Intent, problems: RuleProblem[]): Mark | undefined {
  const path = ['mark'];
  const found = FORM.exec(intent.mark);
  const kind = found?.[1] as MarkKind | undefined;
  if (!found || kind === undefined || !MARK_KINDS.includes(kind)) {
    const name = found?.[1] ?? intent.mark;
    const allowed = 'count, distinct(field), novel(field), amount(field)';
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
