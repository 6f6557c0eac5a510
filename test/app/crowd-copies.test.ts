import { expect, it } from 'vitest';
import { crowdCopier, crowdCopy } from '../../src/app/crowd-copies.ts';
import { generateKeyPair } from '../../src/app/keys.ts';
import type { ActionEvent } from '../../src/domain/event.ts';
import { NAME_MAX } from '../../src/domain/event.ts';
import { isActionEvent } from '../../src/domain/event-check.ts';
import { partitionOf } from '../../src/domain/partitioner.ts';
import type { RawRecord } from '../../src/domain/record.ts';
import { crowdOf } from '../../src/engine/session/crowd-id.ts';
import { ACTION_TYPE } from '../../src/formats/log-record.ts';
import { keyringOf, publicJwkOf, signingKeyOf, signRecord } from '../../src/formats/signature.ts';

const EVENT: ActionEvent = {
  id: 'e-1',
  time: '2026-01-05T09:00:00Z',
  source: 'gateway',
  seq: 7,
  session: 's-1',
  agent: { id: 'billing' },
  tool: 'pay',
  action: 'pay',
};

it('puts the event into the crowd of its agent, and names the session that it was', () => {
  expect(crowdCopy(EVENT)).toEqual({ ...EVENT, session: crowdOf('billing'), rootSession: 's-1' });
  expect(crowdCopy({ ...EVENT, rootSession: 'parent' }).rootSession).toBe('parent');
  expect(crowdCopy(crowdCopy(EVENT))).toEqual(crowdCopy(EVENT));
});

it('is an event that every reader takes, also of an agent whose name is as long as it may be', () => {
  const long = crowdCopy({ ...EVENT, agent: { id: 'x'.repeat(NAME_MAX) } });
  expect([isActionEvent(long), long.session.length]).toEqual([true, NAME_MAX]);
});

const gateway = generateKeyPair(['gateway']);
const keyring = keyringOf([publicJwkOf(gateway)]);

/** What the records of one partition become. */
async function copied(
  records: readonly RawRecord[],
  { partition = 0, partitions = 1, mustSign = new Set<string>() } = {},
) {
  const written: ActionEvent[] = [];
  const write = async (copies: readonly ActionEvent[]) => void written.push(...copies);
  const copier = crowdCopier({ partitions, keyring, mustSign, write });
  return { written, counts: await copier({ partition, topicId: 'T' }, records) };
}

function recordOf(offset: number, event: object, key = EVENT.session, headers: RawRecord['headers'] = {}): RawRecord {
  return { offset, appendMs: 0, key: Buffer.from(key), value: Buffer.from(JSON.stringify(event)), headers };
}

it('copies actions in order with their places, and leaves alone what the log itself refuses or is none', async () => {
  const tick = { ...recordOf(3, {}, 'fb:0'), headers: { ce_type: Buffer.from('dev.firebreak.tick.v1') } };
  const records = [
    recordOf(0, EVENT),
    recordOf(1, { ...EVENT, session: 'default' }, 'default'),
    recordOf(2, EVENT, 'another key'),
    tick,
    recordOf(9, { ...EVENT, id: 'e-2', session: 's-2' }, 's-2'),
  ];
  const { written, counts } = await copied(records);
  expect(written).toEqual([
    { ...crowdCopy(EVENT), origin: { log: 'T', partition: 0, offset: 0 } },
    { ...crowdCopy({ ...EVENT, id: 'e-2', session: 's-2' }), origin: { log: 'T', partition: 0, offset: 9 } },
  ]);
  expect(counts.copied).toBe(2);
});

it('copies nothing that came to a partition which is not its own', async () => {
  const partitions = 4;
  const home = partitionOf(Buffer.from('s-1'), partitions);
  expect((await copied([recordOf(0, EVENT)], { partitions, partition: home })).written).toHaveLength(1);
  const { written, counts } = await copied([recordOf(0, EVENT)], { partitions, partition: (home + 1) % partitions });
  expect([written, counts]).toEqual([[], { copied: 0, refused: 1 }]);
});

it('copies unsigned actions of no source that must sign', async () => {
  const mustSign = new Set(['gateway']);
  const value = Buffer.from(JSON.stringify(EVENT));
  const signed = signRecord({ type: ACTION_TYPE, key: Buffer.from('s-1'), value }, signingKeyOf(gateway));
  const { written, counts } = await copied([recordOf(0, EVENT), recordOf(1, EVENT, 's-1', signed)], { mustSign });
  expect([written.map(({ origin }) => origin?.offset), counts]).toEqual([[1], { copied: 1, refused: 1 }]);
});
