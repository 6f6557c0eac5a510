import { describe, expect, it } from 'vitest';
import { explainKept } from '../../src/app/explain/kept.ts';
import { keptText } from '../../src/cli/explain-kept-text.ts';
import type { Plan } from '../../src/engine/plan/policy.ts';
import { decodeSession, encodeSession } from '../../src/engine/session/codec.ts';
import { baselineOf, intentOf, planWith } from '../engine/evidence/lessons.ts';
import { Log, planOf } from '../engine/harness.ts';

const DELETES = {
  id: 'deletes',
  match: { action: 'delete' },
  measure: { n: 'count' },
  when: { watch: 'n > 8', pause: 'n > 10' },
};
const TOOLS = { id: 'tools', match: {}, measure: { tools: 'distinct(tool)' }, when: { watch: 'tools > 40' } };

/** The state after so many deletions, as it comes back from the store, against a plan. */
function keptOf(judged: Plan, plan: Plan, times: number) {
  const log = new Log(judged);
  for (let i = 0; i < times; i++) log.act(i * 120_000, { tool: `tool-${i % 2}` });
  const bytes = encodeSession(log.partition.find('s-1')!);
  return explainKept(decodeSession('s-1', bytes), plan);
}

describe('how a kept session stands', () => {
  it('each rule that looks at it, the nearest first, with its measures, bounds and last steps', () => {
    const plan = planOf([TOOLS, { ...DELETES, within: '1h' }]);
    const kept = keptOf(plan, plan, 9);
    expect(kept).toMatchObject({ session: 's-1', level: 'watch', actions: 9 });
    expect(kept.rules.map(({ rule, measures, passed, steps }) => [rule.id, measures, passed, steps.length])).toEqual([
      ['deletes', { n: 9 }, 9, 8],
      ['tools', { tools: 2 }, 9, 8],
    ]);
    expect(kept.rules[0]!.bounds).toEqual([
      { condition: 'watch', holds: true, compared: [{ score: 9, threshold: 8, holds: true }] },
      { condition: 'pause', holds: false, compared: [{ score: 9, threshold: 10, holds: false }] },
    ]);
    const text = keptText(kept, 80);
    expect(text).toContain('  now    n 9\n  watch  at 8 holds, when n > 8\n  pause  at 10, when n > 10\n');
    expect(text).toContain('steps that it looks at, the last 8 of 9:');
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('against other rules than those that judged it: what only they measure begins at nothing, and that is said', () => {
    const kept = keptOf(planOf([TOOLS]), planOf([{ ...TOOLS, when: { watch: 'tools > 1' } }, DELETES]), 9);
    expect(kept.rules.map(({ rule, bounds }) => [rule.id, bounds[0]!.holds])).toEqual([['tools', true]]);
    expect(keptText({ ...kept, judgedBy: 'sha256:other' }, 200)).toContain('judged last by another policy');
  });

  it('the evidence of intents against their thresholds', () => {
    const intents = [intentOf({})];
    const plan = planWith(intents, baselineOf(intents));
    const kept = keptOf(plan, plan, 4);
    expect(kept.intents).toMatchObject({ intent: 'deleting', thresholds: { watch: 2, pause: 4, kill: 6 } });
    const text = keptText(kept, 200);
    expect(text).not.toContain('No rule looks');
    expect(text).toMatch(
      /intents {2}evidence of [\d.]+ nats by deleting(, at its highest [\d.]+)?, watch at 2, pause at 4, kill at 6/,
    );
  });

  it('of a killed session only that it was killed', () => {
    const plan = planOf([{ ...DELETES, when: { kill: 'n > 2' } }]);
    const kept = keptOf(plan, plan, 4);
    expect([kept.level, kept.rules]).toEqual(['killed', []]);
    expect(keptText(kept, 80)).toContain('Of a killed session only the kill is kept.');
  });
});
