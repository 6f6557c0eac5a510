import { MemoryPolicyLibrary } from '../../src/adapters/memory/policy-library.ts';
import { Policies } from '../../src/app/policies.ts';
import { policyBytes } from '../../src/app/rule-folder.ts';
import type { PolicyActivated } from '../../src/domain/record.ts';
import { PolicySettings } from '../../src/domain/rule.ts';
import { compilePolicy, ENGINE_VERSION, type Plan } from '../../src/engine/plan/policy.ts';
import type { NaivePolicy, NaiveRule } from '../properties/naive-measures.ts';
import { bodyOfPolicy } from '../properties/random-policies.ts';

/** Short, so that sessions of a short schedule end, are forgotten, and come back. Equal in all policies. */
const SETTINGS = PolicySettings.parse({
  idleEndMs: 90_000,
  maxLifetimeMs: 600_000,
  watchHoldMs: 60_000,
  killMarkMs: 300_000,
  delayMs: 60_000,
});

const DELETES: NaiveRule = {
  id: 'deletes',
  mode: 'enforce',
  match: { action: 'delete' },
  withinMs: 120_000,
  measures: { n: 'count', kinds: 'distinct(tool)' },
  when: { watch: 'n > 1', pause: 'n > 3 or kinds > 2', kill: 'n > 5' },
  onError: 'watch',
};
const LIFE: NaiveRule = {
  ...DELETES,
  id: 'life',
  match: { action: ['delete', 'read'] },
  withinMs: Number.POSITIVE_INFINITY,
  measures: { n: 'attempts' },
  when: { watch: 'n > 3', pause: 'n > 8', kill: 'n > 11 and session.level >= 2' },
};
const READS: NaiveRule = { ...LIFE, id: 'reads', match: { action: 'read' }, when: { watch: 'n > 1', pause: 'n > 4' } };

/** Complete at its deadline, at whatever record or tick that is noticed. */
const UNANSWERED: NaiveRule = {
  ...DELETES,
  id: 'unanswered',
  match: { action: ['delete', 'read'] },
  measures: {
    open: {
      order: 'sequence',
      steps: [{ match: { action: 'delete' } }, { missing: { action: 'read' }, withinMs: 20_000 }],
      same: undefined,
      maxspanMs: 60_000,
    },
  },
  when: { watch: 'open > 0', pause: 'open > 1', kill: 'open > 3' },
};

/** Each leaves out something that another counts: a session that is touched under it forgets that. */
const POLICIES: readonly NaivePolicy[] = [
  [DELETES, LIFE],
  [{ ...DELETES, when: { watch: 'n > 2', kill: 'n > 4' } }, READS],
  [LIFE, { ...READS, mode: 'shadow' as const }, UNANSWERED],
].map((rules) => ({ settings: SETTINGS, rules }));

export interface SimulatedPolicy {
  activated: PolicyActivated;
  body: Uint8Array;
  plan: Plan;
  naive: NaivePolicy;
}

const library = new MemoryPolicyLibrary(ENGINE_VERSION);
/** Compiled once for all schedules: a compilation takes as long as a schedule. */
export const compiledPolicies = new Policies(library);
export const simulatedPolicies: readonly SimulatedPolicy[] = await Promise.all(
  POLICIES.map(async (naive) => {
    const policy = bodyOfPolicy(naive);
    const body = policyBytes(policy);
    const activated = await library.put(body);
    return { activated, body, plan: compilePolicy(activated.hash, policy), naive };
  }),
);
