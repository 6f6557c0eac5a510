import { canonicalJson } from '../../src/domain/canonical-json.ts';
import type { ActionEvent } from '../../src/domain/event.ts';
import { parseInstant } from '../../src/domain/instant.ts';
import { compileExpression } from '../../src/engine/expression/compile.ts';
import { ExpressionFault } from '../../src/engine/expression/fault.ts';
import {
  type Arrived,
  covering,
  filterOf,
  type Judged,
  measured,
  type NaivePolicy,
  type NaiveRule,
  passes,
  RETRY_MS,
  type Steps,
  statedIn,
  type Which,
} from './naive-measures.ts';

export interface NaiveOutcome {
  /** Level after each arrival. */
  levels: string[];
  /** `action rule offset`, in order. */
  commands: string[];
  judged: number;
  repeated: number;
  afterKill: number;
}

const RANKS = ['clear', 'watch', 'paused', 'killed'];
const RANK_OF = { watch: 1, pause: 2, kill: 3 } as const;

/**
 * All that one session does, from its first event to its last: what the rules mean, written from the specification and not from the engine: everything about a session is worked
 * out anew from the list of its events, with no window, no running sum and no state that is carried along but the
 * level. Slow, and exact only where the engine promises to be: few marks, few values, few failed calls.
 */
export function judgeSession(arrivals: readonly Arrived[]): NaiveOutcome {
  const outcome: NaiveOutcome = { levels: [], commands: [], judged: 0, repeated: 0, afterKill: 0 };
  let past: Judged[] = [];
  let level = 0;
  let watchMs = 0;
  let lastMs = 0;
  for (const arrived of arrivals) {
    const { settings, rules } = arrived.policy;
    if (past.length > 0 && arrived.clockMs >= lastMs + keepMs(arrived.policy, level)) {
      past = [];
      level = 0;
    }
    if (level === 3) {
      outcome.afterKill++;
      lastMs = arrived.clockMs;
      outcome.levels.push('killed');
      continue;
    }
    if (isRepeated(past, arrived.event)) {
      outcome.repeated++;
      outcome.levels.push(RANKS[level]!);
      continue;
    }
    outcome.judged++;
    const now = enter(past, arrived, lastMs);
    lastMs = arrived.clockMs;
    if (level === 1 && now.clockMs - watchMs > settings.watchHoldMs) {
      const holding = rules.some(
        (rule) =>
          rule.mode === 'enforce' &&
          known(past, rule).some((one) => passes(rule, one.event)) &&
          rulingOf(rule, past, now, level) > 0,
      );
      if (holding) watchMs = now.clockMs;
      else level = 0;
    }
    past.push(now);
    let highest = 0;
    let speaker = '';
    for (const rule of inOrderOfFilters(rules)) {
      if (rule.mode === 'shadow' || !passes(rule, now.event)) continue;
      const rank = rulingOf(rule, past, now, level);
      if (rank > highest) {
        highest = rank;
        speaker = rule.id;
      }
    }
    if (highest > 0) watchMs = now.clockMs;
    if (highest > level) {
      level = highest;
      if (level > 1) outcome.commands.push(`${level === 2 ? 'pause' : 'kill'} ${speaker} ${arrived.offset}`);
    }
    outcome.levels.push(RANKS[level]!);
  }
  return outcome;
}

/** After so long nothing of the session matters, and it may be gone. */
function keepMs({ settings, rules }: NaivePolicy, level: number): number {
  const windows = rules.flatMap(statedIn).map(({ withinMs }) => withinMs);
  const matters =
    Math.max(settings.idleEndMs, settings.watchHoldMs, RETRY_MS, ...windows.filter(Number.isFinite)) +
    settings.delayMs +
    30_000;
  return level >= 2 ? Math.max(settings.killMarkMs, matters) : matters;
}

function enter(past: readonly Judged[], arrived: Arrived, lastMs: number): Judged {
  const { event, appendMs, clockMs, policy } = arrived;
  const timeMs = parseInstant(event.time);
  const effectiveMs = Math.min(Math.max(timeMs, appendMs - policy.settings.delayMs), appendMs + 30_000);
  const before = past.at(-1);
  const atMs = Math.max(before?.atMs ?? 0, effectiveMs);
  const first = before && past.find(({ life }) => life === before.life);
  const ended =
    before === undefined ||
    clockMs - lastMs >= policy.settings.idleEndMs ||
    clockMs - first!.clockMs >= policy.settings.maxLifetimeMs;
  if (ended) return { ...arrived, timeMs, atMs, life: (before?.life ?? 0) + 1, lifeStartMs: atMs, nth: 1 };
  return { ...arrived, timeMs, atMs, life: before.life, lifeStartMs: before.lifeStartMs, nth: before.nth + 1 };
}

