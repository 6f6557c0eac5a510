import { expect, it } from 'vitest';
import { formatInstant } from '../../src/domain/instant.ts';
import type { Output } from '../../src/domain/output.ts';
import { SessionState } from '../../src/domain/session.ts';
import { isAbout } from '../../src/engine/orders.ts';
import { decodeSession, encodeSession } from '../../src/engine/session/codec.ts';
import { snapshotOf } from '../../src/engine/session/snapshot.ts';
import { Log, planOf, START_MS } from './harness.ts';

const MINUTE = 60_000;
const RULES = [{ id: 'deletes', match: { action: 'delete' }, within: '1h', when: { pause: 'n > 3', kill: 'n > 10' } }];
const SETTINGS = { answerWithinMs: 15 * MINUTE, acknowledgeWithinMs: MINUTE, decisionGraceMs: 30_000 };
const at = (ms: number) => formatInstant(START_MS + ms);

/** What is shown of `s-1` as a checkpoint keeps it. */
function shown({ partition }: Log) {
  const session = decodeSession('s-1', encodeSession(partition.find('s-1')!));
  const orders = partition.state.orders.filter((order) => isAbout(order, session));
  const snapshot = snapshotOf(session, orders);
  expect(SessionState.parse(snapshot)).toEqual(snapshot);
  return snapshot;
}

/** Paused by its fourth delete at 3 s, which is known to be out at 4 s. */
function paused(): { log: Log; outputs: Output[] } {
  const log = new Log(planOf(RULES, SETTINGS));
  const outputs = [0, 1, 2, 3].flatMap((n) => log.act(n * 1000, { tenant: 'corp' }));
  return { log, outputs: [...outputs, ...log.published(4000, outputs)] };
}

it('of a session that nothing was said of shows no standing', () => {
  const log = new Log(planOf(RULES, SETTINGS));
  log.act(0);
  expect(shown(log)).toMatchObject({ level: 'clear', orders: [] });
  expect(shown(log)).not.toHaveProperty('standing');
});

it('of a paused session shows the request as people see it, until when they may answer, and the command', () => {
  const { log, outputs } = paused();
  const due = outputs.flatMap((output) => (output.topic === 'findings' ? [output.finding] : [])).at(-1)!;
  const { command, view } = log.request;
  expect(shown(log).standing).toEqual({
    pause: {
      rule: 'deletes',
      view,
      request: due.request,
      remind: at(10 * MINUTE + 4000),
      kill: at(15.5 * MINUTE + 4000),
    },
    command: {
      ...{ id: command, caused: at(3000), published: at(4000), attempts: 1, classes: 1 },
      ...{ acknowledged: [], due: at(MINUTE + 4000), actionsAgainst: 0 },
    },
  });
});

it('of a released session shows how much of the grant is used', () => {
  const { log } = paused();
  log.decide(5000, { kind: 'release', grant: { marks: 5, minutes: 10 }, ...log.request });
  for (let n = 6; n < 8; n++) log.act(n * 1000);
  const { standing } = shown(log);
  expect(standing).not.toHaveProperty('pause');
  expect(standing!.release).toMatchObject({
    ...{
      command: standing!.command!.id,
      grant: { marks: 5, minutes: 10 },
      marksUsed: 2,
      until: at(10 * MINUTE + 5000),
    },
    conditions: [{ rule: 'deletes', condition: 'pause', score: 4, threshold: 3 }],
  });
});

it('of a killed session shows what became of the kill', () => {
  const { log } = paused();
  log.decide(5000, { kind: 'kill' });
  const kill = shown(log).standing!.command!.id;
  log.acknowledge(6000, kill, 'received');
  log.acknowledge(7000, kill, 'enforced');
  log.act(8000);
  expect(shown(log).standing).toEqual({
    command: {
      id: kill,
      caused: at(5000),
      attempts: 1,
      classes: 1,
      acknowledged: ['received', 'enforced'],
      actionsAgainst: 1,
    },
  });
});

it('shows the orders that are about it, and which one holds it', () => {
  const log = new Log(planOf(RULES, SETTINGS));
  log.act(0, { tenant: 'corp' });
  log.decide(MINUTE, { kind: 'pause', scope: { type: 'tenant', id: 'corp' }, reason: 'breach' });
  log.decide(MINUTE, { kind: 'pause', scope: { type: 'agent', id: 'another' } });
  expect(shown(log)).not.toHaveProperty('standing');
  const orders = [{ scope: { type: 'tenant', id: 'corp' }, by: { id: 'kim' }, reason: 'breach', kind: 'pause' }];
  expect(shown(log)).toMatchObject({ orders });
  log.act(2 * MINUTE, { tenant: 'corp' });
  expect(shown(log)).toMatchObject({ orders, standing: { order: 'tenant:corp' } });
  expect(shown(log).orders).toHaveLength(1);
});
