import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { LEVELS, levelRank } from '../../src/domain/level.ts';
import type { Output } from '../../src/domain/output.ts';
import type { LogRecord } from '../../src/domain/record.ts';
import { Partition } from '../../src/engine/partition.ts';
import { PartitionState } from '../../src/engine/partition-state.ts';
import type { Plan } from '../../src/engine/plan/policy.ts';
import { decodeSession, encodeSession, readSessionHeader } from '../../src/engine/session/codec.ts';
import { needs, step } from '../../src/engine/step.ts';
import { judgeSession, type Passing, passingAt } from './naive-engine.ts';
import type { Arrived, NaivePolicy } from './naive-measures.ts';
import { longRandomLog, randomLog } from './random-log.ts';
import { POLICIES, planOfPolicy } from './random-policies.ts';
import { runsOf } from './runs.ts';

const PLANS: readonly Plan[] = POLICIES.map(planOfPolicy);
const TOPIC = 'topic-1';
/** A failure is told with what was shrunk by then. */
const WITHIN = { interruptAfterTimeLimit: 15_000 };

function fresh(): Partition {
  const partition = new Partition(TOPIC, 0);
  for (const plan of PLANS) partition.plans.set(plan.hash, plan);
  return partition;
}

/** Outputs as they leave the process: byte for byte. */
function said(outputs: readonly Output[]): string[] {
  return outputs.map((output) => (output.topic === 'quarantine' ? output.reason : canonicalJson(output)));
}

function bytesOf(partition: Partition): Record<string, string> {
  return Object.fromEntries(
    [...partition.sessions.values()]
      .map((session) => [session.id, Buffer.from(encodeSession(session)).toString('hex')] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function levelOf(partition: Partition, session: string): string {
  return partition.sessions.get(session)?.level ?? 'clear';
}

describe('step', () => {
  it('gives each session the levels and commands that its whole history asks for', () => {
    let raisedBySilence = 0;
    fc.assert(
      fc.property(randomLog, (log) => {
        const partition = fresh();
        const levels = new Map<string, string[]>();
        const commands = new Map<string, string[]>();
        const arrivals = new Map<string, Arrived[]>();
        const passing: Passing[] = [];
        let policy: NaivePolicy | undefined;
        let beforePolicy = 0;
        for (const record of log) {
          const { body, offset, appendMs } = record;
          passing.push(passingAt(record, policy, passing.at(-1)));
          const { clockMs } = passing.at(-1)!;
          const outputs = step(partition, record);
          for (const output of outputs) {
            if (output.topic !== 'commands') continue;
            const { session, action, rule, position } = output.command;
            push(commands, session!, `${action} ${rule} ${position.offset}`);
          }
          if (body.type === 'policy') policy = POLICIES[PLANS.findIndex(({ hash }) => hash === body.policy.hash)];
          if (body.type === 'restated')
            policy ??= POLICIES[PLANS.findIndex(({ hash }) => hash === body.restated.policy!.hash)];
          if (body.type !== 'action') continue;
          if (policy === undefined) {
            beforePolicy++;
            continue;
          }
          const { event } = body;
          push(arrivals, event.session, { offset, appendMs, clockMs, policy, event });
          push(levels, event.session, levelOf(partition, event.session));
        }
        let judged = 0;
        let repeated = 0;
        let afterKill = 0;
        for (const [session, history] of arrivals) {
          const naive = judgeSession(history, passing);
          expect(partition.sessions.get(session)?.level ?? naive.level).toBe(naive.level);
          expect({ levels: levels.get(session), commands: commands.get(session) ?? [] }).toEqual({
            levels: naive.levels,
            commands: naive.commands,
          });
          judged += naive.judged;
          repeated += naive.repeated;
          afterKill += naive.afterKill;
          raisedBySilence += naive.raisedBySilence;
        }
        expect(partition.state.accounting).toMatchObject({ judged, repeated, afterKill, beforePolicy });
      }),
      runsOf({ numRuns: 150, ...WITHIN }),
    );
    expect(raisedBySilence).toBeGreaterThan(0);
  });

  it('accounts for every record, and names every cause once', () => {
    fc.assert(
      fc.property(longRandomLog, (log) => {
        const partition = fresh();
        const ids = new Set<string>();
        for (const record of log) {
          for (const output of step(partition, record)) {
            if (output.topic !== 'commands' && output.topic !== 'findings') continue;
            const { id } = output.topic === 'commands' ? output.command : output.finding;
            expect(ids.has(id)).toBe(false);
            ids.add(id);
          }
        }
        const { judged, repeated, beforePolicy, afterKill, control, refused } = partition.state.accounting;
        const all = [judged, repeated, beforePolicy, afterKill, control, ...Object.values(refused)];
        expect(all.reduce((sum, count) => sum + count, 0)).toBe(log.length);
      }),
      { numRuns: 60, ...WITHIN },
    );
  });

  it('never takes a session back from paused or killed, and kills it once', () => {
    fc.assert(
      fc.property(longRandomLog, (log) => {
        const partition = fresh();
        const levels = new Map<string, number>();
        const kills = new Set<string>();
        for (const record of log) {
          const outputs = step(partition, record);
          for (const output of outputs) {
            if (output.topic !== 'commands' || output.command.action !== 'kill') continue;
            expect(kills.has(output.command.session!)).toBe(false);
            kills.add(output.command.session!);
          }
          for (const { id, level } of partition.sessions.values()) {
            const before = levels.get(id) ?? 0;
            if (before >= levelRank('paused')) expect(levelRank(level)).toBeGreaterThanOrEqual(before);
            levels.set(id, levelRank(level));
          }
          for (const [id, level] of levels)
            if (level >= levelRank('paused')) expect(partition.sessions.has(id)).toBe(true);
        }
        for (const id of kills) expect(LEVELS[levels.get(id)!]).toBe('killed');
      }),
      { numRuns: 60, ...WITHIN },
    );
  });
});

/** After which records a batch ends, and what becomes of the process there. */
type Fate = 'go on' | 'save' | 'save and crash' | 'crash';
const fates = fc.array(
  fc.record({
    length: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 60 })),
    fate: fc.constantFrom<Fate>('go on', 'save', 'save and crash', 'crash'),
  }),
  { minLength: 1, maxLength: 100, size: 'max' },
);

