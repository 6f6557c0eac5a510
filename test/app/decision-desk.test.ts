import { expect, it } from 'vitest';
import { ManualClock } from '../../src/adapters/memory/clock.ts';
import { MemoryLog } from '../../src/adapters/memory/log.ts';
import { MemoryOutlet } from '../../src/adapters/memory/outlet.ts';
import { DecisionDesk } from '../../src/app/decision-desk.ts';
import type { Decision, DecisionRefusal } from '../../src/domain/decision.ts';
import type { Finding } from '../../src/domain/finding.ts';

const LIFT: Decision = { id: 'd-1', kind: 'lift', scope: { type: 'agent', id: 'mailer' }, by: { id: 'kim' } };

/** What the desk answers when partition n says the n-th of these. */
async function answered(said: readonly (Finding['code'] | DecisionRefusal)[], partitions = said.length) {
  const clock = new ManualClock(0);
  const log = new MemoryLog({ topic: 'actions', topicId: 'L', partitions, clock });
  const outlet = new MemoryOutlet({ log, clock, topicPrefix: '', source: '/t', expireAfterMs: 0 });
  const desk = new DecisionDesk({ outlet, partitions, clock });
  const answer = desk.decide(LIFT, 1000);
  while (clock.sleepers === 0) await new Promise((resolve) => setImmediate(resolve));
  for (const [partition, one] of said.entries()) {
    const isCode = one === 'order_lifted' || one === 'decision_accepted';
    const what = isCode ? { code: one } : { code: 'decision_refused', refusal: one };
    const position = { topicId: 'L', partition, offset: '0' };
    desk.heard({ ...what, decision: LIFT, position } as unknown as Finding);
  }
  await clock.advance(1000);
  const { findings, expected } = await answer;
  return { told: findings.map(({ code, refusal }) => refusal ?? code), expected };
}

it.each<[string, Parameters<typeof answered>, Awaited<ReturnType<typeof answered>>]>([
  ['lifted everywhere', [['order_lifted', 'order_lifted']], { told: ['order_lifted', 'order_lifted'], expected: 2 }],
  ['lifted where it stands', [['no_order', 'order_lifted', 'no_order']], { told: ['order_lifted'], expected: 1 }],
  ['agreed to where it stands', [['no_order', 'decision_accepted']], { told: ['decision_accepted'], expected: 1 }],
  ['nowhere in force', [['no_order', 'no_order']], { told: ['no_order', 'no_order'], expected: 2 }],
  [
    'refused for another reason',
    [['no_order', 'needs_second_person']],
    { told: ['no_order', 'needs_second_person'], expected: 2 },
  ],
  ['not judged everywhere yet', [['order_lifted'], 3], { told: ['order_lifted'], expected: 3 }],
])('a lift that is %s', async (_, said, answer) => {
  expect(await answered(...said)).toEqual(answer);
});
