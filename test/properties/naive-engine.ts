import { canonicalJson } from '../../src/domain/canonical-json.ts';
import type { ActionEvent } from '../../src/domain/event.ts';
import { parseInstant } from '../../src/domain/instant.ts';
import { compileExpression } from '../../src/engine/expression/compile.ts';
import { ExpressionFault } from '../../src/engine/expression/fault.ts';
import {
  type Arrived,
  covering,
  filterOf,
  type History,
  isInForce,
  type Judged,
  measured,
  type NaiveException,
  type NaivePolicy,
  type NaiveRule,
  type Now,
  passes,
  RETRY_MS,
  type Steps,
  sequencesIn,
  sinceAll,
  statedIn,
  type Which,
} from './naive-measures.ts';
import type { Look } from './naive-sequences.ts';

/** A record of the log, whatever it is, before it is taken in: where what does not come is noticed. */
export interface Passing extends Omit<Look, 'nowMs'> {
  /** In force when it came; undefined before the first. */
  policy: NaivePolicy | undefined;
  /** Whether its append time fell behind the partition's clock. */
  isBehind: boolean;
}

export interface NaiveOutcome {
  /** Level after each arrival. */
  levels: string[];
  /** At the end of the log: what does not come may have raised it since. */
  level: string;
  /** `action rule offset`, in order. */
  commands: string[];
  judged: number;
  repeated: number;
  afterKill: number;
  /** How often what did not come has raised the level. */
  raisedBySilence: number;
}

/** A record as it passes by: the partition's clock there, and when it jumped last. */
export function passingAt(
  { offset, appendMs }: Pick<Arrived, 'offset' | 'appendMs'>,
  policy: NaivePolicy | undefined,
  before: Passing | undefined,
): Passing {
  const { clockMs, jumpedMs, isBehind } = before ?? { clockMs: 0, jumpedMs: 0, isBehind: false };
  if (appendMs - clockMs > 5 * 60_000 && clockMs > 0)
    return { offset, policy, clockMs: appendMs, jumpedMs: appendMs, isBehind: false };
  const fallsBehind = clockMs - appendMs > 5000;
  return {
    offset,
    policy,
    clockMs: Math.max(clockMs, appendMs),
    jumpedMs: fallsBehind && !isBehind ? clockMs + 1 : jumpedMs,
    isBehind: fallsBehind,
  };
}

/** For policies without a sequence: nothing waits for what does not come, so no other record matters to a session. */
export const NOTHING_AWAITED: readonly Passing[] = [];

const RANKS = ['clear', 'watch', 'paused', 'killed'];
const RANK_OF = { watch: 1, pause: 2, kill: 3 } as const;

/**
 * All that one session does, from its first event to its last: what the rules mean, written from the specification and
 * not from the engine: everything about a session is worked out anew from the list of its events, with no window, no
 * running sum and no state that is carried along but the level. Slow, and exact only where the engine promises to be: few
 * marks, few values, few failed calls. `log`: all records of the partition; only sequences that wait for what does not
 * come ask for them.
 */
export function judgeSession(arrivals: readonly Arrived[], log: readonly Passing[]): NaiveOutcome {
  const judging = new Judging();
  let next = 0;
  for (const arrived of arrivals) {
    while (next < log.length && log[next]!.offset <= arrived.offset) judging.pass(log[next++]!);
    judging.take(arrived);
  }
  while (next < log.length) judging.pass(log[next++]!);
  return { ...judging.outcome, level: judging.level };
}

class Judging {
  readonly outcome: Omit<NaiveOutcome, 'level'> = {
    levels: [],
    commands: [],
    judged: 0,
    repeated: 0,
    afterKill: 0,
    raisedBySilence: 0,
  };
  #past: Judged[] = [];
  #looks: Look[] = [];
  #level = 0;
  #watchMs = 0;
  #lastMs = 0;

