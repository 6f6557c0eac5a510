import { describe, expect, it } from 'vitest';
import { minimalForm } from '../../src/adapters/kafka/minimal-form.ts';
import { QUARANTINED_VALUE_MAX, toWire } from '../../src/adapters/wire.ts';
import { generateKeyPair } from '../../src/app/keys.ts';
import { Command } from '../../src/domain/command.ts';
import { Finding } from '../../src/domain/finding.ts';
import type { Output, OwnerRecord } from '../../src/domain/output.ts';
import { commandSignatureFault, keyringOf, publicJwkOf, signingKeyOf } from '../../src/formats/signature.ts';
import { command, commandOutput, findingOutput } from '../contracts/outlet.ts';

const jwk = generateKeyPair();
const options = {
  topicPrefix: 'firebreak.',
  source: '/firebreak/test',
  expireAfterMs: 60_000,
  nowMs: Date.UTC(2026, 10, 23, 7),
  attempt: 2,
};
const position = { topicId: 't', partition: 1, offset: '41' };

function one(output: Output, more = {}) {
  const messages = toWire(output, { ...options, ...more });
  expect(messages).toHaveLength(1);
  return messages[0]!;
}

function quarantined(value: Uint8Array | null): Output {
  const raw = { offset: 41, appendMs: 1, key: Buffer.from([255, 0]), value, headers: { own: Buffer.from([1, 2]) } };
  return { topic: 'quarantine', key: raw.key, raw, refusal: 'not_json', reason: 'value is not JSON', position };
}

describe('wire form', () => {
  it.each([
    ['pause', '2026-11-23T07:01:00.000Z'],
    ['resume', '2026-11-23T07:01:00.000Z'],
    ['kill', undefined],
  ] as const)('of a %s', (action, expires) => {
    const { topic, key, value, headers, partition } = one(commandOutput('c1', action));
    expect({ topic, partition, key: key?.toString() }).toEqual({ topic: 'firebreak.commands', key: 's-1' });
    expect(JSON.parse(value!.toString())).toEqual(command('c1', action));
    expect(headers).toEqual({
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: 'c1',
      ce_type: `dev.firebreak.session.${action}.requested.v1`,
      ce_source: '/firebreak/test',
      ce_subject: 's-1',
      ce_time: '2026-11-23T06:00:00.000Z',
      attempt: '2',
      ...(expires === undefined ? {} : { expires }),
    });
  });

  it('of a command tells attempt and expiry in headers only', () => {
    const later = one(commandOutput('c1', 'pause'), { nowMs: options.nowMs + 5000, attempt: 9 });
    expect(later.value).toEqual(one(commandOutput('c1', 'pause')).value);
  });

  it('of a signed command verifies and names the key', () => {
    const { value, headers } = one(commandOutput('c1', 'kill'), { signingKey: signingKeyOf(jwk) });
    const read = Command.parse(JSON.parse(value!.toString()));
    const claim = { kid: String(headers['fb-key']), appendMs: options.nowMs };
    const keyring = keyringOf([publicJwkOf(jwk)]);
    expect(commandSignatureFault(read, claim, keyring)).toBeUndefined();
    expect(commandSignatureFault({ ...read, session: 's-2' }, claim, keyring)).toMatch(/does not fit the command/);
  });

  it('of a finding', () => {
    const { topic, key, headers } = one(findingOutput('f1'));
    expect({ topic, key: key?.toString() }).toEqual({ topic: 'firebreak.findings', key: 's-1' });
    expect(headers).toMatchObject({ ce_id: 'f1', ce_type: 'dev.firebreak.finding.v1', ce_subject: 's-1' });
  });

  it.each([
    ['paused', ['s-1']],
    ['killed', ['s-1', 's-1#killed']],
  ] as const)('of a verdict %s is found under %j', (level, keys) => {
    const verdict = { session: 's-1', level, command: 'c1', rule: 'r', time: '2026-11-23T06:00:00.000Z', position };
    const messages = toWire({ topic: 'verdicts', key: 's-1', verdict }, options);
    expect(messages.map(({ key }) => key?.toString())).toEqual(keys);
    for (const { value } of messages) expect(JSON.parse(value!.toString())).toEqual(verdict);
  });

  it('of a lease', () => {
    const lease = { partition: 1, partitions: 4, processedThrough: '2026-11-23T06:00:00.000Z', position };
    const { key, headers } = one({ topic: 'leases', key: '1', lease });
    expect(key?.toString()).toBe('1');
    expect(headers).toMatchObject({ ce_id: 't/1/41', ce_type: 'dev.firebreak.lease.v1' });
  });

  it('of a quarantined record is the record, with the reason in headers', () => {
    const value = Buffer.from([0, 255, 254]);
    const message = one(quarantined(value));
    expect(message).toEqual({
      topic: 'firebreak.quarantine',
      key: Buffer.from([255, 0]),
      value,
      headers: {
        own: Buffer.from([1, 2]),
        '__connect.errors.topic': 'firebreak.actions',
        '__connect.errors.partition': '1',
        '__connect.errors.offset': '41',
        '__connect.errors.stage': 'VALUE_CONVERTER',
        '__connect.errors.class.name': 'not_json',
        '__connect.errors.exception.message': 'value is not JSON',
      },
    });
    expect(one(quarantined(null)).value).toBeNull();
  });

  it('of a quarantined record that is too large is cut, and says so', () => {
    const { value, headers } = one(quarantined(Buffer.alloc(QUARANTINED_VALUE_MAX + 1)));
    expect(value).toHaveLength(QUARANTINED_VALUE_MAX);
    expect(headers['firebreak.dlq.cut']).toContain(`from ${QUARANTINED_VALUE_MAX + 1}`);
    expect(one(quarantined(Buffer.alloc(QUARANTINED_VALUE_MAX))).headers).not.toHaveProperty('firebreak.dlq.cut');
  });
});

