import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { ORDERS_MAX } from '../../src/domain/decision.ts';
import { formatInstant } from '../../src/domain/instant.ts';
import type { Output } from '../../src/domain/output.ts';
import type { LogRecord } from '../../src/domain/record.ts';
import { Partition } from '../../src/engine/partition.ts';
import { PartitionState } from '../../src/engine/partition-state.ts';
import { decodeSession, encodeSession, readSessionHeader } from '../../src/engine/session/codec.ts';
import { crowdOf } from '../../src/engine/session/crowd-id.ts';
import { needs, step } from '../../src/engine/step.ts';
import { baselineOf, intentOf, planWith } from './evidence/lessons.ts';
import { findingsOf, Log, planOf, START_MS } from './harness.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const RULE = { when: { watch: 'n > 1', pause: 'n > 2', kill: 'n > 5' } };
const TWO = { newSessionsPerMinute: 2 };
const SCOPE = { type: 'agent', id: 'agent-1' } as const;
const CROWD = crowdOf('agent-1');

/** One action of each session, a second apart from `atMs` on. */
function open(log: Log, sessions: readonly string[], atMs = 0): Output[] {
  return sessions.flatMap((session, i) => log.act(atMs + i * SECOND, { session }));
}

function toldOf(outputs: readonly Output[]): string[] {
  return outputs.flatMap((output) =>
    output.topic === 'commands' ? [`${output.command.action} ${output.command.session ?? output.command.scope}`] : [],
  );
}