  get level(): string {
    return RANKS[this.#level]!;
  }

  take(arrived: Arrived): void {
    const { outcome } = this;
    const { settings, rules } = arrived.policy;
    this.#forget(arrived);
    if (this.#level === 3) {
      outcome.afterKill++;
      this.#lastMs = arrived.clockMs;
      outcome.levels.push('killed');
      return;
    }
    if (isRepeated(this.#past, arrived.event)) {
      outcome.repeated++;
      outcome.levels.push(RANKS[this.#level]!);
      return;
    }
    outcome.judged++;
    const now = enter(this.#past, arrived, this.#lastMs);
    this.#lastMs = arrived.clockMs;
    if (this.#level === 1 && now.clockMs - this.#watchMs > settings.watchHoldMs) {
      const holding = rules.some(
        (rule) =>
          rule.mode === 'enforce' &&
          known(this.#past, rule).some((one) => passes(rule, one.event)) &&
          this.#rulingOf(rule, now, leftAt(rule, now)) > 0,
      );
      if (holding) this.#watchMs = now.clockMs;
      else this.#level = 0;
    }
    this.#past.push(now);
    this.#rise(
      inOrderOfFilters(rules).filter((rule) => passes(rule, now.event)),
      now,
      (rule) => leftAt(rule, now),
    );
    outcome.levels.push(RANKS[this.#level]!);
  }

  /** Time passes: a sequence may be complete because nothing came, though never for a kill. */
  pass({ policy, ...look }: Passing): void {
    const last = this.#past.at(-1);
    if (policy === undefined || last === undefined || this.#level === 3) return;
    const under = last.silentUnder.at(-1) ?? last.policy;
    const isAwaited = under.rules.some(({ measures }) =>
      Object.values(measures).some((one) => typeof one !== 'string'),
    );
    if (!isAwaited) return;
    const deadlinesMs = this.#deadlinesMs(under);
    this.#looks.push({ ...look, nowMs: last.atMs });
    if (!deadlinesMs.some((deadlineMs) => deadlineMs <= look.clockMs)) return;
    if (policy !== under) last.silentUnder.push(policy);
    const now = { ...last, ...look };
    const completed = inOrderOfFilters(policy.rules).filter((rule) =>
      sequencesIn(rule, this.#history).completions.some(({ offset }) => offset === look.offset),
    );
    const before = this.#level;
    this.#rise(completed, now, (rule) => leftInSilence(rule, now));
    if (this.#level > before) this.outcome.raisedBySilence++;
  }

  get #history(): History {
    return { past: this.#past, looks: this.#looks };
  }

  #deadlinesMs({ rules }: NaivePolicy): number[] {
    return rules.flatMap((rule) => sequencesIn(rule, this.#history).deadlinesMs);
  }

  #forget({ clockMs, policy }: Arrived): void {
    const last = this.#past.at(-1);
    if (last === undefined || clockMs < this.#lastMs + keepMs(policy, this.#level)) return;
    // What still waits keeps its session.
    if (this.#level < 3 && this.#deadlinesMs(last.silentUnder.at(-1) ?? last.policy).length > 0) return;
    this.#past = [];
    this.#looks = [];
    this.#level = 0;
  }

  /** To the highest of what the rules ask for. `left`: what exceptions leave of it. */
  #rise(rules: readonly NaiveRule[], now: Now, left: (rule: NaiveRule) => Left): void {
    let highest = 0;
    let speaker = '';
    for (const rule of rules) {
      if (rule.mode === 'shadow') continue;
      const rank = this.#rulingOf(rule, now, left(rule));
      if (rank > highest) {
        highest = rank;
        speaker = rule.id;
      }
    }
    if (highest > 0) this.#watchMs = now.clockMs;
    if (highest <= this.#level) return;
    this.#level = highest;
    if (highest > 1) this.outcome.commands.push(`${highest === 2 ? 'pause' : 'kill'} ${speaker} ${now.offset}`);
  }

  /** 0 for nothing, else the rank of the level that the rule asks for. */
  #rulingOf(rule: NaiveRule, now: Now, left: Left): number {
    const asked = (when: NaiveRule['when'], steps: Steps) =>
      askedBy({ rule, when, history: this.#history, now, level: this.#level, steps });
    const whole = asked(rule.when, 'whole').rank;
    if (rule.exceptions === undefined) return whole;
    return Math.max(
      asked(rule.when, 'uncovered').rank,
      left(whole, (when) => asked(when, 'whole')),
    );
  }
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
  const now = { ...arrived, timeMs, atMs, silentUnder: [] };
  if (ended) return { ...now, life: (before?.life ?? 0) + 1, lifeStartMs: atMs, nth: 1 };
  return { ...now, life: before.life, lifeStartMs: before.lifeStartMs, nth: before.nth + 1 };
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
function known(past: readonly Judged[], rule: NaiveRule): readonly Judged[] {
  return sinceAll(past, ({ rules }) => rules.some((one) => filterOf(one) === filterOf(rule)));
}

interface Asked {
  rank: number;
  failed: boolean;
}

/** What exceptions leave of the rank of all actions. */
type Left = (whole: number, asked: (when: NaiveRule['when']) => Asked) => number;

/** The exceptions that cover an action leave the lowest of what each does; without any, earlier ones watch. */
function leftAt(rule: NaiveRule, now: Judged): Left {
  const covered = covering(rule, now);
  return (whole, asked) => {
    if (covered.length === 0) return Math.min(whole, RANK_OF.watch);
    return Math.min(...covered.map((one) => leftBy(one, whole, asked)));
  };
}

/** In silence nobody knows which of them covered what waits: the highest of what each leaves. */
function leftInSilence({ exceptions = [] }: NaiveRule, now: Now): Left {
  const valid = exceptions.filter((one) => isInForce(one, now));
  return (whole, asked) => Math.max(Math.min(whole, RANK_OF.watch), ...valid.map((one) => leftBy(one, whole, asked)));
}

function leftBy({ atMost, when }: NaiveException, whole: number, asked: (when: NaiveRule['when']) => Asked): number {
  if (when === undefined) return Math.min(whole, RANK_OF[atMost!]);
  const beyond = asked(when);
  return beyond.failed ? whole : Math.min(whole, Math.max(beyond.rank, RANK_OF.watch));
}

interface Question {
  rule: NaiveRule;
  when: NaiveRule['when'];
  history: History;
  now: Now;
  level: number;
  steps: Steps;
}

function askedBy(question: Question): Asked {
  const { rule, when } = question;
  let rank = 0;
  let failed = false;
  for (const condition of ['watch', 'pause', 'kill'] as const) {
    const source = when[condition];
    if (source === undefined) continue;
    const holds = evaluate(source, question, 'all');
    if (holds === 'fault') failed = true;
    if (holds !== true) continue;
    const sure = condition !== 'kill' || evaluate(source, question, 'placed') === true;
    rank = sure ? RANK_OF[condition] : RANK_OF.pause;
    // What a lower condition could not say does not matter once a higher one holds.
    failed = false;
  }
  return { rank: failed ? Math.max(rank, RANK_OF[rule.onError]) : rank, failed };
}

function evaluate(source: string, { rule, history, now, level, steps }: Question, which: Which): boolean | 'fault' {
  const values: Record<string, number> = {
    'session.actions': now.nth,
    'session.level': level,
    'session.age': now.atMs - now.lifeStartMs,
  };
  Object.assign(values, measured(rule, history, now, which, steps));
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
