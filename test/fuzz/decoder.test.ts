import { expect, it } from 'vitest';
import { generateKeyPair } from '../../src/app/keys.ts';
import { partitionOf } from '../../src/domain/partitioner.ts';
import { decodeRecord, EVERY_SOURCE } from '../../src/formats/log-record.ts';
import { keyringOf } from '../../src/formats/signature.ts';
import { runsOf } from '../properties/runs.ts';
import { endure } from './endurance.ts';
import { MutatedBytes } from './mutated-bytes.ts';

const USUAL = 20_000;
const LONG_MS = 3_600_000;
const PARTITIONS = 4;
const SESSION = 'conv-8842';
const HOME = { partition: partitionOf(SESSION, PARTITIONS), partitions: PARTITIONS };
const { d: _, ...publicKey } = generateKeyPair();
const KEYRING = keyringOf([publicKey]);

const EVENT = {
  id: 'evt-1',
  time: '2026-11-23T10:15:30.123Z',
  source: 'gw-3',
  seq: 88213,
  session: SESSION,
  agent: { id: 'mail-helper', role: 'email-assistant' },
  principal: { id: 'kim@corp.example', type: 'user' },
  delegation: ['svc-agent-runtime'],
  tool: 'delete_email',
  action: 'delete',
  resource: { type: 'email', id: 'msg-1291', sensitivity: 'normal' },
  outcome: 'ok',
  targets: ['msg-1291', 'msg-1292'],
  affected: 2,
  amount: 12.5,
  attributes: { 'k8s.pod.name': 'agent-7f', n: 1, flag: true, none: null },
};
const CONTROLS: Record<string, unknown> = {
  'decision.v1': {
    id: 'd-1',
    kind: 'release',
    session: SESSION,
    by: { id: 'kim' },
    grant: { marks: 3, targets: ['a'] },
  },
  'command.acknowledged.v1': { id: 'a-1', command: 'cmd-1', session: SESSION, status: 'enforced', enforcer: 'gw' },
  'policy.activated.v1': { hash: `sha256:${'0'.repeat(64)}`, chunks: 1, engine: 1 },
  'command.published.v1': { command: 'cmd-1', session: SESSION },
  'tick.v1': {},
  'state.restated.v1': { clockMs: 5, orders: [] },
};
const structured = (type: string, data: unknown) => ({ specversion: '1.0', type: `dev.firebreak.${type}`, data });
const CORPUS = [
  EVENT,
  { id: 'e', time: '2026-11-23T10:15:30Z', session: SESSION, agent: { id: 'a' }, tool: 't', action: 'read' },
  structured('action.v1', EVENT),
  ...Object.entries(CONTROLS).map(([type, data]) => structured(type, data)),
  ...Object.values(CONTROLS),
].map((value) => Buffer.from(JSON.stringify(value)));
const TYPES = [undefined, undefined, undefined, 'action.v1', ...Object.keys(CONTROLS), 'who.knows.v1'];
const CONTROL_CHARACTERS = /\p{Cc}/u;

it(
  'decodes any bytes into a record or a refusal with its reason',
  () => {
    const inputs = new MutatedBytes(CORPUS, runsOf({ numRuns: USUAL }).seed ?? 1);
    const seen: Record<string, number> = {};
    endure(USUAL, (nth) => {
      const value = inputs.next();
      const type = TYPES[inputs.upTo(TYPES.length)];
      const key = inputs.upTo(20) === 0 ? inputs.next() : Buffer.from(nth % 3 === 0 ? `fb:${HOME.partition}` : SESSION);
      const headers = type === undefined ? {} : { ce_type: `dev.firebreak.${type}` };
      const raw = { offset: nth, appendMs: 1_700_000_000_000, key, value, headers };
      const mustSign = inputs.upTo(4) === 0 ? new Set([EVERY_SOURCE]) : new Set<string>();
      const { body } = decodeRecord(raw, inputs.upTo(2) === 0 ? KEYRING : undefined, HOME, mustSign);
      seen[body.type] = (seen[body.type] ?? 0) + 1;
      if (body.type === 'action') expect(body.event.session).toBe(key.toString());
      if (body.type !== 'refused') return;
      expect(body.raw).toBe(raw);
      if (body.reason.length === 0 || body.reason.length > 500 || CONTROL_CHARACTERS.test(body.reason)) {
        expect.fail(`reason: ${JSON.stringify(body.reason)}`);
      }
    });
    for (const type of ['action', 'refused', 'decision', 'tick', 'published']) expect(seen[type]).toBeGreaterThan(0);
  },
  LONG_MS,
);
