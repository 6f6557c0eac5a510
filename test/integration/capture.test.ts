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

it('a run captured from Kafka replays from the file to the same commands', { timeout: 240_000 }, async () => {
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

  const killed = live.find(({ action }) => action === 'kill')!;
  await explainsLive(killed);

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

/** The session of a command, from the topic, by the command and by its name; and how it stands in Redis. */
async function explainsLive({ id, session = '', rule, evidence }: Command): Promise<void> {
  const { flags, folder } = deployment;
  const [kafka, redis] = [flags.slice(0, 4), flags.slice(6)];
  const told = await deployment.cli('explain', '--command', id, ...kafka, '--json');
  expect(told.code, told.out).toBe(0);
  const stops = JSON.parse(told.out).stops as {
    command: string;
    rule: { id: string };
    evidence: unknown;
    steps: object;
  }[];
  expect(stops.find(({ command }) => command === id)).toMatchObject({ rule: { id: rule }, evidence });
  const byName = await deployment.cli('explain', session, ...kafka, '--rules', folder);
  expect(byName).toMatchObject({
    code: 0,
    out: expect.stringMatching(/where +\S+actions\/\d:\d+ to \d+, \d+ actions/),
  });

  const kept = await deployment.cli('explain', session, '--kept', ...kafka, ...redis);
  expect(kept).toMatchObject({ code: 0, out: expect.stringContaining(`session ${session}: killed\n`) });
  const other = `${session.slice(0, -1)}1`;
  const standing = await deployment.cli('explain', other, '--kept', ...redis, '--rules', folder, '--json');
  expect(JSON.parse(standing.out).rules[0]).toMatchObject({ rule: { id: rule }, bounds: expect.anything() });

  const absent = await deployment.cli('explain', 'session-6-1', ...kafka);
  expect(absent).toMatchObject({ code: 1, out: expect.stringContaining('session "session-6-1": not in ') });
  const noCommand = await deployment.cli('explain', '--command', `${id.slice(0, -1)}x`, ...kafka);
  expect(noCommand).toMatchObject({ code: 1, out: expect.stringContaining(`did you mean "${id}"?`) });
  const unkept = await deployment.cli('explain', 'session-6-1', '--kept', ...redis);
  expect(unkept).toMatchObject({ code: 1, out: expect.stringContaining('nothing is known of it') });
}