describe('minimal form', () => {
  it('of a command is a valid command with the same ids and order, and small', () => {
    const step = { eventId: 'e'.repeat(200), time: 't', tool: 'x', contribution: 1 };
    const full = commandOutput('c1', 'kill', {
      evidence: Array(400).fill(step),
      evidenceOmitted: 7,
      reason: 'y'.repeat(9999),
    });
    const minimal = minimalForm(full);
    if (minimal?.topic !== 'commands') throw new Error('no command');
    const read = Command.parse(minimal.command);
    expect(read).toMatchObject({ id: 'c1', action: 'kill', session: 's-1', evidenceOmitted: 407, position });
    expect(minimal.key).toBe('s-1');
    expect(JSON.stringify(read).length).toBeLessThan(1000);
  });

  it('of a finding is a valid finding', () => {
    const minimal = minimalForm(findingOutput('f1', 'y'.repeat(9999)));
    if (minimal?.topic !== 'findings') throw new Error('no finding');
    expect(Finding.parse(minimal.finding)).toMatchObject({ id: 'f1', code: 'level_changed', session: 's-1' });
    expect(JSON.stringify(minimal).length).toBeLessThan(1000);
  });

  it('of a quarantined record is its digest and size', () => {
    const minimal = minimalForm(quarantined(Buffer.from('abc')))!;
    const { key, value, headers } = one(minimal);
    expect({ key, value }).toEqual({ key: null, value: null });
    expect(headers).toMatchObject({
      'firebreak.dlq.digest': 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      'firebreak.dlq.size': '3',
      '__connect.errors.offset': '41',
    });
  });

  it('of a record that would mean something else does not exist', () => {
    const record: OwnerRecord = { type: 'state.restated.v1', body: { clockMs: 1, orders: [] } };
    expect(minimalForm({ topic: 'actions', key: 'fb:1', partition: 1, record })).toBeUndefined();
  });
});
