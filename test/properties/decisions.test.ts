import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { affectedOf, targetsOf } from '../../src/domain/event.ts';
import { formatInstant } from '../../src/domain/instant.ts';
import type { Output } from '../../src/domain/output.ts';
import type { LogRecord, RecordBody } from '../../src/domain/record.ts';
import { Partition } from '../../src/engine/partition.ts';
import { PartitionState } from '../../src/engine/partition-state.ts';
import { decodeSession, readSessionHeader } from '../../src/engine/session/codec.ts';
import { NEVER } from '../../src/engine/standing/pause.ts';
import { needs, step } from '../../src/engine/step.ts';
import { planOf, START_MS } from '../engine/harness.ts';

const MINUTE = 60_000;
const SESSIONS = ['s-1', 's-2'] as const;
const PEOPLE = ['kim', 'lee'] as const;
const PLAN = planOf(
  [
    { id: 'deletes', match: { action: 'delete' }, within: '30m', when: { pause: 'n > 2', kill: 'n > 30' } },
    { id: 'sends', match: { action: 'send' }, within: '30m', when: { watch: 'n > 0', pause: 'n > 1' } },
  ],
  {
    answerWithinMs: 5 * MINUTE,
    reminderBeforeMs: MINUTE,
    acknowledgeWithinMs: MINUTE,
    publishAttempts: 2,
    enforcers: ['runtime', 'gateway'],
  },
);

/** What happens next, as far as it can be said without what was before. */
const move = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('delete', 'send', 'read') },
    { weight: 3, arbitrary: fc.constant('publish') },
    { weight: 3, arbitrary: fc.constantFrom('tick', 'acknowledge') },
    { weight: 4, arbitrary: fc.constantFrom('release', 'reject', 'pause', 'kill', 'order', 'lift') },
  ),
  session: fc.constantFrom(...SESSIONS),
  person: fc.constantFrom(...PEOPLE),
  /** Seldom long enough to be a jump of the clock. */
  waitMs: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: -20_000, max: 20 * MINUTE }) },
  ),
  marks: fc.integer({ min: 0, max: 6 }),
  bound: fc.constantFrom('marks', 'points', 'minutes', 'targets'),
  /** Whether an answer names what it must. */
  answer: fc.oneof({ weight: 5, arbitrary: fc.constant('right') }, { weight: 1, arbitrary: fc.constant('stale') }),
  affected: fc.constantFrom(1, 1, 1, 2),
  target: fc.constantFrom('a', 'b'),
  repeat: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant(2) }),
});
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

interface Told {
  record: LogRecord;
  outputs: Output[];
}

/** A log made move by move: answers refer to the requests of its own past. */
class Story {
  readonly partition = new Partition('topic-1', 0);
  readonly told: Told[] = [];
  readonly #unpublished: { command: string; session?: string }[] = [];
  #nowMs = START_MS;

  constructor() {
    this.partition.judgeUnder(PLAN);
  }

  make(moves: readonly Move[], check: (told: Told) => void = () => {}): this {
    for (const one of moves) {
      this.#nowMs += one.waitMs;
      const body = this.#bodyOf(one);
      for (let n = 0; body !== undefined && n < one.repeat; n++) {
        const record = { offset: this.told.length, appendMs: this.#nowMs, body };
        const told = { record, outputs: step(this.partition, record) };
        this.told.push(told);
        for (const output of told.outputs) {
          if (output.topic !== 'commands') continue;
          const { id: command, session } = output.command;
          this.#unpublished.push({ command, ...(session === undefined ? {} : { session }) });
        }
        check(told);
      }
    }
    return this;
  }

  #bodyOf({ kind, session, person, marks, bound, answer, affected, target }: Move): RecordBody | undefined {
    const id = `${kind}-${this.told.length}`;
    const standing = this.partition.sessions.get(session)?.standing;
    const waiting = standing?.pause;
    const by = { id: person };
    switch (kind) {
      case 'delete':
      case 'send':
      case 'read': {
        const time = formatInstant(this.#nowMs);
        const common = { agent: { id: 'agent' }, tool: 'tool', outcome: 'ok' as const, tenant: session };
        const event = { id, time, session, action: kind as 'delete', affected, targets: [target], ...common };
        return { type: 'action', event };
      }
      case 'publish': {
        const published = this.#unpublished.shift();
        return published && { type: 'published', published };
      }
      case 'acknowledge': {
        const command = standing?.issued?.id ?? 'cmd-none';
        const status = answer === 'right' ? ('enforced' as const) : ('failed' as const);
        return { type: 'acknowledgement', acknowledgement: { id, command, session, status, enforcer: 'gw' } };
      }
      case 'release': {
        const grant =
          bound === 'targets' ? { marks, targets: ['a'] } : { [bound]: bound === 'minutes' ? marks + 1 : marks };
        const view = answer === 'right' ? (waiting?.view ?? '') : 'sha256:old';
        const decision = { id, kind, session, by, grant, view, command: waiting?.command ?? 'cmd-none' };
        return { type: 'decision', decision };
      }
      case 'reject':
        return { type: 'decision', decision: { id, kind, session, by, command: waiting?.command ?? 'cmd-none' } };
      case 'order':
      case 'lift': {
        const scope = { type: 'tenant' as const, id: session };
        return { type: 'decision', decision: { id, kind: kind === 'order' ? 'pause' : 'lift', scope, by } };
      }
      case 'pause':
      case 'kill':
        return { type: 'decision', decision: { id, kind, session, by } };
      default:
        return { type: 'tick' };
    }
  }
}

/** The same log by another process, which begins anew from what a checkpoint keeps before each of the cuts. */
function retold(told: readonly Told[], cuts: ReadonlySet<number>): Output[] {
  let partition = new Partition('topic-1', 0);
  partition.judgeUnder(PLAN);
  const outputs: Output[] = [];
  const kept = new Map<string, Uint8Array>();
  for (const [n, { record }] of told.entries()) {
    if (cuts.has(n)) {
      for (const [id, bytes] of partition.takeChanges()) bytes === null ? kept.delete(id) : kept.set(id, bytes);
      partition = new Partition('topic-1', 0, PartitionState.parse(JSON.parse(JSON.stringify(partition.state))));
      partition.judgeUnder(PLAN);
      for (const [id, bytes] of kept) partition.expect(id, readSessionHeader(bytes));
    }
    for (const id of needs(partition, [record]).sessions) partition.adopt(decodeSession(id, kept.get(id)!));
    outputs.push(...step(partition, record));
  }
  return outputs;
}

const moves = fc.array(move, { minLength: 1, maxLength: 120 });
const RUNS = { numRuns: 400 };
const ordered = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.topic === 'commands' ? [output.command] : []));

