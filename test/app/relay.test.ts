import { pino } from 'pino';
import { expect, it } from 'vitest';
import { ManualClock } from '../../src/adapters/memory/clock.ts';
import { MemoryLog } from '../../src/adapters/memory/log.ts';
import { MemoryLogSource } from '../../src/adapters/memory/log-source.ts';
import { MemoryOutlet } from '../../src/adapters/memory/outlet.ts';
import { Stats } from '../../src/adapters/telemetry/stats.ts';
import { controlCopier } from '../../src/app/control-copies.ts';
import { generateKeyPair } from '../../src/app/keys.ts';
import { Relay } from '../../src/app/relay.ts';
import type { RelayedTopic } from '../../src/domain/output.ts';
import { partitionOf } from '../../src/domain/partitioner.ts';
import { TYPE_PREFIX } from '../../src/domain/record.ts';
import { decodeRecord } from '../../src/formats/log-record.ts';
import { keyringOf, publicJwkOf, type Role, signingKeyOf, signRecord } from '../../src/formats/signature.ts';

const PARTITIONS = 4;
const START_MS = Date.UTC(2026, 10, 27, 9);
const keyOf = (role: Role) => generateKeyPair([role]);
const keys = { owner: keyOf('owner'), enforcer: keyOf('enforcer'), decider: keyOf('decider') };
const keyring = keyringOf(Object.values(keys).map(publicJwkOf));
const ack = { id: 'own', command: 'c1', session: 's-1', status: 'enforced', enforcer: 'e' };
const release = { id: 'own', kind: 'release', session: 's-1', by: { id: 'kim' } };

/** A relay from a topic with one record, and what it put into the log and the quarantine. */
async function relayed(
  from: RelayedTopic,
  { type, body, by, key = 's-1' }: { type: string; body: object; by?: keyof typeof keys; key?: string },
) {
  const clock = new ManualClock(START_MS);
  const source = new MemoryLog({ topic: from, topicId: 'T', partitions: 1, clock });
  const log = new MemoryLog({ topic: 'actions', topicId: 'L', partitions: PARTITIONS, clock });
  const content = { type: TYPE_PREFIX + type, key: Buffer.from(key), value: Buffer.from(JSON.stringify(body)) };
  const headers = by === undefined ? {} : signRecord(content, signingKeyOf(keys[by]));
  source.append({ key: content.key, value: content.value, headers: { ce_type: content.type, ...headers } });
  const signingKey = signingKeyOf(keys.owner);
  const outlet = new MemoryOutlet({ log, clock, topicPrefix: '', source: '/t', expireAfterMs: 0, signingKey });
  const committed = new Map<number, number>();
  const stats = new Stats();
  const memory = { log: source, clock, committed };
  const once = async (failure?: Error) => {
    if (failure !== undefined) outlet.failNext(failure, 'after');
    const reader = new MemoryLogSource(memory);
    const logger = pino({ level: 'silent' });
    const copier = controlCopier({ from, outlet, keyring, partitions: PARTITIONS, logger });
    const relay = new Relay({ from, beginOf: ({ low }) => low, open: () => reader, copier, stats, clock, logger });
    const ended = relay.run();
    while (failure !== undefined && clock.sleepers === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1000);
    await reader.drained();
    await relay.stop();
    await ended;
  };
  await once();
  const copies = Array.from({ length: PARTITIONS }, (_, partition) =>
    log
      .slice(partition, 0, 10)
      .map((raw) => ({ partition, body: decodeRecord(raw, keyring, { partition, partitions: PARTITIONS }).body })),
  ).flat();
  const quarantined = outlet.outputs.filter(({ topic }) => topic === 'quarantine');
  return { copies, quarantined, committed, stats, once, log };
}

const origin = { partition: 0, offset: '0', at: '2026-11-27T09:00:00.000Z', id: 'own' };

