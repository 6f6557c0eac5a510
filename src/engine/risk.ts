import type { Condition } from '../domain/level.ts';
import { compileTerm, type Run } from './expression/closures.ts';
import { ExpressionFault } from './expression/fault.ts';
import { lower } from './expression/lowering.ts';
import { parseTree } from './expression/parser.ts';
import type { Term, Values } from './expression/term.ts';
import { scan } from './expression/tokens.ts';
import { judge } from './judge.ts';
import type { Plan, RulePlan } from './plan/policy.ts';
import type { Session } from './session/session.ts';

/** How near a session is to being stopped. For people to look at: no decision reads it. */
export interface Risk {
  /** 0 to 1: the share of the way to the condition; 1 where it holds. */
  share: number;
  rule: string;
  condition: Condition;
}

/** What holds is 1, so what does not hold yet stays visibly below. */
const NOT_YET = 0.99;

/**
 * The measure of a policy: for one session the rule that is nearest to its next stop, which is the rule's pause, or
 * its kill once the session is paused. A condition is as near as the farthest of the parts that `and` joins and the
 * nearest of those that `or` joins. Undefined while no rule has counted anything.
 */
export function riskGauge(plan: Plan): (session: Session) => Risk | undefined {
  const gauges = new Map<RulePlan, ReturnType<typeof gaugesOf>>();
  for (const { rules } of plan.groups.values()) for (const rule of rules) gauges.set(rule, gaugesOf(rule));
  return (session) => {
    let highest: Risk | undefined;
    for (const [id, group] of session.groups) {
      for (const rule of plan.groups.get(id)?.rules ?? []) {
        if (rule.rule.mode === 'shadow') continue;
        const next = gauges.get(rule)!.find(({ condition }) => session.level !== 'paused' || condition === 'kill');
        if (next === undefined) continue;
        // Nearness is that of the actions that no exception covers.
        const counted = (rule.uncovered && session.groups.get(rule.uncovered.id)) ?? group;
        const share = shareOf(next.progress, judge(rule, counted, session).values);
        if (highest === undefined || share > highest.share) {
          highest = { share, rule: rule.rule.id, condition: next.condition };
        }
      }
    }
    return highest;
  };
}

/** The stops of a rule in rising order; its watch only where it has no other. */
function gaugesOf(rule: RulePlan): { condition: Condition; progress: Run<number> }[] {
  const all = rule.conditions.map(({ condition, holds }) => {
    const source = rule.rule.when[condition];
    const term = typeof source === 'string' ? termOf(source, rule) : undefined;
    return { condition, progress: term === undefined ? shown(holds) : progressOf(term) };
  });
  const stops = all.filter(({ condition }) => condition !== 'watch');
  return stops.length > 0 ? stops : all;
}

/** The condition as a tree; `checkRule` has accepted the same text. */
function termOf(source: string, { names }: RulePlan): Term | undefined {
  const { tokens, parseable } = scan(source);
  const parsed = parseTree(parseable);
  return 'problem' in parsed ? undefined : lower(parsed.tree, tokens, names, source.length).term;
}

function progressOf(term: Term): Run<number> {
  if (term.kind === 'logic') {
    const left = progressOf(term.left);
    const right = progressOf(term.right);
    return term.operator === 'and'
      ? (values) => Math.min(left(values), right(values))
      : (values) => Math.max(left(values), right(values));
  }
  const holds = compileTerm(term);
  if (term.kind !== 'comparison' && term.kind !== 'equality') return shown((values) => holds(values) === true);
  const swapped = term.left.kind === 'constant';
  const [score, threshold] = swapped ? [term.right, term.left] : [term.left, term.right];
  if (score.type !== 'number' || threshold.type !== 'number') return shown((values) => holds(values) === true);
  const scoreOf = compileTerm(score) as Run<number>;
  const thresholdOf = compileTerm(threshold) as Run<number>;
  const falling = (term.operator === '<' || term.operator === '<=') !== swapped;
  const strict = term.operator === '>' || term.operator === '<';
  return (values) => {
    if (holds(values) === true) return 1;
    const [from, to] = [scoreOf(values), thresholdOf(values)];
    return falling ? ratio(to, from) : ratio(from, strict ? passed(to) : to);
  };
}

/** `kinds > 2` is reached by 3: with whole numbers the threshold itself is not nearly there. */
function passed(threshold: number): number {
  return Number.isInteger(threshold) && threshold > 0 ? threshold + 1 : threshold;
}

function ratio(part: number, whole: number): number {
  return part > 0 && whole > 0 ? Math.min(part / whole, NOT_YET) : 0;
}

function shown(holds: (values: Values) => boolean): Run<number> {
  return (values) => (holds(values) ? 1 : 0);
}

function shareOf(progress: Run<number>, values: Values): number {
  try {
    return progress(values);
  } catch (error) {
    if (error instanceof ExpressionFault) return 0; // and therefore the rule's other numbers show nothing either
    throw error;
  }
}