describe('whatever happens to sessions, people and enforcers', () => {
  it('nothing leaves killed, and no pause outlives its time and grace', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const killed = new Set<string>();
        const story = new Story();
        story.make(all, () => {
          const { sessions, state } = story.partition;
          for (const { id, level, standing } of sessions.values()) {
            if (killed.has(id)) expect(level).toBe('killed');
            if (level === 'killed') killed.add(id);
            const waiting = standing?.pause;
            expect(waiting === undefined || level === 'paused').toBe(true);
            expect(standing?.release === undefined || level !== 'killed').toBe(true);
            // A pause waits for an answer, for an order to be lifted, or for a record that says it is out.
            if (level === 'paused') expect(waiting !== undefined || standing?.order !== undefined).toBe(true);
            expect(waiting?.killMs ?? NEVER).toBeGreaterThan(state.clockMs);
          }
        });
      }),
      RUNS,
    );
  });

  it('an outage of ours alone kills nobody: not before the pause is out, not over a gap in the log', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const publishedMs = new Map<string, number>();
        let clockMs = 0;
        let jumpedMs = 0;
        new Story().make(all, ({ record: { appendMs, body }, outputs }) => {
          if (appendMs > clockMs + 5 * MINUTE) jumpedMs = appendMs;
          if (appendMs < clockMs - 5000) jumpedMs = clockMs + 1;
          clockMs = Math.max(clockMs, appendMs);
          for (const { rule, triggerEventId, session } of ordered(outputs)) {
            if (rule !== 'firebreak:no-answer') continue;
            const outMs = publishedMs.get(session!);
            expect([triggerEventId, outMs! >= jumpedMs, clockMs >= outMs! + 5 * MINUTE]).toEqual([
              triggerEventId,
              true,
              true,
            ]);
          }
          if (body.type === 'published' && body.published.session) {
            // The first publication of the pause in force begins the time; a later one of the same changes nothing.
            const { command, session } = body.published;
            if (!publishedMs.has(command)) publishedMs.set(session, clockMs);
            publishedMs.set(command, clockMs);
          }
        });
      }),
      RUNS,
    );
  });

  it('a grant never exceeds its bound', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const grants = new Map<
          string,
          {
            marks: number | undefined;
            targets: string[] | undefined;
            untilMs: number;
            rules: Set<string>;
            used: number;
          }
        >();
        const story = new Story();
        story.make(all, ({ record: { body }, outputs }) => {
          const { clockMs } = story.partition.state;
          for (const { session, action, grant } of ordered(outputs)) {
            if (session === undefined) continue;
            if (action !== 'resume') grants.delete(session);
            else if (grant !== undefined) {
              const { conditions } = story.partition.sessions.get(session)!.standing!.release!;
              const rules = new Set(conditions.map(({ rule }) => rule));
              const untilMs = grant.minutes === undefined ? NEVER : clockMs + grant.minutes * MINUTE;
              grants.set(session, { marks: grant.marks, targets: grant.targets, untilMs, rules, used: 0 });
            }
          }
          for (const { untilMs } of grants.values()) expect(untilMs).toBeGreaterThan(clockMs);
          if (body.type !== 'action') return;
          const { event } = body;
          const grant = grants.get(event.session);
          const rule = `${event.action}s`;
          const known = story.partition.sessions.get(event.session)?.level;
          if (grant === undefined || known === 'paused' || known === 'killed') return;
          if (grant.rules.size > 0 && !grant.rules.has(rule)) return;
          grant.used += affectedOf(event);
          if (grant.marks !== undefined) expect(grant.used).toBeLessThanOrEqual(grant.marks);
          for (const target of targetsOf(event)) expect(grant.targets ?? [target]).toContain(target);
        });
      }),
      RUNS,
    );
  });

  it('equal logs give equal outputs and audit chains, wherever they were cut and read from bytes', () => {
    fc.assert(
      fc.property(moves, fc.array(fc.nat(130), { maxLength: 12 }), (all, cuts) => {
        const { told } = new Story().make(all);
        expect(retold(told, new Set(cuts))).toEqual(told.flatMap(({ outputs }) => outputs));
      }),
      RUNS,
    );
  });
});
