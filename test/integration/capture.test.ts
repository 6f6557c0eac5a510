import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PartitionClient } from '../../src/adapters/kafka/partition-client.ts';
import { readRanges, wholeTopic } from '../../src/adapters/kafka/range-reader.ts';
import { Command } from '../../src/domain/command.ts';
import { commandSignatureFault } from '../../src/formats/signature.ts';
import { type Deployment, deploy } from './deployment.ts';
import { RULES, traffic } from './traffic.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await deploy({ partitions: 4, rules: RULES });
}, 120_000);
afterAll(async () => deployment?.close());

it('a run captured from Kafka replays from the file to the same commands', { timeout: 120_000 }, async () => {
  const { kafka, prefix, folder, keys, flags } = deployment;
  const analyzer = await deployment.run();
  await deployment.produce(traffic({ sessions: 60, events: 20_000, seed: 5, startMs: Date.now() }));
  await deployment.produce([{ key: 'broken', value: 'not JSON' }]);
  await deployment.settled();
  expect(await analyzer.stop()).toBe(0);

  const client = new PartitionClient(kafka);
  const live: Command[] = [];
  const topic = `${prefix}commands`;
  for await (const { record } of readRanges(client, topic, await wholeTopic(client, topic))) {
    const command = Command.parse(JSON.parse(String(record.value)));
    live.push(command);
    const claim = { kid: String(record.headers['fb-key']), appendMs: record.appendMs };
    expect(commandSignatureFault(command, claim, keys.keyring)).toBeUndefined();
  }
  await client.close();
  expect(live.length).toBeGreaterThan(20);

  const file = join(folder, 'run.ndjson.gz');
  const captured = await deployment.cli('capture', ...flags.slice(0, 4), '--out', file);
  expect(captured).toMatchObject({ code: 0 });
  expect(
    gunzipSync(await readFile(file))
      .toString()
      .split('\n').length,
  ).toBeGreaterThan(8000);
  const out = join(folder, 'commands.ndjson');
  const replayed = await deployment.cli('replay', file, '--out', out);
  expect(replayed).toMatchObject({ code: 0 });
  const lines = (await readFile(out, 'utf8')).trim().split('\n');
  const again = lines.map((line) => Command.parse(JSON.parse(line)));
  const byId = (commands: Command[]) => commands.sort((a, b) => (a.id < b.id ? -1 : 1));
  // The signature is the publisher's; all else is the decision.
  expect(byId(again)).toEqual(byId(live.map(({ signature: _, ...decision }) => decision)));
});
