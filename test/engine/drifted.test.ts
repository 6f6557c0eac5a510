import { describe, expect, it } from 'vitest';
import type { Baseline } from '../../src/domain/baseline.ts';
import type { Output } from '../../src/domain/output.ts';
import { reachOf } from '../../src/domain/reach.ts';
import { Partition } from '../../src/engine/partition.ts';
import { baselineOf, intentOf, planWith } from './evidence/lessons.ts';
import { commandsOf, findingsOf, Log, START_MS } from './harness.ts';

const HOUR = 3_600_000;
const DELETING = intentOf({});
/** Half of the certifying sessions never deleted; the others reach up to 2 nats. */
const REACH = reachOf(Array.from({ length: 999 }, (_, i) => (i % 2 === 0 ? 0 : (i % 100) / 50)));

function logWith(changes: Partial<Baseline> = { reach: REACH }, hash = `sha256:${'a'.repeat(64)}`): Log {
  const log = new Log(planWith([DELETING], baselineOf([DELETING], changes), [], hash));
  activate(log, hash, 0);
  return log;
}

function activate(log: Log, hash: string, atMs: number): Output[] {
  return log.append(atMs, { type: 'policy', policy: { hash, chunks: 1, engine: 3 } });
}

/** Sessions one after another, an hour each: of one deletion and `reads` other actions. The last one is not over. */
function sessions(log: Log, count: number, deletes: number, from = 0): Output[] {
  return Array.from({ length: count }, (_, n) => {
    const session = `s-${from + n}`;
    const atMs = (from + n) * HOUR;
    return Array.from({ length: 12 }, (_, i) =>
      log.act(atMs + i * 60_000, { session, action: i < deletes ? 'delete' : 'read' }),
    ).flat();
  }).flat();
}

function driftOf(log: Log) {
  return log.partition.state.drift;
}

describe('drift', () => {
  it('is watched over finished sessions, by the end of their time or by a new life of the same session', () => {
    const log = logWith();
    sessions(log, 6, 0);
    log.tick(6 * HOUR);
    const counted = driftOf(log)!.sessions;
    expect(counted).toBeGreaterThan(0);
    log.act(6 * HOUR, { session: 's-5' });
    expect(driftOf(log)!.sessions).toBe(counted + 1);
    log.tick(40 * HOUR);
    expect(driftOf(log)!.sessions).toBe(7);
    expect(log.partition.state.finished).toBe(7);
  });

  it('is found once, when no session is as those before, and from then on evidence pauses where it would kill', () => {
    const log = logWith();
    const found = findingsOf(sessions(log, 120, 2)).filter((code) => code === 'baseline_drifted');
    expect(found).toEqual(['baseline_drifted']);
    const runaway = Array.from({ length: 40 }, (_, i) =>
      log.act(200 * HOUR + i * 120_000, { session: 'runaway' }),
    ).flat();
    expect(commandsOf(runaway)).toEqual(['pause runaway']);
    expect(JSON.stringify(runaway)).toContain('held at pause: the sessions of late are not as those that certify');
  });

  it('is not found in sessions that reach as far as they did: their evidence kills', () => {
    const log = logWith({ reach: reachOf(evidenceOf(0, 1)) });
    const outputs = Array.from({ length: 120 }, (_, n) => sessions(log, 1, n % 2, n)).flat();
    expect(findingsOf(outputs)).not.toContain('baseline_drifted');
    const runaway = Array.from({ length: 40 }, (_, i) =>
      log.act(200 * HOUR + i * 120_000, { session: 'runaway' }),
    ).flat();
    expect(commandsOf(runaway)).toContain('kill runaway');
  });

  it('begins again with another baseline, and leaves out sessions that began before it', () => {
    const log = logWith();
    sessions(log, 120, 2);
    expect(driftOf(log)).toMatchObject({ drifted: true });
    const hash = `sha256:${'b'.repeat(64)}`;
    const other = planWith([DELETING], baselineOf([DELETING], { reach: reachOf([1, 2, 3, 4, 5]) }), [], hash);
    log.partition.plans.set(hash, other);
    activate(log, hash, 120 * HOUR);
    expect(driftOf(log)).toMatchObject({ baseline: other.evidence!.hash, sessions: 0, drifted: false });
    log.tick(160 * HOUR);
    expect(driftOf(log)!.sessions).toBe(0);
  });

  it('runs over a quarter of the certifying sessions at most, then begins again', () => {
    const log = logWith({ reach: reachOf(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 0 : 9))) });
    sessions(log, 30, 0);
    log.tick(100 * HOUR);
    expect(driftOf(log)!.sessions).toBeLessThan(10);
  });

  it('leaves out sessions that were stopped', () => {
    const log = logWith();
    Array.from({ length: 40 }, (_, i) => log.act(i * 120_000, { session: 'runaway' }));
    expect(log.level('runaway')).toBe('killed');
    log.tick(2000 * HOUR);
    expect(driftOf(log)!.sessions).toBe(0);
  });

  it('is not watched under a baseline that does not say how far sessions reach', () => {
    const log = logWith({});
    sessions(log, 6, 2);
    expect(driftOf(log)).toBeUndefined();
  });

  it('goes on behind a rebuild that begins at what the owner said again', () => {
    const log = logWith();
    sessions(log, 120, 2);
    const { clockMs, policy, drift } = log.partition.state;
    const rebuilt = new Partition('topic-1', 0);
    for (const [hash, plan] of log.partition.plans) rebuilt.plans.set(hash, plan);
    const again = new Log(log.partition.plan!, rebuilt);
    again.append(clockMs - START_MS, { type: 'restated', restated: { clockMs, policy, orders: [], drift } });
    expect(driftOf(again)).toEqual(drift);
  });

  /** How far a session of so many deletions each reaches, many times. */
  function evidenceOf(...deletes: number[]): number[] {
    const reached = deletes.map((count) => {
      const log = logWith();
      sessions(log, 1, count);
      return log.partition.sessions.get('s-0')!.intents!.evidence.highest;
    });
    return Array.from({ length: 999 }, (_, i) => reached[i % reached.length]!);
  }
});
