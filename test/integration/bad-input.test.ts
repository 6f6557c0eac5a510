import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '../../src/adapters/kafka/client.ts';
import { PartitionClient } from '../../src/adapters/kafka/partition-client.ts';
import { readRanges, wholeTopic } from '../../src/adapters/kafka/range-reader.ts';
import type { RawRecord } from '../../src/domain/record.ts';
import { quiet } from '../adapters/kafka/log-under-test.ts';
import { produceZstd } from '../services/java-producer.ts';
import { sharedKafka } from '../services/shared.ts';
import { type Analyzer, type Deployment, deploy, metricsOf } from './deployment.ts';
import { RULES } from './traffic.ts';

const { brokers, version } = await sharedKafka();
const kafka = createKafka({ brokers, clientId: 'test', logger: quiet });

async function recordsOf(topic: string): Promise<RawRecord[]> {
  const client = new PartitionClient(kafka);
  const found: RawRecord[] = [];
  for await (const { record } of readRanges(client, topic, await wholeTopic(client, topic))) found.push(record);
  await client.close();
  return found;
}

let count = 0;
function event(session: string, more: Record<string, unknown> = {}) {
  const id = `event-${count++}`;
  const time = new Date().toISOString();
  return { id, time, session, agent: { id: 'a' }, tool: 't', action: 'delete', outcome: 'ok', ...more };
}

function message(session: string, more: Record<string, unknown> = {}) {
  return { key: session, value: JSON.stringify(event(session, more)) };
}

describe('bad input on a topic made by init', () => {
  let deployment: Deployment;
  let analyzer: Analyzer;
  beforeAll(async () => {
    deployment = await deploy({ partitions: 2, rules: RULES });
    analyzer = await deployment.run();
  }, 120_000);
  afterAll(async () => deployment?.close());

  it('is refused by the broker when it is larger than a record may be', async () => {
    const value = 'x'.repeat(600 * 1024);
    await expect(deployment.produce([{ key: 's', value }])).rejects.toThrow(/larger than the max|too large/i);
  });

  it('a zstd batch is judged: the broker stores it uncompressed', { timeout: 120_000 }, async () => {
    const lines = Array.from({ length: 100 }, () => `zstd-session\t${JSON.stringify(event('zstd-session'))}`);
    await produceZstd({ brokers, version, topic: `${deployment.prefix}actions` }, lines);
    await deployment.settled();
    expect((await deployment.commandIds()).distinct).toHaveLength(1); // a pause at the 81st deletion
  });

  it('is quarantined or found, counted and visible, and the partition goes on', { timeout: 60_000 }, async () => {
    const reused = { id: 'reused' };
    const { session: _, ...homeless } = event('x');
    const unusable = [
      { key: 'bad-1', value: 'not JSON at all' },
      { key: 'bad-2', value: JSON.stringify(homeless) },
      { key: 'bad-3', value: JSON.stringify(event('bad-3', { attributes: { text: 'y'.repeat(100 * 1024) } })) },
      message('default'),
      { key: 'another', value: JSON.stringify(event('bad-4')) },
      { key: 'bad-5', value: null },
    ];
    await deployment.produce([
      ...unusable,
      message('odd', { ...reused, resource: { id: 'one' } }),
      message('odd', { ...reused, resource: { id: 'two' } }),
      message('odd', { affected: -1 }),
      ...Array.from({ length: 85 }, () => message('after-all')),
    ]);
    await deployment.settled();

    const quarantined = await recordsOf(`${deployment.prefix}quarantine`);
    const original = (record: RawRecord) => [String(record.key), record.value === null ? null : String(record.value)];
    expect(quarantined.map(original).sort()).toEqual(unusable.map(({ key, value }) => [key, value]).sort());
    const reasons = Object.fromEntries(
      quarantined.map(({ key, headers }) => [String(key), String(headers['__connect.errors.class.name'])]),
    );
    expect(reasons).toEqual({
      'bad-1': 'not_json',
      'bad-2': 'invalid_event',
      'bad-3': 'too_large',
      'bad-5': 'not_json',
      default: 'placeholder_session',
      another: 'key_mismatch',
    });
    for (const { headers } of quarantined) {
      expect(String(headers['__connect.errors.topic'])).toBe(`${deployment.prefix}actions`);
      expect(String(headers['__connect.errors.exception.message'])).not.toBe('');
    }
    const findings = (await recordsOf(`${deployment.prefix}findings`)).map(({ value }) => JSON.parse(String(value)));
    const ofOdd = findings.filter(({ session }) => session === 'odd').map(({ code }) => code);
    expect(ofOdd.sort()).toEqual(['event_id_reused', 'invalid_affected']);
    const metrics = await metricsOf(analyzer);
    expect(metrics).toContain('firebreak_refused_total{reason="not_json"} 2');
    expect(metrics).toContain('firebreak_refused_total{reason="placeholder_session"} 1');
    expect(metrics).toContain('firebreak_findings_total{code="event_id_reused"} 1');
    expect(metrics).toContain('firebreak_findings_total{code="invalid_affected"} 1');
    const after = await deployment.commandIds();
    expect(after.distinct).toHaveLength(2); // the session behind the bad records is judged: 85 deletions
  });

  it('firebreak show prints the state of a session', async () => {
    const redis = deployment.flags.slice(-2);
    const { code, out } = await deployment.cli('show', 'after-all', '--kept', ...redis);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ session: 'after-all', level: 'paused', actions: 85 });
    expect(await deployment.cli('show', 'nobody', '--kept', ...redis)).toMatchObject({ code: 1 });
  });

  it('/readyz and /livez answer, and SIGTERM ends with 0', async () => {
    for (const path of ['livez', 'readyz']) {
      expect((await fetch(`http://127.0.0.1:${analyzer.httpPort}/${path}`)).status).toBe(200);
    }
    expect(await analyzer.stop()).toBe(0);
  });
});

