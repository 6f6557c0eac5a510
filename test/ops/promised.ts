import type { ActionEvent } from '../../src/domain/event.ts';
import type { World } from './watched.ts';

export type Action = ActionEvent['action'];

/** Of each session. */
export const ACTIONS_EACH = 10;

/** A session is over after a second without an action, so that a test can wait for it. No enforcer confirms anything. */
const RULES = `
kind: policy
idleEnd: 1s
acknowledgeWithin: 1s
publishAttempts: 1
---
kind: intent
id: destruction
title: Things deleted
match: { action: delete }
mode: shadow
---
kind: intent
id: outpouring
title: Messages sent
match: { action: send }
`;

/** What an ordinary session does, whichever it is: one deletion and one message at most, each at a place of its own. */
export function ordinary(n: number): Action[] {
  const actionAt = (i: number) => (i === n % 10 ? 'delete' : i === (n >> 1) % 10 ? 'send' : 'read');
  return Array.from({ length: ACTIONS_EACH }, (_, i) => actionAt(i));
}

/** One event a line. `timeMs`: of its first action. */
export function session(name: string, timeMs: number, actions: readonly Action[], apartMs: number): string[] {
  return actions.map((action, i) =>
    JSON.stringify({
      id: `${name}-${timeMs}-${i}`,
      time: new Date(timeMs + i * apartMs).toISOString(),
      session: name,
      agent: { id: 'a', role: 'helper' },
      tool: `${action}_item`,
      action,
      resource: { type: 'item', id: `item-${i}` },
      outcome: 'ok',
    }),
  );
}

/** Two intents, of which one is in the shadow, and what they were learned from. */
export const PROMISED: World = {
  rules: RULES,
  history: Array.from({ length: 900 }, (_, n) =>
    session(`history-${n}`, Date.UTC(2026, 0, 5) + n * 60_000, ordinary(n), 1),
  ).flat(),
  budgets: ['--watch', '5%', '--pause', '1%', '--kill', '1 in 10000'],
};