/** The order in which filters were first named, and in it that of the rules. */
function inOrderOfFilters(rules: readonly NaiveRule[]): NaiveRule[] {
  const first = (rule: NaiveRule) => rules.findIndex((one) => filterOf(one) === filterOf(rule));
  return [...rules].sort((a, b) => first(a) - first(b));
}

// ── Deduplication ────────────────────────────────────────────────────────────────────────────────────────────────

function isRepeated(past: readonly Judged[], event: ActionEvent): boolean {
  const numbered = past.filter((one) => one.event.source !== undefined && one.event.seq !== undefined);
  const sources = [...new Set(numbered.map((one) => one.event.source))].slice(0, 4);
  const goesBySeq = ({ source, seq }: ActionEvent) =>
    source !== undefined && seq !== undefined && (sources.includes(source) || sources.length < 4);
  if (goesBySeq(event)) {
    const seqs = numbered.filter((one) => one.event.source === event.source).map((one) => one.event.seq!);
    return seqs.includes(event.seq!) && Math.max(...seqs) - event.seq! < 64;
  }
  const others = past.filter((one) => !goesBySeq(one.event)).slice(-32);
  return others.some((one) => one.event.id === event.id && contentOf(one.event) === contentOf(event));
}

function contentOf({ source: _, seq: __, trace: ___, prompt: ____, ...content }: ActionEvent): string {
  return canonicalJson(content);
}

// ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The events that a rule's filter has seen: since the session was last judged under a policy without it. */
function known(past: readonly Judged[], rule: NaiveRule): Judged[] {
  const has = ({ policy }: Judged) => policy.rules.some((one) => filterOf(one) === filterOf(rule));
  return past.slice(past.findLastIndex((one) => !has(one)) + 1);
}

/** 0 for nothing, else the rank of the level that the rule asks for. */
function rulingOf(rule: NaiveRule, past: readonly Judged[], now: Judged, level: number): number {
  const whole = asked(rule, rule.when, past, now, level, 'whole').rank;
  if (rule.exceptions === undefined) return whole;
  const own = asked(rule, rule.when, past, now, level, 'uncovered').rank;
  const left = covering(rule, now).map(({ atMost, when }) => {
    if (when === undefined) return Math.min(whole, RANK_OF[atMost!]);
    const beyond = asked(rule, when, past, now, level, 'whole');
    return beyond.failed ? whole : Math.min(whole, Math.max(beyond.rank, RANK_OF.watch));
  });
  return Math.max(own, left.length === 0 ? Math.min(whole, RANK_OF.watch) : Math.min(...left));
}

function asked(
  rule: NaiveRule,
  when: NaiveRule['when'],
  past: readonly Judged[],
  now: Judged,
  level: number,
  steps: Steps,
): { rank: number; failed: boolean } {
  let rank = 0;
  let failed = false;
  for (const condition of ['watch', 'pause', 'kill'] as const) {
    const source = when[condition];
    if (source === undefined) continue;
    const holds = evaluate(source, rule, past, now, level, 'all', steps);
    if (holds === 'fault') failed = true;
    if (holds !== true) continue;
    const sure = condition !== 'kill' || evaluate(source, rule, past, now, level, 'placed', steps) === true;
    rank = sure ? RANK_OF[condition] : RANK_OF.pause;
    // What a lower condition could not say does not matter once a higher one holds.
    failed = false;
  }
  return { rank: failed ? Math.max(rank, RANK_OF[rule.onError]) : rank, failed };
}

function evaluate(
  source: string,
  rule: NaiveRule,
  past: readonly Judged[],
  now: Judged,
  level: number,
  which: Which,
  steps: Steps,
): boolean | 'fault' {
  const values: Record<string, number> = {
    'session.actions': now.nth,
    'session.level': level,
    'session.age': now.atMs - now.lifeStartMs,
  };
  Object.assign(values, measured(rule, past, now, which, steps));
  const paths = Object.keys(values);
  const compiled = compileExpression(source, {
    lookup: (path) => (paths.includes(path) ? { slot: paths.indexOf(path), type: 'number' } : undefined),
    all: () => paths,
  });
  if (!compiled.ok) throw new Error(compiled.problems[0]!.message);
  try {
    return compiled.evaluate(Object.values(values)) as boolean;
  } catch (error) {
    if (error instanceof ExpressionFault) return 'fault';
    throw error;
  }
}
