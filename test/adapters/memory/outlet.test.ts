import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../../src/adapters/memory/log.ts';
import { type FailurePoint, MemoryOutlet } from '../../../src/adapters/memory/outlet.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { generateKeyPair } from '../../../src/app/keys.ts';
import { keyringOf, publicJwkOf, signingKeyOf } from '../../../src/formats/signature.ts';
import { findingOutput, outletContract } from '../../contracts/outlet.ts';

const jwk = generateKeyPair();

function made() {
  const log = new MemoryLog({ topic: 'firebreak.actions', topicId: 't', partitions: 4, clock: systemClock });
  const wire = { topicPrefix: 'firebreak.', source: '/firebreak/test', expireAfterMs: 60_000 };
  const outlet = new MemoryOutlet({ ...wire, log, clock: systemClock, signingKey: signingKeyOf(jwk) });
  return { log, outlet };
}

outletContract('memory', async () => {
  const { log, outlet } = made();
  return {
    outlet,
    keyring: keyringOf([publicJwkOf(jwk)]),
    published: async (topic) =>
      outlet.outputs.flatMap((output) => {
        if (output.topic !== topic) return [];
        return [
          output.topic === 'commands' ? output.command.id : output.topic === 'findings' ? output.finding.id : '?',
        ];
      }),
    log: async (partition) => log.slice(partition, 0, 100),
    close: () => outlet.close(),
  };
});

describe('told to fail', () => {
  it.each<[FailurePoint, number]>([
    ['before', 0],
    ['halfway', 2],
    ['after', 3],
  ])('%s writing', async (point, written) => {
    const { outlet } = made();
    outlet.failNext(new Error('told to'), point);
    const outputs = ['a', 'b', 'c'].map((id) => findingOutput(id));
    await expect(outlet.publish(outputs)).rejects.toThrow('told to');
    expect(outlet.outputs).toHaveLength(written);
    await outlet.publish(outputs);
    expect(outlet.outputs).toHaveLength(written + 3);
  });
});