it('copies an acknowledgement to the partition of its session, with an id from its position', async () => {
  const { copies, committed, stats } = await relayed('acks', {
    type: 'command.acknowledged.v1',
    body: ack,
    by: 'enforcer',
  });
  expect(copies).toEqual([
    {
      partition: partitionOf('s-1', PARTITIONS),
      body: {
        type: 'acknowledgement',
        acknowledgement: {
          ...ack,
          id: expect.stringMatching(/^acks-[0-9a-f]{32}$/),
          relayed: { from: 'acks', ...origin },
        },
      },
    },
  ]);
  expect([...committed]).toEqual([[0, 1]]);
  expect(stats.relayed.acks).toEqual({ copied: 1, refused: 0, failed: 0 });
});

it('copies a decision that names no session into every partition', async () => {
  const { session: _, ...order } = { ...release, kind: 'pause', scope: { type: 'tenant', id: 'corp' } };
  const { copies } = await relayed('decisions', { type: 'decision.v1', body: order, by: 'decider', key: 'fb:0' });
  expect(copies.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
  expect(new Set(copies.map(({ body }) => (body.type === 'decision' ? body.decision.id : body.type))).size).toBe(1);
});

it.each<[string, RelayedTopic, Parameters<typeof relayed>[1], string, RegExp]>([
  ['without a signature', 'acks', { type: 'command.acknowledged.v1', body: ack }, 'invalid_control', /missing/],
  [
    'signed by one who may only acknowledge',
    'decisions',
    { type: 'decision.v1', body: release, by: 'enforcer' },
    'invalid_control',
    /with role enforcer, allowed: decider, owner/,
  ],
  [
    'a decision among the acknowledgements',
    'acks',
    { type: 'decision.v1', body: release, by: 'decider' },
    'unknown_type',
    /found decision, allowed in acks: acknowledgement/,
  ],
  [
    'of another session than its key',
    'acks',
    { type: 'command.acknowledged.v1', body: ack, by: 'enforcer', key: 's-2' },
    'key_mismatch',
    /allowed: fb:PARTITION or the session s-1/,
  ],
  ['no event at all', 'acks', { type: 'tick.v1', body: {}, by: 'owner', key: 'fb:0' }, 'unknown_type', /found tick/],
])('quarantines a record %s', async (_, from, record, refusal, reason) => {
  const { copies, quarantined, stats } = await relayed(from, record);
  expect(copies).toEqual([]);
  expect(quarantined).toEqual([
    expect.objectContaining({ refusal, reason: expect.stringMatching(reason), from, position: expect.anything() }),
  ]);
  expect(stats.relayed[from]).toEqual({ copied: 0, refused: 1, failed: 0 });
});

it('repeats a copy whose answer was lost, with the same id; what is committed is not copied again', async () => {
  const { log, once, committed } = await relayed('acks', {
    type: 'command.acknowledged.v1',
    body: ack,
    by: 'enforcer',
  });
  await once();
  const partition = partitionOf('s-1', PARTITIONS);
  expect(log.slice(partition, 0, 10)).toHaveLength(1);
  committed.clear();
  await once(new Error('the answer was lost'));
  const copies = log.slice(partition, 0, 10).map(({ value }) => Buffer.from(value!).toString());
  expect(copies).toHaveLength(3);
  expect(new Set(copies).size).toBe(1);
});

it('begins anew when its topic cannot be read, and judging goes on meanwhile', async () => {
  const clock = new ManualClock(START_MS);
  const source = new MemoryLog({ topic: 'acks', topicId: 'T', partitions: 1, clock });
  const log = new MemoryLog({ topic: 'actions', topicId: 'L', partitions: PARTITIONS, clock });
  const outlet = new MemoryOutlet({ log, clock, topicPrefix: '', source: '/t', expireAfterMs: 0 });
  const stats = new Stats();
  const readers: MemoryLogSource[] = [];
  const open = () => {
    const reader = new MemoryLogSource({ log: source, clock });
    readers.push(reader);
    return reader;
  };
  const logger = pino({ level: 'silent' });
  const copier = controlCopier({ from: 'acks', outlet, keyring, partitions: PARTITIONS, logger });
  const relay = new Relay({ from: 'acks', beginOf: ({ low }) => low, open, copier, stats, clock, logger });
  const ended = relay.run();
  await readers[0]!.drained();
  readers[0]!.failNext(new Error('not authorized'));
  while (clock.sleepers === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(5000);
  expect(stats.relayed.acks.failed).toBe(1);
  await readers[1]!.drained();
  await relay.stop();
  await ended;
});