/** What a process is resumed with. */
interface Saved {
  sessions: Map<string, Uint8Array>;
  /** Canonical JSON, as a checkpoint keeps it. */
  partition: string;
  /** Index of the first record that is not in it. */
  next: number;
}

function resume({ sessions, partition }: Saved): Partition {
  const state = PartitionState.parse(JSON.parse(partition));
  const resumed = new Partition(TOPIC, 0, state);
  for (const [id, bytes] of sessions) resumed.expect(id, readSessionHeader(bytes));
  const plan = PLANS.find(({ hash }) => hash === state.policy?.hash);
  if (plan) resumed.judgeUnder(plan);
  return resumed;
}

function load(partition: Partition, saved: Saved, records: readonly LogRecord[]): void {
  const { sessions, policies } = needs(partition, records);
  for (const id of sessions) partition.adopt(decodeSession(id, saved.sessions.get(id)!));
  for (const { hash } of policies) partition.plans.set(hash, PLANS.find((plan) => plan.hash === hash)!);
}

function save(partition: Partition, saved: Saved, next: number): void {
  for (const [id, bytes] of partition.takeChanges()) {
    if (bytes === null) saved.sessions.delete(id);
    else saved.sessions.set(id, bytes);
  }
  saved.partition = canonicalJson(partition.state);
  saved.next = next;
  expect(saved.sessions.size).toBe(partition.sessionCount);
  const levels = { clear: 0, watch: 0, paused: 0, killed: 0 };
  for (const bytes of saved.sessions.values()) levels[readSessionHeader(bytes).level]++;
  expect(partition.countLevels()).toEqual(levels);
}

describe('any cut into batches, any crash, any order of loading', () => {
  it('gives the same outputs and the same bytes of every session and of the partition', () => {
    fc.assert(
      fc.property(longRandomLog, fates, (log, cuts) => {
        const whole = fresh();
        const wanted = log.map((record) => said(step(whole, record)));

        const saved: Saved = {
          sessions: new Map(),
          partition: canonicalJson(new Partition(TOPIC, 0).state),
          next: 0,
        };
        let partition = resume(saved);
        let next = 0;
        for (let i = 0; next < log.length || saved.next < log.length; i++) {
          const { length, fate } = cuts[i] ?? { length: log.length, fate: 'save' };
          const batch = log.slice(next, next + length);
          load(partition, saved, batch);
          for (const record of batch) expect(said(step(partition, record))).toEqual(wanted[next++]);
          if (fate === 'save' || fate === 'save and crash') save(partition, saved, next);
          if (fate === 'crash' || fate === 'save and crash') {
            next = saved.next;
            partition = resume(saved);
          }
        }
        for (const id of [...partition.stored.keys()]) partition.adopt(decodeSession(id, saved.sessions.get(id)!));
        expect(bytesOf(partition)).toEqual(bytesOf(whole));
        expect(canonicalJson(partition.state)).toBe(canonicalJson(whole.state));
      }),
      { numRuns: 80, ...WITHIN },
    );
  });
});

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
