import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ActionEvent, isPlaceholderSession } from '../../src/domain/event.ts';
import { partitionOf } from '../../src/domain/partitioner.ts';
import type { RawRecord, RecordBody } from '../../src/domain/record.ts';
import { decodeRecord } from '../../src/formats/log-record.ts';
import {
  keyringOf,
  privateJwkOf,
  publicJwkOf,
  ROLES,
  type Role,
  signingKeyOf,
  signRecord,
} from '../../src/formats/signature.ts';
import { nearEvent } from '../domain/event-arbitrary.ts';

const event = {
  id: 'e-1',
  time: '2026-11-23T10:15:30Z',
  session: 's-1',
  agent: { id: 'a-1' },
  tool: 'delete_email',
  action: 'delete',
};

function raw(key: string | Uint8Array | null, value: unknown, headers: RawRecord['headers'] = {}): RawRecord {
  const bytes = value === null || value instanceof Uint8Array ? value : Buffer.from(text(value));
  return { offset: 7, appendMs: 1000, key: typeof key === 'string' ? Buffer.from(key) : key, value: bytes, headers };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function typed(type: string): RawRecord['headers'] {
  return { ce_type: `dev.firebreak.${type}` };
}

function outcome(body: RecordBody): string {
  return body.type === 'refused' ? body.refusal : body.type;
}

describe('decodeRecord: actions', () => {
  const sized = (bytes: number) => {
    const empty = JSON.stringify({ ...event, pad: '' }).length;
    return { ...event, pad: 'p'.repeat(bytes - empty) };
  };
  it.each<[string, RawRecord, string, RegExp?]>([
    ['a bare event', raw('s-1', event), 'action'],
    ['an event in binary mode', raw('s-1', event, typed('action.v1')), 'action'],
    ['a header as bytes', raw('s-1', event, { ce_type: Buffer.from('dev.firebreak.action.v1') }), 'action'],
    ['a structured event', raw('s-1', { specversion: '1.0', type: 'dev.firebreak.action.v1', data: event }), 'action'],
    ['a view into other bytes', raw('s-1', Buffer.from(`..${text(event)}..`).subarray(2, -2)), 'action'],
    ['65536 bytes', raw('s-1', sized(65_536)), 'action'],
    ['65537 bytes', raw('s-1', sized(65_537)), 'too_large', /^value: found 65537 bytes, allowed: at most 65536$/],
    ['100 KB that is no JSON', raw('s-1', 'x'.repeat(100_000)), 'too_large'],
    ['a tombstone', raw('s-1', null), 'not_json', /^no value$/],
    ['no JSON', raw('s-1', '{"id":'), 'not_json'],
    ['nothing', raw('s-1', ''), 'not_json'],
    ['a number', raw('s-1', '1e999'), 'invalid_event', /^value: found Infinity, allowed: an object$/],
    ['null', raw('s-1', 'null'), 'invalid_event'],
    ['a list', raw('s-1', [event]), 'invalid_event', /a list of 1/],
    [
      'no session',
      raw('s-1', { ...event, session: undefined }),
      'invalid_event',
      /^session: found nothing, allowed: a string$/,
    ],
    [
      'a foreign action',
      raw('s-1', { ...event, action: 'wipe' }),
      'invalid_event',
      /^action: found "wipe", allowed: read, list, secret_read/,
    ],
    [
      'two mistakes',
      raw('s-1', { ...event, agent: {}, seq: -1 }),
      'invalid_event',
      /^seq: found -1, allowed: at least 0; agent\.id: found nothing, allowed: a string$/,
    ],
    ['a bad time', raw('s-1', { ...event, time: 'now' }), 'invalid_event', /time: found "now", allowed: an RFC 3339/],
    [
      'a long tool',
      raw('s-1', { ...event, tool: 't'.repeat(300) }),
      'invalid_event',
      /^tool: found a string of 300 characters, allowed: at most 256 characters$/,
    ],
    ['session default', raw('default', { ...event, session: 'default' }), 'placeholder_session', /"default"/],
    ['another key', raw('s-2', event), 'key_mismatch', /^key: found s-2, allowed: the session s-1$/],
    ['no key', raw(null, event), 'key_mismatch', /found no key/],
    ['an untrue U+FFFD', raw(Buffer.from([0xff]), { ...event, session: '\ufffd' }), 'key_mismatch'],
    ['a true U+FFFD', raw('\ufffd', { ...event, session: '\ufffd' }), 'action'],
    ['a lone surrogate', raw('\ufffd', { ...event, session: '\ud800' }), 'key_mismatch'],
    [
      'a structured event without data',
      raw('s-1', { specversion: '1.0', type: 'dev.firebreak.action.v1' }),
      'invalid_event',
    ],
    [
      'another type',
      raw('s-1', event, { ce_type: 'com.other.v1' }),
      'unknown_type',
      /found com\.other\.v1, allowed: dev\.fire/,
    ],
    ['a type of Object.prototype', raw('s-1', event, typed('constructor')), 'unknown_type'],
    [
      'the last of several types',
      raw('s-1', event, { ce_type: ['dev.firebreak.action.v1', 'com.other.v1'] }),
      'unknown_type',
    ],
  ])('%s', (_, record, expected, reason) => {
    const { body, offset, appendMs } = decodeRecord(record, undefined);
    expect(outcome(body)).toBe(expected);
    expect([offset, appendMs]).toEqual([7, 1000]);
    if (body.type === 'refused') {
      expect(body.raw).toBe(record);
      expect(body.reason).toMatch(reason ?? /./);
    }
  });

  it('never shows control characters or more than 500 characters of what it refuses', () => {
    const { body } = decodeRecord(
      raw('s-1', { ...event, time: '\u001b[2J\n', agent: { id: 1 }, seq: 'x'.repeat(40) }),
      undefined,
    );
    expect(body).toMatchObject({ refusal: 'invalid_event' });
    const many = Object.fromEntries(['tenant', 'task', 'purpose', 'currency'].map((field) => [field, 1]));
    const long = decodeRecord(
      raw('\u202e\n', { ...event, ...many, amount: 'x', session: 1, id: 2, tool: 3, rows: 'x', action: 4 }),
      undefined,
    );
    for (const each of [body, long.body]) {
      const reason = (each as { reason: string }).reason;
      expect(reason.length).toBeLessThanOrEqual(500);
      expect(reason).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }
  });
});

describe('decodeRecord: control records', () => {
  const decision = { id: 'd-1', kind: 'release', session: 's-1', by: { id: 'kim' } };
  const scope = { type: 'tenant', id: 'corp' };
  const order = { decision: 'd-1', command: 'c-1', scope, kind: 'pause', by: { id: 'kim' }, sinceMs: 1 };
  const policy = { hash: `sha256:${'0'.repeat(64)}`, chunks: 1, engine: 1 };
  const acknowledgement = { id: 'a-1', command: 'c-1', session: 's-1', status: 'enforced', enforcer: 'gw' };
  it.each<[string, RawRecord, string, RegExp?]>([
    ['a decision for its session', raw('s-1', decision, typed('decision.v1')), 'decision'],
    ['a decision for its partition', raw('fb:3', decision, typed('decision.v1')), 'decision'],
    [
      'a structured decision',
      raw('s-1', { specversion: '1.0', type: 'dev.firebreak.decision.v1', data: decision }),
      'decision',
    ],
    [
      'an order for its partition',
      raw('fb:3', { ...decision, kind: 'pause', session: undefined, scope }, typed('decision.v1')),
      'decision',
    ],
    [
      'a decision about nothing',
      raw('fb:3', { ...decision, session: undefined }, typed('decision.v1')),
      'invalid_control',
      /^session: found nothing, allowed: a session, or a scope instead/,
    ],
    [
      'an order for a session too',
      raw('s-1', { ...decision, kind: 'pause', scope }, typed('decision.v1')),
      'invalid_control',
      /^scope: found an object, allowed: nothing beside a session/,
    ],
    [
      'a grant without a bound',
      raw('s-1', { ...decision, grant: { targets: ['a'] } }, typed('decision.v1')),
      'invalid_control',
      /^grant: found an object, allowed: a grant with at least one of marks, points and minutes/,
    ],
    ['an acknowledgement', raw('s-1', acknowledgement, typed('command.acknowledged.v1')), 'acknowledgement'],
    ['a policy', raw('fb:0', policy, typed('policy.activated.v1')), 'policy'],
    ['a published record', raw('s-1', { command: 'c', session: 's-1' }, typed('command.published.v1')), 'published'],
    ['a tick', raw('fb:63', {}, typed('tick.v1')), 'tick'],
    ['a restated record', raw('fb:1', { clockMs: 5, policy }, typed('state.restated.v1')), 'restated'],
    [
      'a restated record of 300 KB',
      raw('fb:1', { clockMs: 5, orders: [{ ...order, reason: 'x'.repeat(300_000) }] }, typed('state.restated.v1')),
      'restated',
    ],
    [
      'a restated record of 600 KB',
      raw('fb:1', { clockMs: 5, orders: [{ ...order, reason: 'x'.repeat(600_000) }] }, typed('state.restated.v1')),
      'too_large',
    ],
    [
      'an unknown kind',
      raw('s-1', { ...decision, kind: 'forgive' }, typed('decision.v1')),
      'invalid_control',
      /^kind: found "forgive", allowed: release/,
    ],
    ['a tick that is a list', raw('fb:1', [], typed('tick.v1')), 'invalid_control'],
    ['a tick that is no JSON', raw('fb:1', '', typed('tick.v1')), 'not_json'],
    [
      'a decision for another session',
      raw('s-2', decision, typed('decision.v1')),
      'key_mismatch',
      /allowed: fb:PARTITION or the session s-1/,
    ],
    [
      'a policy with a session as key',
      raw('s-1', policy, typed('policy.activated.v1')),
      'key_mismatch',
      /allowed: fb:PARTITION$/,
    ],
    ['a policy without key', raw(null, policy, typed('policy.activated.v1')), 'key_mismatch'],
    ['a key with a leading zero', raw('fb:01', policy, typed('policy.activated.v1')), 'key_mismatch'],
    ['a later version', raw('s-1', decision, typed('decision.v2')), 'unknown_type'],
  ])('%s', (_, record, expected, reason) => {
    const { body } = decodeRecord(record, undefined);
    expect(outcome(body)).toBe(expected);
    if (body.type === 'refused') expect(body.reason).toMatch(reason ?? /./);
  });

  const keyOf = (role: Role) => privateJwkOf(generateKeyPairSync('ed25519').privateKey, [role]);
  const jwks = {
    owner: keyOf('owner'),
    decider: keyOf('decider'),
    policy: keyOf('policy'),
    enforcer: keyOf('enforcer'),
    gateway: keyOf('gateway'),
    learner: keyOf('learner'),
  };
  const keyring = keyringOf(Object.values(jwks).map(publicJwkOf));
  const bodies = {
    'decision.v1': { key: 's-1', value: decision, signers: ['owner', 'decider'] },
    'command.acknowledged.v1': { key: 's-1', value: acknowledgement, signers: ['owner', 'enforcer'] },
    'policy.activated.v1': { key: 'fb:0', value: policy, signers: ['owner', 'policy'] },
    'command.published.v1': { key: 's-1', value: { command: 'c', session: 's-1' }, signers: ['owner'] },
    'tick.v1': { key: 'fb:0', value: {}, signers: ['owner'] },
    'state.restated.v1': { key: 'fb:0', value: { clockMs: 1 }, signers: ['owner'] },
  };
  const signed = (type: string, key: string, value: unknown, role: Role): RawRecord => {
    const content = { type: `dev.firebreak.${type}`, key: Buffer.from(key), value: Buffer.from(text(value)) };
    return raw(key, value, { ...typed(type), ...signRecord(content, signingKeyOf(jwks[role])) });
  };

  it.each(
    Object.entries(bodies).flatMap(([type, { key, value, signers }]) =>
      ROLES.map((role) => [type, role, key, value, signers.includes(role)] as const),
    ),
  )('%s signed by %s', (type, role, key, value, allowed) => {
    const { body } = decodeRecord(signed(type, key, value, role), keyring);
    if (allowed) expect(body.type).not.toBe('refused');
    else
      expect(body).toMatchObject({
        refusal: 'invalid_control',
        reason: expect.stringMatching(/^signature by .* role/),
      });
  });

  it('refuses an unsigned, a moved and a changed record, and needs no signature of an action', () => {
    const release = signed('decision.v1', 's-1', decision, 'decider');
    const changed = { ...release, value: Buffer.from(text({ ...decision, kind: 'lift' })) };
    const moved = { ...release, key: Buffer.from('fb:0') };
    const other = { ...release, headers: { ...release.headers, ...typed('command.acknowledged.v1') } };
    expect(outcome(decodeRecord(release, keyring).body)).toBe('decision');
    for (const record of [{ ...release, headers: typed('decision.v1') }, changed, moved, other]) {
      expect(outcome(decodeRecord(record, keyring).body)).toBe('invalid_control');
    }
    expect(outcome(decodeRecord(raw('s-1', event), keyring).body)).toBe('action');
  });

  const fromGateway = { ...event, source: 'gw-1' };
  const bare = (json: unknown, role: Role): RawRecord => {
    const { headers, ...record } = signed('action.v1', 's-1', json, role);
    return { ...record, headers: { ...headers, ce_type: undefined } };
  };
  const good = signed('action.v1', 's-1', fromGateway, 'gateway');
  const bound = keyringOf([{ ...publicJwkOf(jwks.gateway), sources: ['gw-1'] }]);
  const retired = keyringOf([{ ...publicJwkOf(jwks.gateway), notAfter: '1970-01-01T00:00:00Z' }]);
  it.each<[string, RawRecord, string[], string | RegExp, typeof keyring?]>([
    ['signed by its gateway', good, ['gw-1'], 'action'],
    ['signed, without a type', bare(fromGateway, 'gateway'), ['gw-1'], 'action'],
    ['unsigned', raw('s-1', fromGateway), ['gw-1'], /^signature missing: headers fb-key and fb-signature$/],
    ['unsigned, of a source that need not', raw('s-1', { ...event, source: 'gw-2' }), ['gw-1'], 'action'],
    ['unsigned, without a source, where every action must', raw('s-1', event), ['*'], /missing/],
    ['unsigned, where nobody must', raw('s-1', fromGateway), [], 'action'],
    [
      'changed',
      { ...good, value: Buffer.from(text({ ...fromGateway, tool: 'other' })) },
      ['*'],
      /does not fit type, key/,
    ],
    [
      'of another session',
      { ...signed('action.v1', 's-2', event, 'gateway'), key: Buffer.from('s-1') },
      ['*'],
      /does not fit/,
    ],
    [
      'signed by a decider',
      signed('action.v1', 's-1', fromGateway, 'decider'),
      ['*'],
      /role decider, allowed: gateway/,
    ],
    ['signed by the gateway of its source', good, ['*'], 'action', bound],
    [
      'signed by the gateway of another source',
      signed('action.v1', 's-1', { ...event, source: 'gw-2' }, 'gateway'),
      ['*'],
      /which speaks for gw-1$/,
      bound,
    ],
    [
      'signed for no source by a gateway that has one',
      signed('action.v1', 's-1', event, 'gateway'),
      ['*'],
      /speaks for gw-1$/,
      bound,
    ],
    ['signed by a key whose time is over', good, ['*'], /outside the time of this key$/, retired],
    ['signed by a stranger', good, ['*'], /not trusted here$/, keyringOf([])],
  ])('an action that is %s', (_, record, mustSign, expected, ring = keyring) => {
    const { body } = decodeRecord(record, ring, undefined, new Set(mustSign));
    if (typeof expected === 'string') expect(body.type).toBe(expected);
    else expect(body).toMatchObject({ refusal: 'invalid_signature', reason: expect.stringMatching(expected) });
  });

  const home = { partition: partitionOf('s-1', 8), partitions: 8 };
  const away = { partition: (home.partition + 1) % 8, partitions: 8 };
  it.each([
    ['an action at home', raw('s-1', event), home, 'action'],
    ['an action elsewhere', raw('s-1', event), away, 'misrouted'],
    ['a decision at home', raw('s-1', decision, typed('decision.v1')), home, 'decision'],
    ['a decision elsewhere', raw('s-1', decision, typed('decision.v1')), away, 'misrouted'],
    ['a keyed decision at home', raw(`fb:${home.partition}`, decision, typed('decision.v1')), home, 'decision'],
    [
      'a keyed decision whose session is elsewhere',
      raw(`fb:${away.partition}`, decision, typed('decision.v1')),
      away,
      'misrouted',
    ],
    ['a policy at home', raw(`fb:${home.partition}`, policy, typed('policy.activated.v1')), home, 'policy'],
    ['a policy elsewhere', raw(`fb:${home.partition}`, policy, typed('policy.activated.v1')), away, 'misrouted'],
  ] as const)('%s', (_, record, where, expected) => {
    expect(outcome(decodeRecord(record, undefined, where).body)).toBe(expected);
  });
});

describe('decodeRecord: properties', () => {
  const keyring = keyringOf([]);
  const header = fc.oneof(
    fc.string(),
    fc.uint8Array(),
    fc.array(fc.oneof(fc.string(), fc.uint8Array())),
    fc.constantFrom('', 'action.v1', 'decision.v1', 'tick.v1', 'toString').map((type) => `dev.firebreak.${type}`),
  );
  const headers = fc.oneof(
    fc.constant({}),
    fc.record({ ce_type: header, 'fb-key': header, 'fb-signature': header }, { requiredKeys: [] }),
  );
  const value = fc.oneof(
    fc.constant(null),
    fc.uint8Array({ size: 'max', maxLength: 5000 }),
    fc.jsonValue({ maxDepth: 3 }).map((json) => Buffer.from(JSON.stringify(json))),
    nearEvent.map((json) => Buffer.from(JSON.stringify(json))),
    fc.integer({ min: 1, max: 65_536 }).map((depth) => Buffer.from('['.repeat(depth))),
    fc.integer({ min: 1, max: 32_768 }).map((depth) => Buffer.from('['.repeat(depth) + ']'.repeat(depth))),
  );

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.option(fc.uint8Array()), value, headers, (key, bytes, head) => {
        const record = { offset: 1, appendMs: 2, key, value: bytes, headers: head };
        for (const keys of [undefined, keyring]) {
          const { body } = decodeRecord(record, keys, { partition: 0, partitions: 1 });
          if (body.type === 'refused') expect(body.reason.length).toBeLessThanOrEqual(500);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('takes a bare value as an action exactly when the schema does and the key fits', () => {
    const seen = { action: 0, refused: 0 };
    fc.assert(
      fc.property(nearEvent, (near) => {
        const json = JSON.stringify(near);
        const parsed = ActionEvent.safeParse(JSON.parse(json));
        const session = parsed.success ? parsed.data.session : 's';
        const usable =
          parsed.success &&
          !/\p{Cs}/u.test(session) &&
          !isPlaceholderSession(session) &&
          Buffer.byteLength(json) <= 65_536;
        const { body } = decodeRecord(raw(session, json), keyring);
        seen[body.type as 'action' | 'refused']++;
        expect(body.type).toBe(usable ? 'action' : 'refused');
      }),
      { numRuns: 5000 },
    );
    expect(Math.min(seen.action, seen.refused)).toBeGreaterThan(500);
  });
});
