import type { Baseline } from '../../../src/domain/baseline.ts';
import { Intent } from '../../../src/domain/intent.ts';
import { PolicySettings } from '../../../src/domain/rule.ts';
import { type CheckedIntent, checkIntent } from '../../../src/engine/evidence/intent.ts';
import { compilePolicy, type Plan } from '../../../src/engine/plan/policy.ts';
import { ruleOf } from '../harness.ts';

export function intentOf(fields: Record<string, unknown>): Intent {
  return Intent.parse({ kind: 'intent', id: 'deleting', title: 'Deleting', match: { action: 'delete' }, ...fields });
}

export function checkedOf(intent: Intent): CheckedIntent {
  const result = checkIntent(intent);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.checked;
}

const CLOCK = { mu: 0.1, phi: 1, a: 2 };
const MAP = { u: 1, lpu: 3, eta: 1 };
const CERTIFIED = { r: 1, n: 999, grade: 'conformal' as const };

/** A baseline as if it had been learned: one mark in ten actions, thresholds of 2, 4 and 6 nats. */
export function baselineOf(intents: readonly Intent[], changes: Partial<Baseline> = {}): Baseline {
  const model = { events: CLOCK, active: { ...CLOCK, mu: 30 }, n: 500 };
  return {
    format: 1,
    cohortBy: [['agent.role']],
    intents: Object.fromEntries(
      intents.map((intent) => [
        intent.id,
        {
          meaning: checkedOf(intent).meaning,
          global: model,
          cohorts: {},
          maps: { volume: MAP, rate: MAP, burst: MAP, shift: MAP },
        },
      ]),
    ),
    thresholds: {
      watch: { alpha: 0.05, c: 2, ...CERTIFIED },
      pause: { alpha: 0.01, c: 4, ...CERTIFIED },
      kill: { alpha: 0.001, c: 6, ...CERTIFIED },
    },
    onUncertified: 'pause',
    sessions: { parameters: 1000, maps: 400, thresholds: 999 },
    ...changes,
  };
}

/** A policy with a baseline; null for one that has none. */
export function planWith(
  intents: readonly Intent[],
  learned: Baseline | null = baselineOf(intents),
  rules: Record<string, unknown>[] = [],
  hash = `sha256:${'a'.repeat(64)}`,
): Plan {
  const settings = PolicySettings.parse({});
  const baseline = learned ?? undefined;
  return compilePolicy(hash, { format: 1, settings, rules: rules.map(ruleOf), intents: [...intents], baseline });
}