describe('sessions that an agent begins faster than the policy lets in', () => {
  it('are judged together, and what they add up to pauses the agent', () => {
    const log = new Log(planOf([RULE], TWO));
    const outputs = open(log, ['a', 'b', 'c', 'd', 'e', 'f']);
    expect(toldOf(outputs)).toEqual(['pause agent:agent-1']);
    expect([...log.partition.sessions.keys()]).toEqual(['a', 'b', CROWD]);
    expect(findingsOf(outputs)).toEqual(['sessions_crowded', 'level_changed', 'level_changed', 'order_in_force']);
    const [command] = outputs.flatMap((output) => (output.topic === 'commands' ? [output.command] : []));
    expect(command).toMatchObject({ rule: 'test-rule', score: 3, measures: { n: 3 }, agent: { id: 'agent-1' } });
    expect(command!.evidence).toHaveLength(3);
    expect([command!.session, command!.by]).toEqual([undefined, undefined]);
    expect(log.partition.state.orders).toMatchObject([{ scope: SCOPE, kind: 'pause', command: command!.id }]);
    expect([log.partition.state.crowded, log.partition.state.accounting.judged]).toEqual([4, 6]);
  });

  it('bring what the agent has known sessions for under the order', () => {
    const log = new Log(planOf([RULE], TWO));
    open(log, ['a', 'b', 'c', 'd', 'e']);
    expect(toldOf(log.act(10 * SECOND, { session: 'a' }))).toEqual(['pause a']);
    expect(toldOf(log.act(11 * SECOND, { session: 'x', agent: { id: 'agent-2' } }))).toEqual([]);
  });

  it('are let in one by one when the minute is over; those that are known always were', () => {
    const log = new Log(planOf([{ when: { kill: 'n > 99' } }], TWO));
    open(log, ['a', 'b', 'c', 'a', 'b']);
    open(log, ['c', 'd', 'e'], MINUTE);
    const counted = [...log.partition.sessions.values()].map(({ id, actions }) => `${id} ${actions}`);
    expect(counted).toEqual(['a 2', 'b 2', `${CROWD} 2`, 'c 1', 'd 1']);
  });

  it('are counted for each agent', () => {
    const log = new Log(planOf([RULE], TWO));
    for (let i = 0; i < 12; i++) log.act(i * SECOND, { session: `s-${i}`, agent: { id: `agent-${i % 6}` } });
    expect(log.partition.crowds.size).toBe(0);
  });

  it('are judged together wherever a partition holds as many as it may, by agent', () => {
    const log = new Log(planOf([{ when: { kill: 'n > 99' } }], { sessionsMax: 2 }));
    for (const [i, agent] of ['agent-1', 'agent-2', 'agent-3', 'agent-3'].entries())
      log.act(i * MINUTE, { session: `s-${i}`, agent: { id: agent } });
    expect([...log.partition.sessions.keys()]).toEqual(['s-0', 's-1', crowdOf('agent-3')]);
  });

  it('are paused where one of them would be killed: so wide a kill needs a person', () => {
    const log = new Log(planOf([{ when: { kill: 'n > 2' } }], TWO));
    expect(toldOf(open(log, ['a', 'b', 'c', 'd', 'e', 'f', 'g']))).toEqual(['pause agent:agent-1']);
    expect(log.partition.state.orders).toMatchObject([{ kind: 'kill' }]);
    expect(log.level(CROWD)).toBe('paused');
  });

  it('go on when a person lifts the order, and are counted anew', () => {
    const log = new Log(planOf([RULE], TWO));
    open(log, ['a', 'b', 'c', 'd', 'e']);
    log.act(6 * SECOND, { session: 'a' });
    const lifted = log.decide(7 * SECOND, { kind: 'lift', scope: SCOPE });
    expect(toldOf(lifted)).toEqual(['resume agent:agent-1', 'resume a']);
    expect([log.partition.holds(CROWD), log.partition.crowds.size, log.partition.ordered.size]).toEqual([false, 0, 0]);
    expect(toldOf(open(log, ['f', 'g'], 8 * SECOND))).toEqual([]);
    expect(toldOf(open(log, ['h'], 10 * SECOND))).toEqual(['pause agent:agent-1']);
  });

  it('come under an order that stands already, without a second one', () => {
    const log = new Log(planOf([RULE], TWO));
    log.decide(0, { kind: 'pause', scope: SCOPE });
    expect(toldOf(open(log, ['a', 'b', 'c', 'd', 'e', 'f']))).toEqual(['pause a', 'pause b']);
    expect(log.partition.state.orders).toHaveLength(1);
  });

  it('pause the agent also where the partition holds as many orders as it may', () => {
    const log = new Log(planOf([RULE], TWO));
    for (let i = 0; i < ORDERS_MAX; i++) log.decide(0, { kind: 'pause', scope: { type: 'tenant', id: `t-${i}` } });
    const outputs = open(log, ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    expect(toldOf(outputs)).toEqual(['pause agent:agent-1']);
    const critical = outputs.flatMap((one) =>
      one.topic === 'findings' && one.finding.severity === 'critical' ? [one.finding.code] : [],
    );
    expect(critical).toEqual(['order_in_force']);
    log.decide(MINUTE, { kind: 'lift', scope: { type: 'tenant', id: 't-0' } });
    log.decide(MINUTE, { kind: 'pause', scope: SCOPE });
    log.act(MINUTE + 1, { session: 'h' });
    log.act(MINUTE + 2, { session: 'i' });
    log.act(MINUTE + 3, { session: 'j' });
    log.decide(MINUTE + 4, { kind: 'lift', scope: SCOPE });
    expect(log.partition.holds(CROWD)).toBe(false);
  });

  it('name none of another agent', () => {
    const log = new Log(planOf([RULE], TWO));
    expect(toldOf(open(log, [crowdOf('agent-2'), crowdOf('agent-2'), crowdOf('agent-2')]))).toEqual([
      'pause agent:agent-1',
    ]);
    expect([...log.partition.sessions.keys()]).toEqual([CROWD]);
  });

  it('are not decided about as one session', () => {
    const log = new Log(planOf([RULE], TWO));
    open(log, ['a', 'b', 'c']);
    const outputs = log.decide(MINUTE, { kind: 'kill', session: CROWD });
    expect(outputs.flatMap((one) => (one.topic === 'findings' ? [one.finding.refusal] : []))).toEqual(['crowd']);
    expect(log.level(CROWD)).toBe('clear');
  });
});

const happening = fc.record({
  afterMs: fc.constantFrom(0, 100, 5 * SECOND, 20 * SECOND, 3 * MINUTE),
  agent: fc.nat({ max: 2 }),
  session: fc.nat({ max: 30 }),
  what: fc.constantFrom('act', 'act', 'act', 'act', 'act', 'act', 'tick', 'lift'),
  cut: fc.boolean(),
});

describe('the choice between a session and its crowd', () => {
  it('is a matter of the log alone: any cut into batches with a load from bytes in between gives the same', () => {
    let crowded = 0;
    let lifted = 0;
    fc.assert(
      fc.property(fc.array(happening, { minLength: 1, maxLength: 120, size: 'max' }), (happenings) => {
        const plan = planOf([RULE], {
          ...TWO,
          sessionsMax: 20,
          idleEndMs: 2 * MINUTE,
          killMarkMs: 5 * MINUTE,
          delayMs: MINUTE,
        });
        const log = recordsOf(happenings);
        const whole = new Partition('t', 0);
        whole.judgeUnder(plan);
        const wanted = log.map((record) => said(step(whole, record)));
        crowded += whole.state.crowded;
        lifted += wanted.flat().filter((one) => one.includes('"order_lifted"')).length;

        let bytes = new Map<string, Uint8Array>();
        let partition = new Partition('t', 0);
        partition.judgeUnder(plan);
        const found = log.map((record, i) => {
          for (const id of needs(partition, [record]).sessions) partition.adopt(decodeSession(id, bytes.get(id)!));
          const outputs = said(step(partition, record));
          if (!happenings[i]!.cut) return outputs;
          bytes = saved(partition, bytes);
          const state = PartitionState.parse(JSON.parse(canonicalJson(partition.state)));
          partition = new Partition('t', 0, state);
          for (const [id, one] of bytes) partition.expect(id, readSessionHeader(one));
          partition.judgeUnder(plan);
          return outputs;
        });
        expect(found).toEqual(wanted);
        expect(canonicalJson(partition.state)).toBe(canonicalJson(whole.state));
        expect(hexOf(saved(partition, bytes))).toEqual(hexOf(saved(whole, new Map())));
      }),
      { numRuns: 100 },
    );
    expect(crowded).toBeGreaterThan(0);
    expect(lifted).toBeGreaterThan(0);
  });
});

function recordsOf(
  happenings: readonly { afterMs: number; agent: number; session: number; what: string }[],
): LogRecord[] {
  let appendMs = START_MS;
  return happenings.map(({ afterMs, agent, session, what }, offset): LogRecord => {
    appendMs += afterMs;
    const scope = { type: 'agent', id: `agent-${agent}` } as const;
    if (what === 'tick') return { offset, appendMs, body: { type: 'tick' } };
    if (what === 'lift') {
      const decision = { id: `d-${offset}`, kind: 'lift', scope, by: { id: 'kim' } } as const;
      return { offset, appendMs, body: { type: 'decision', decision } };
    }
    const about = {
      id: `e-${offset}`,
      time: formatInstant(appendMs),
      session: `s-${session}`,
      agent: { id: scope.id },
    };
    return {
      offset,
      appendMs,
      body: { type: 'action', event: { ...about, tool: 't', action: 'delete', outcome: 'ok' } },
    };
  });
}

function said(outputs: readonly Output[]): string[] {
  return outputs.map((output) => canonicalJson(output));
}

function saved(partition: Partition, before: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  const bytes = new Map(before);
  for (const [id, one] of partition.takeChanges()) {
    if (one === null) bytes.delete(id);
    else bytes.set(id, one);
  }
  for (const session of partition.sessions.values()) bytes.set(session.id, encodeSession(session));
  return bytes;
}

function hexOf(bytes: ReadonlyMap<string, Uint8Array>): [string, string][] {
  return [...bytes].map(([id, one]): [string, string] => [id, Buffer.from(one).toString('hex')]).sort();
}

describe('an agent all of whose sessions are one crowd', () => {
  const DELETING = intentOf({});
  const all = (count: number, log: Log, agent = 'agent-1'): Output[] =>
    Array.from({ length: count }, (_, i) =>
      log.act(i * MINUTE, { session: crowdOf(agent), agent: { id: agent }, rootSession: `s-${i % 7}` }),
    ).flat();

  it('is judged by what was learned of crowds, and paused whole until somebody lifts it', () => {
    const log = new Log(planWith([DELETING], baselineOf([DELETING], { of: 'crowds' })));
    const outputs = all(30, log);
    expect(toldOf(outputs)).toEqual(['pause agent:agent-1']);
    expect(findingsOf(outputs)).not.toContain('sessions_crowded');
    const [command] = outputs.flatMap((output) => (output.topic === 'commands' ? [output.command] : []));
    expect(command).toMatchObject({ rule: 'deleting', scope: 'agent:agent-1', evidence: expect.anything() });
    const evidence = () => log.partition.sessions.get(CROWD)?.intents?.evidence.highest ?? 0;
    expect(evidence()).toBeGreaterThan(4);
    log.decide(31 * MINUTE, { kind: 'lift', scope: SCOPE });
    log.act(32 * MINUTE, { session: CROWD, action: 'read' });
    expect([log.level(CROWD), evidence()]).toEqual(['clear', 0]);
  });

  it('is not judged by what was learned of sessions, nor a session by what was learned of crowds', () => {
    const bySessions = new Log(planWith([DELETING]));
    expect([toldOf(all(30, bySessions)), bySessions.level(CROWD)]).toEqual([[], 'clear']);
    const byCrowds = new Log(planWith([DELETING], baselineOf([DELETING], { of: 'crowds' })));
    for (let i = 0; i < 30; i++) byCrowds.act(i * MINUTE, { session: 's-1' });
    expect(byCrowds.level('s-1')).toBe('clear');
  });

  it('is judged by rules over the sum as well', () => {
    const log = new Log(planOf([RULE]));
    expect(toldOf(all(6, log))).toEqual(['pause agent:agent-1']);
    expect(toldOf(all(2, log, 'agent-2'))).toEqual([]);
  });
});
