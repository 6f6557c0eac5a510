import { describe, expect, it } from 'vitest';
import { SESSION_BYTES_MAX } from '../../../src/engine/session/bound.ts';
import { decodeSession, encodeSession } from '../../../src/engine/session/codec.ts';
import { Log, planOf } from '../harness.ts';

const WINDOWS = ['30s', '1m', '5m', '10m', '1h', '6h', '1d', '7d', '30d', 'session'];
const FILTERS = [{ action: 'delete' }, { action: 'pay' }, { action: 'send' }];

/** Thirty rules of different windows and filters over all kinds of measures: no two share a feature. */
function thirtyRules(): Record<string, unknown>[] {
  return FILTERS.flatMap((match, f) =>
    WINDOWS.map((within, w) => ({
      id: `rule-${f}-${w}`,
      match: { ...match, 'agent.id|neq': `nobody-${w}` },
      within,
      measure: { paid: 'sum(amount)', kinds: 'distinct(tool)', things: 'distinct(target)' },
      when: { watch: 'paid + kinds + things < 0' },
    })),
  );
}

/** Texts as long and as heavy in UTF-8 as an event may have them. */
function heavy(i: number, length: number): string {
  return `${i}${'\u20ac'.repeat(length)}`.slice(0, length);
}

/** The i-th action of a session that makes its state as large as it can, and when it arrives. */
function heavyAction(log: Log, i: number, atMs: number): void {
  const wide = i % 200 === 0;
  // Late ones stand apart in every window; fractions take nine bytes each.
  log.act(
    atMs - (i % 4 === 0 ? 3_000_000 : 0),
    {
      id: heavy(i, 256),
      tool: heavy(i % 700, i % 4 === 0 ? 256 : 16),
      action: (['delete', 'pay', 'send'] as const)[i % 3]!,
      outcome: i % 5 === 0 ? 'error' : 'ok',
      argsDigest: `d-${i}`,
      amount: i / 7,
      principal: { id: heavy(i % 20, 256) },
      source: heavy(i % 5, 256),
      seq: i,
      targets: Array.from({ length: wide ? 256 : 1 }, (_, t) => `target-${i}-${t}`),
      resource: { type: 'x', id: heavy(i, 200) },
    },
    atMs,
  );
}

function arrivalOf(i: number): number {
  return i * 9000 + ((i * 7919) % 9000) + Math.floor(i / 1000) * 3_600_000;
}

describe('the state of a session', () => {
  it('stays within 64 KiB under thirty rules, whatever 20,000 events are made of', { timeout: 120_000 }, () => {
    const log = new Log(planOf(thirtyRules()));
    let largest = 0;
    for (let i = 0; i < 20_000; i++) {
      heavyAction(log, i, arrivalOf(i));
      if (i % 97 !== 0) continue;
      const session = log.partition.sessions.get('s-1')!;
      const bytes = encodeSession(session);
      largest = Math.max(largest, bytes.length);
      if (i % 970 === 0) expect(encodeSession(decodeSession('s-1', bytes))).toEqual(bytes);
    }
    expect(largest).toBeLessThanOrEqual(SESSION_BYTES_MAX);
    // The test would prove nothing if the session had never come near.
    expect(largest).toBeGreaterThan(SESSION_BYTES_MAX / 2);
  });

  it('gets coarser at the same places, wherever it was read from bytes on the way', () => {
    const whole = new Log(planOf(thirtyRules()));
    const coded = new Log(planOf(thirtyRules()));
    for (let i = 0; i < 600; i++) {
      if (i % 37 === 0 && i > 0) {
        const bytes = encodeSession(coded.partition.sessions.get('s-1')!);
        coded.partition.adopt(decodeSession('s-1', bytes));
      }
      for (const log of [whole, coded]) heavyAction(log, i, arrivalOf(i));
      if (i % 20 !== 0) continue;
      const [a, b] = [whole, coded].map((log) => encodeSession(log.partition.sessions.get('s-1')!));
      expect(Buffer.from(b!).equals(a!)).toBe(true);
    }
  });

  it('is not touched while it is small: six rules of an ordinary session stay exact', () => {
    const log = new Log(
      planOf(WINDOWS.slice(0, 6).map((within, i) => ({ id: `rule-${i}`, within, when: { watch: 'n < 0' } }))),
    );
    for (let i = 0; i < 30; i++) log.act(i * 100, { id: `evt-${i}`, resource: { id: `m-${i}` } });
    const session = log.partition.sessions.get('s-1')!;
    const [group] = session.groups.values();
    expect(group!.steps).toHaveLength(8);
    for (const feature of group!.features.values()) expect(feature.size()).toBe(30);
    expect(encodeSession(session).length).toBeLessThan(2000);
  });
});
