import type { Message } from 'kafkajs';
import { formatInstant } from '../../src/domain/instant.ts';
import { mulberry } from '../integration/traffic.ts';

/** What three kinds of honest agents do, and how often. */
const JOBS = [
  { role: 'mail-assistant', actions: { read: 60, list: 20, update: 14, send: 6 } },
  { role: 'coding-agent', actions: { read: 45, list: 10, execute: 25, update: 15, create: 5 } },
  { role: 'support-agent', actions: { read: 50, list: 20, update: 25, delete: 5 } },
] as const;
const PACE_MS = 5000;
const OBJECTS = 40;

/**
 * Honest work of many sessions at once, about 475 bytes an action, one action per session in about five seconds. Ends
 * at `endMs`; deterministic.
 */
export function* honestActions(options: { sessions: number; events: number; endMs: number }): Generator<Message> {
  const { sessions, events, endMs } = options;
  const random = mulberry(7);
  const stepMs = PACE_MS / sessions;
  const seen = new Map<number, number>();
  for (let i = 0; i < events; i++) {
    const n = Math.floor(random() * sessions);
    const { role, actions } = JOBS[n % JOBS.length]!;
    const action = pick(actions, random());
    const seq = seen.get(n) ?? 0;
    seen.set(n, seq + 1);
    const object = Math.floor(random() * OBJECTS);
    const session = `01J9ZK4Q8XR${String(n).padStart(8, '0')}`;
    const event = {
      id: `evt-${session}-${seq}`,
      time: formatInstant(Math.round(endMs - (events - i) * stepMs)),
      source: `gateway-${n % 4}`,
      session,
      agent: { id: `agent-${n % 200}`, role, version: '2026.11.3' },
      principal: { id: `user-${n % 900}@corp.example`, type: 'human' },
      tenant: `tenant-${n % 12}`,
      tool: `${action}_document`,
      toolServer: 'mcp://workspace.corp.example',
      action,
      resource: { type: 'document', id: `workspace/${n % 900}/documents/${object}` },
      outcome: random() < 0.01 ? 'error' : 'ok',
      bytes: Math.floor(random() * 4000),
      ...(i % 4 === 0 ? { usage: { tokens: Math.floor(random() * 900), costUsd: 0.0004 } } : {}),
      argsDigest: `sha256:${(Math.floor(random() * 2 ** 32) >>> 0).toString(16).padStart(8, '0')}`,
    };
    yield { key: session, value: JSON.stringify(event) };
  }
}

/** So many sessions run at once; after so many events others take their place. */
const AT_ONCE = 500;
const SHIFT_EVENTS = 25_000;
const SHIFT_MS = 250_000;
const START_MS = Date.UTC(2026, 0, 5, 9);

/** Lines of a file: sessions that come and go. */
export function* actionLines(events: number): Generator<string> {
  for (let shift = 0, left = events; left > 0; shift++, left -= SHIFT_EVENTS) {
    const endMs = START_MS + (shift + 1) * SHIFT_MS;
    for (const { value } of honestActions({ sessions: AT_ONCE, events: Math.min(left, SHIFT_EVENTS), endMs })) {
      yield `${String(value).replaceAll('01J9ZK4Q8XR', `s${String(shift).padStart(4, '0')}-`)}\n`;
    }
  }
}

function pick(weights: Readonly<Record<string, number>>, at: number): string {
  const all = Object.entries(weights);
  let left = at * all.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of all) {
    left -= weight;
    if (left < 0) return name;
  }
  throw new Error(`no name at ${at}`);
}
