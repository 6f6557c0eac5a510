import { type AlertGroup, found, metric } from './alert.ts';

const RELEASED = `sum(increase(${metric('reviews_total')}{by="intent",outcome="released"}[7d]))`;
/** Those that live are among them: a session counts as finished up to a day after its last action. */
const SESSIONS = `(sum(increase(${metric('finished_sessions_total')}[7d])) + sum(${metric('sessions')}{level!="killed"}))`;

export const POLICY: AlertGroup = {
  name: 'firebreak.policy',
  alerts: [
    {
      name: 'FirebreakNoPolicy',
      expr: `sum(increase(${metric('before_policy_total')}[5m])) > 0`,
      for: '2m',
      severity: 'critical',
      summary: 'Actions come and no policy is active: nothing is judged.',
      description: '{{ $value | printf "%.0f" }} actions were counted and not judged in five minutes.',
    },
    {
      name: 'FirebreakPoliciesDiffer',
      expr: `count(count by (hash) (${metric('policy_info')})) > 1`,
      for: '10m',
      severity: 'warning',
      summary: 'Analyzers follow different policies.',
      description: '{{ $value }} policies are in force for ten minutes: an activation stopped half-way.',
    },
    {
      name: 'FirebreakPolicyFolderRefused',
      expr: `max by (instance) (${metric('policy_folder_refused')}) == 1`,
      for: '5m',
      severity: 'warning',
      summary: 'The rules folder is refused: the old policy stays.',
      description: 'The log of {{ $labels.instance }} names each mistake with its place.',
    },
    {
      name: 'FirebreakPolicyExpired',
      expr: `max by (kind) (${metric('policy_expired')}) > 0`,
      for: '1h',
      severity: 'info',
      summary: 'Something in the policy is past its date.',
      description: '{{ $value }} of kind {{ $labels.kind }} have no effect any more.',
    },
    {
      name: 'FirebreakRuleFailed',
      expr: found('rule_failed', '15m'),
      for: '0s',
      severity: 'warning',
      summary: 'A rule has no value on some events.',
      description: '{{ $value | printf "%.0f" }} times in a quarter of an hour; other rules still count.',
    },
    {
      name: 'FirebreakBaselineWeak',
      expr: `count(${metric('baseline_budget_ratio')}{condition="kill",grade="insufficient"}) > 0`,
      for: '1h',
      severity: 'info',
      summary: 'Too few sessions were learned from to certify kills.',
      description: 'Intents pause where they would kill. Learn from more sessions.',
    },
    {
      name: 'FirebreakBaselineDrifted',
      expr: `sum(${metric('baseline_drifted')}) > 0`,
      for: '0s',
      severity: 'warning',
      summary: 'Sessions are not as those that the baseline was learned from.',
      description: 'In {{ $value }} partitions evidence pauses where it would kill. Learn a new baseline.',
    },
    {
      name: 'FirebreakBudgetOverrun',
      expr: `${RELEASED} > 3 and ${RELEASED} / clamp_min(${SESSIONS}, 1) > on() 2 * max(${metric('baseline_budget_ratio')}{condition="pause"})`,
      for: '0s',
      severity: 'warning',
      summary: 'Reviewers release more sessions that intents paused than the budget allows.',
      description: '{{ $value | printf "%.0f" }} were released in seven days, more than twice the budget of pauses.',
    },
    {
      name: 'FirebreakVersionsDiffer',
      expr: `count(count by (version) (${metric('build_info')})) > 1`,
      for: '1h',
      severity: 'info',
      summary: 'Analyzers of different versions run side by side.',
      description: '{{ $value }} versions for an hour: an upgrade stopped half-way.',
    },
  ],
};
