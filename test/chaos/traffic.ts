import type { Message } from 'kafkajs';
import { mulberry } from '../integration/traffic.ts';

/** On records that no policy may judge: all of them must come to the quarantine, and nothing else. */
export const POISON_HEADER = 'chaos-poison';
/** So few per session that the windows of the engine and the naive ones are both exact. */
const ACTIONS_MAX = 28;
const ACTIVE = 60;
const HOUR_MS = 3_600_000;

export interface TrafficShape {
  /** Share of records that no policy can judge. */
  poison: number;
  /** Share of records that come twice. */
  repeated: number;
  /** Share of events that say they happened an hour ago. */
  late: number;
}

export const ORDINARY: TrafficShape = { poison: 0.002, repeated: 0.01, late: 0.002 };

interface Running {
  session: string;
  left: number;
  dangerous: boolean;
}

/** Sessions that begin, act and end, some of them dangerous; equal seeds give equal sessions. */
export class ChaosTraffic {
  readonly #random: () => number;
  readonly #running: Running[] = [];
  #begun = 0;
  #said = 0;

  constructor(seed: number) {
    this.#random = mulberry(seed);
  }

  get sessions(): number {
    return this.#begun;
  }

  next(count: number, nowMs: number, shape: TrafficShape): Message[] {
    const messages: Message[] = [];
    while (messages.length < count) {
      if (this.#random() < shape.poison) {
        messages.push(this.#poison());
        continue;
      }
      const message = this.#act(nowMs - (this.#random() < shape.late ? HOUR_MS : 0));
      messages.push(message);
      if (this.#random() < shape.repeated) messages.push(message);
    }
    return messages;
  }

  /** One harmless action in each of so many sessions, which nothing else belongs to. */
  once(sessions: number, nowMs: number): Message[] {
    const time = new Date(nowMs).toISOString();
    return Array.from({ length: sessions }, () => {
      const session = `once-${this.#said++}`;
      const event = { id: session, time, session, agent: { id: 'agent' }, tool: 't1', action: 'send', outcome: 'ok' };
      return { key: session, value: JSON.stringify(event) };
    });
  }

  /** So many deletions in each of these sessions, one session after another. */
  deletions(sessions: readonly string[], count: number, nowMs: number): Message[] {
    const time = new Date(nowMs).toISOString();
    return sessions.flatMap((session) =>
      Array.from({ length: count }, () => {
        const id = `event-${this.#said++}`;
        const event = { id, time, session, agent: { id: 'agent' }, tool: 't1', action: 'delete', outcome: 'ok' };
        return { key: session, value: JSON.stringify(event) };
      }),
    );
  }

  #act(timeMs: number): Message {
    while (this.#running.length < ACTIVE) this.#begin();
    // Squared: some sessions act all the time, others rarely, end in between and come back.
    const at = Math.floor(this.#random() ** 2 * this.#running.length);
    const running = this.#running[at]!;
    const { session, dangerous } = running;
    if (--running.left === 0) this.#running.splice(at, 1);
    const action = this.#pick(dangerous ? ['delete', 'delete', 'send', 'read'] : ['read', 'list', 'read', 'send']);
    const event = {
      id: `event-${this.#said++}`,
      time: new Date(timeMs).toISOString(),
      session,
      agent: { id: `agent-${this.#upTo(5)}` },
      tool: this.#pick(['t1', 't1', 't2', 't3', 't4', 't5']),
      action,
      resource: { type: 'item', id: `item-${this.#upTo(20)}` },
      outcome: this.#pick(['ok', 'ok', 'ok', 'denied']),
      argsDigest: `d-${this.#upTo(4)}`,
    };
    return { key: session, value: JSON.stringify(event) };
  }

  #begin(): void {
    const session = `s-${this.#begun++}`;
    this.#running.push({ session, left: 1 + this.#upTo(ACTIONS_MAX), dangerous: this.#random() < 0.3 });
  }

  #poison(): Message {
    const session = `p-${this.#said++}`;
    const fit = { id: session, time: '2026-01-01T00:00:00Z', session, agent: { id: 'a' }, tool: 't', action: 'delete' };
    const forged = { hash: `sha256:${'0'.repeat(64)}`, chunks: 1, engine: 1 };
    const headers = { [POISON_HEADER]: '1' };
    const type = (name: string) => ({ ...headers, ce_type: `dev.firebreak.${name}` });
    return this.#pick([
      () => ({ key: session, value: 'no JSON', headers }),
      () => ({ key: session, value: Buffer.from([0xff, 0x00, 0x7b]), headers }),
      () => ({ key: session, value: null, headers }),
      () => ({ key: session, value: JSON.stringify({ ...fit, action: 'explode' }), headers }),
      () => ({ key: 'another', value: JSON.stringify(fit), headers }),
      () => ({ key: 'default', value: JSON.stringify({ ...fit, session: 'default' }), headers }),
      () => ({ key: session, value: JSON.stringify({ ...fit, tool: 'x'.repeat(70_000) }), headers }),
      () => ({ key: 'fb:0', value: JSON.stringify(forged), headers: type('policy.activated.v1') }),
      () => ({ key: session, value: JSON.stringify(fit), headers: type('who.knows.v1') }),
      () => ({ key: session, value: `${'['.repeat(30_000)}`, headers }),
    ])();
  }

  #upTo(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#upTo(from.length)]!;
  }
}