describe('a topic that init would have made otherwise', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await deploy({ partitions: 1, rules: RULES });
    const admin = kafka.admin();
    await admin.connect();
    const settings = {
      'max.message.bytes': '2097152',
      'compression.type': 'producer',
      'message.timestamp.type': 'CreateTime',
    };
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: `${deployment.prefix}actions`, configEntries }],
    });
    await admin.disconnect();
    await sleep(500);
  }, 120_000);
  afterAll(async () => deployment?.close());

  it('is refused at the start, with the commands that mend it', { timeout: 60_000 }, async () => {
    const { code, out } = await deployment.cli('run', ...deployment.flags, '--http-port', '0');
    expect(code).toBe(1);
    for (const setting of [
      'max.message.bytes=524288',
      'compression.type=uncompressed',
      'message.timestamp.type=LogAppendTime',
    ]) {
      expect(out).toContain(`--entity-name ${deployment.prefix}actions --add-config ${setting}`);
    }
  });

  it('with --allow-unsafe-topic a 600 KB record is quarantined, and a zstd batch ends the process with its name', {
    timeout: 120_000,
  }, async () => {
    const analyzer = await deployment.run('--allow-unsafe-topic');
    await deployment.produce([{ key: 'large', value: 'x'.repeat(600 * 1024) }, message('after')]);
    await deployment.settled();
    const quarantined = await recordsOf(`${deployment.prefix}quarantine`);
    expect(quarantined.map(({ key, value }) => [String(key), value?.length])).toEqual([['large', 600 * 1024]]);
    const lines = [`zstd\t${JSON.stringify(event('zstd'))}`];
    await produceZstd({ brokers, version, topic: `${deployment.prefix}actions` }, lines);
    expect(await analyzer.exited).toBe(1);
    expect(analyzer.log()).toContain('firebreak cannot go on');
    expect(analyzer.log()).toMatch(/ZSTD compression not implemented/);
  });
});
