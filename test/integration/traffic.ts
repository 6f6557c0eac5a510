import type { Message } from 'kafkajs';

const ACTIONS = ['read', 'delete', 'update', 'send', 'delete', 'list'] as const;

/** Interleaved actions of some sessions, a few of them dangerous, deterministic in the seed. Every id occurs once. */
export function traffic(options: { sessions: number; events: number; seed: number; startMs: number }): Message[] {
  const random = mulberry(options.seed);
  return Array.from({ length: options.events }, (_, i): Message => {
    const n = Math.floor(random() * options.sessions);
    const dangerous = n % 10 === 0;
    const session = `session-${options.seed}-${n}`;
    const action = dangerous ? 'delete' : ACTIONS[Math.floor(random() * ACTIONS.length)]!;
    const event = {
      id: `event-${options.seed}-${i}`,
      time: new Date(options.startMs + i * 3).toISOString(),
      session,
      agent: { id: `agent-${n % 7}`, role: 'helper' },
      tool: `${action}_item`,
      action,
      resource: { type: 'item', id: `item-${Math.floor(random() * 50)}` },
      outcome: random() < 0.05 ? 'denied' : 'ok',
      argsDigest: `d-${Math.floor(random() * 1000)}`,
      amount: Math.round(random() * 1000) / 10,
    };
    return { key: session, value: JSON.stringify(event) };
  });
}

export function mulberry(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const RULES = `
id: many-deletions
title: Many deletions
severity: high
match: { action: delete, outcome: ok }
within: 10m
measure: { deletes: count, targets: distinct(target) }
when:
  watch: deletes > 40
  pause: deletes > 80
  kill: deletes > 160 and targets > 20
---
id: any-spend
title: Amounts add up
severity: medium
match: { outcome: ok }
within: session
measure: { spent: sum(amount), calls: attempts }
when: { watch: spent > 4000, pause: spent > 9000 and calls > 100 }
---
id: probing
title: Denials
severity: medium
mode: shadow
match: { outcome: denied }
within: 5m
measure: { denials: attempts, pace: rate }
when: { watch: denials > 5, pause: pace > 10 }
`;
