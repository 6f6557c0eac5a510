import { METRIC_PREFIX } from '../src/adapters/telemetry/metric.ts';

export type Severity = 'critical' | 'warning' | 'info' | 'none';

export interface Alert {
  name: string;
  expr: string;
  /** How long it has to hold; 0s where one look is enough. */
  for: string;
  severity: Severity;
  /** One static sentence. */
  summary: string;
  /** With the numbers: Prometheus templates. */
  description: string;
}

export interface AlertGroup {
  name: string;
  alerts: readonly Alert[];
}

/** Stands for the place where an operator serves deploy/runbooks: the chart and deploy/README.md say how it is set. */
export const RUNBOOK_URL = 'https://runbooks.example/firebreak/';

/** What `job` the scrape configuration must give. */
export const JOB = 'firebreak';

const m = (name: string) => `${METRIC_PREFIX}${name}`;
const found = (code: string, window: string) => `sum(increase(${m('findings_total')}{code="${code}"}[${window}])) > 0`;

export const ALERT_GROUPS: readonly AlertGroup[] = [
  {
    name: 'firebreak.judging',
    alerts: [
      {
        name: 'FirebreakWatchdog',
        expr: 'vector(1)',
        for: '0s',
        severity: 'none',
        summary: 'Always fires: whoever stops receiving it has no alerts at all.',
        description: 'Route it to a dead man switch that pages when it stays away.',
      },
      {
        name: 'FirebreakNobodyJudges',
        expr: `(sum(${m('partitions_ready')}) or vector(0)) == 0`,
        for: '1m',
        severity: 'critical',
        summary: 'No partition is judged: agents act unwatched.',
        description: 'No analyzer answers, or none of them judges anything. Commands do not go out.',
      },
      {
        name: 'FirebreakAnalyzerDown',
        expr: `up{job="${JOB}"} == 0`,
        for: '2m',
        severity: 'warning',
        summary: 'An analyzer does not answer.',
        description: '{{ $labels.instance }} has not answered for two minutes. The others take its partitions over.',
      },
      {
        name: 'FirebreakPartitionsUnowned',
        expr: `max(${m('partitions')}) - sum(${m('partitions_owned')}) > 0`,
        for: '2m',
        severity: 'critical',
        summary: 'Partitions of the log belong to no analyzer.',
        description: '{{ $value }} partitions are read by nobody: their sessions are not judged.',
      },
      {
        name: 'FirebreakPartitionsNotReady',
        expr: `sum by (instance) (${m('partitions_owned')} - ${m('partitions_ready')}) > 0`,
        for: '2m',
        severity: 'critical',
        summary: 'Partitions are owned and not judged.',
        description: '{{ $value }} partitions of {{ $labels.instance }} are not judged. /readyz says why.',
      },
      {
        name: 'FirebreakLagging',
        expr: `max(${m('lag_seconds')}) > 30`,
        for: '1m',
        severity: 'warning',
        summary: 'Decisions come late.',
        description: 'The oldest record that waits is {{ $value | humanizeDuration }} old.',
      },
      {
        name: 'FirebreakBlind',
        expr: `max(${m('lag_seconds')}) > 300`,
        for: '2m',
        severity: 'critical',
        summary: 'Decisions come so late that they stop nothing.',
        description: 'The oldest record that waits is {{ $value | humanizeDuration }} old.',
      },
      {
        name: 'FirebreakLeaseOld',
        expr: `max by (instance) (${m('lease_age_seconds')}) > 15`,
        for: '30s',
        severity: 'critical',
        summary: 'Enforcers no longer hear that their sessions are judged.',
        description: 'The oldest lease of {{ $labels.instance }} is {{ $value | humanizeDuration }} old.',
      },
      {
        name: 'FirebreakSilent',
        expr: `sum(increase(${m('records_total')}{type="action"}[15m])) == 0 and sum(increase(${m('records_total')}{type="action"}[6h])) > 0`,
        for: '15m',
        severity: 'warning',
        summary: 'No action has been reported for half an hour.',
        description: 'Agents reported before and do not any more: nobody works, or a gateway is past.',
      },
      {
        name: 'FirebreakAccountingBroken',
        expr: `abs(sum by (instance, partition) (${m('offsets_passed_total')}) - sum by (instance, partition) (${m('offsets_accounted_total')})) > 0`,
        for: '1m',
        severity: 'critical',
        summary: 'Records of the log are not accounted for.',
        description: '{{ $value }} records of partition {{ $labels.partition }} were read and have no outcome.',
      },
    ],
  },
  {
    name: 'firebreak.enforcement',
    alerts: [
      {
        name: 'FirebreakActionAfterKill',
        expr: found('action_after_kill', '10m'),
        for: '0s',
        severity: 'critical',
        summary: 'A killed session goes on: the enforcement failed.',
        description: '{{ $value | humanize }} actions of killed sessions in ten minutes.',
      },
      {
        name: 'FirebreakActionWhilePaused',
        expr: found('action_while_paused', '10m'),
        for: '2m',
        severity: 'critical',
        summary: 'A paused session goes on.',
        description: '{{ $value | humanize }} actions of paused sessions in ten minutes.',
      },
      {
        name: 'FirebreakCommandUnacknowledged',
        expr: found('command_unacknowledged', '10m'),
        for: '1m',
        severity: 'warning',
        summary: 'Enforcers do not acknowledge commands in time.',
        description: '{{ $value | humanize }} commands had no acknowledgement in time in ten minutes.',
      },
      {
        name: 'FirebreakCommandEscalated',
        expr: found('command_escalated', '10m'),
        for: '0s',
        severity: 'critical',
        summary: 'A command was repeated and still nobody obeys it.',
        description: '{{ $value | humanize }} commands were escalated in ten minutes.',
      },
      {
        name: 'FirebreakReviewBacklog',
        expr: `sum(${m('sessions')}{level="paused"}) > 20`,
        for: '15m',
        severity: 'warning',
        summary: 'Many sessions wait for a person.',
        description: '{{ $value }} sessions are paused. What nobody answers in time is killed.',
      },
      {
        name: 'FirebreakDecisionsOverdue',
        expr: found('decision_overdue', '15m'),
        for: '0s',
        severity: 'critical',
        summary: 'Nobody answered in time: sessions are killed for it.',
        description: '{{ $value | humanize }} pauses were not answered in time in a quarter of an hour.',
      },
      {
        name: 'FirebreakKillBurst',
        expr: `sum by (rule) (increase(${m('commands_total')}{action="kill"}[10m])) > 20`,
        for: '0s',
        severity: 'critical',
        summary: 'One rule kills many sessions at once.',
        description: 'Rule {{ $labels.rule }} killed {{ $value | humanize }} sessions in ten minutes.',
      },
    ],
  },
  {
    name: 'firebreak.input',
    alerts: [
      {
        name: 'FirebreakQuarantineBurst',
        expr: `sum(increase(${m('refused_total')}[5m])) > 20 and sum(rate(${m('refused_total')}[5m])) / sum(rate(${m('records_total')}[5m])) > 0.01`,
        for: '1m',
        severity: 'warning',
        summary: 'More than one record in a hundred cannot be judged.',
        description: '{{ $value | humanize }} records went to quarantine in five minutes.',
      },
      {
        name: 'FirebreakSignaturesRefused',
        expr: `sum(increase(${m('refused_total')}{reason="invalid_signature"}[10m])) > 0`,
        for: '0s',
        severity: 'critical',
        summary: 'Somebody writes records without a right to.',
        description: '{{ $value | humanize }} records with a signature that does not hold, in ten minutes.',
      },
      {
        name: 'FirebreakClockJumped',
        expr: found('clock_jumped', '15m'),
        for: '0s',
        severity: 'warning',
        summary: 'The clock of a broker jumped.',
        description: '{{ $value | humanize }} jumps in a quarter of an hour. Windows follow the clock of the brokers.',
      },
      {
        name: 'FirebreakEventIdsReused',
        expr: `sum(increase(${m('findings_total')}{code="event_id_reused"}[15m])) > 10`,
        for: '0s',
        severity: 'warning',
        summary: 'A producer uses the same event id for different events.',
        description: '{{ $value | humanize }} events in a quarter of an hour had the id of another.',
      },
    ],
  },
  {
    name: 'firebreak.state',
    alerts: [
      {
        name: 'FirebreakStateRolledBack',
        expr: `sum(increase(${m('tenures_lost_total')}{reason=~"rolled_back|state_lost"}[15m])) > 0`,
        for: '0s',
        severity: 'critical',
        summary: 'Redis lost what it had confirmed.',
        description: '{{ $value | humanize }} partitions found older state or none. They are rebuilt from the log.',
      },
      {
        name: 'FirebreakFencing',
        expr: `sum(increase(${m('tenures_lost_total')}{reason="fenced"}[15m])) > 10`,
        for: '5m',
        severity: 'warning',
        summary: 'Analyzers take partitions from each other.',
        description: '{{ $value | humanize }} times in a quarter of an hour: the group does not settle.',
      },
      {
        name: 'FirebreakGivingUp',
        expr: `sum by (instance) (increase(${m('partitions_given_up_total')}[15m])) > 10`,
        for: '5m',
        severity: 'warning',
        summary: 'An analyzer drops partitions again and again.',
        description: '{{ $labels.instance }} gave up {{ $value | humanize }} times in a quarter of an hour.',
      },
      {
        name: 'FirebreakRebuilt',
        expr: `sum(increase(${m('rebuilds_total')}[15m])) > 0`,
        for: '0s',
        severity: 'warning',
        summary: 'Partitions were rebuilt from the log.',
        description: '{{ $value | humanize }} partitions in a quarter of an hour: their state was not in Redis.',
      },
      {
        name: 'FirebreakStateDiscarded',
        expr: `sum(increase(${m('states_discarded_total')}[15m])) > 0`,
        for: '0s',
        severity: 'warning',
        summary: 'Stored state could not be used and was thrown away.',
        description: '{{ $value | humanize }} states in a quarter of an hour; the log says why.',
      },
      {
        name: 'FirebreakCheckpointOld',
        expr: `max by (instance) (${m('checkpoint_age_seconds')}) > 60`,
        for: '2m',
        severity: 'warning',
        summary: 'Redis takes no checkpoints.',
        description:
          'The oldest of {{ $labels.instance }} is {{ $value | humanizeDuration }} old: a crash repeats as much.',
      },
      {
        name: 'FirebreakMinimalForms',
        expr: `sum(increase(${m('minimal_forms_total')}[15m])) > 0`,
        for: '0s',
        severity: 'warning',
        summary: 'The broker refuses outputs for good.',
        description: '{{ $value | humanize }} outputs were answered by ids and digest only.',
      },
      {
        name: 'FirebreakEventLoopDelayed',
        expr: `nodejs_eventloop_lag_p99_seconds{job="${JOB}"} > 1`,
        for: '5m',
        severity: 'warning',
        summary: 'An analyzer does not come to breathe.',
        description: 'The event loop of {{ $labels.instance }} is {{ $value | humanizeDuration }} late.',
      },
    ],
  },
  {
    name: 'firebreak.policy',
    alerts: [
      {
        name: 'FirebreakNoPolicy',
        expr: `sum(increase(${m('before_policy_total')}[5m])) > 0`,
        for: '2m',
        severity: 'critical',
        summary: 'Actions come and no policy is active: nothing is judged.',
        description: '{{ $value | humanize }} actions were counted and not judged in five minutes.',
      },
      {
        name: 'FirebreakPoliciesDiffer',
        expr: `count(count by (hash) (${m('policy_info')})) > 1`,
        for: '10m',
        severity: 'warning',
        summary: 'Analyzers follow different policies.',
        description: '{{ $value }} policies are in force for ten minutes: an activation stopped half-way.',
      },
      {
        name: 'FirebreakPolicyFolderRefused',
        expr: `max by (instance) (${m('policy_folder_refused')}) == 1`,
        for: '5m',
        severity: 'warning',
        summary: 'The rules folder is refused: the old policy stays.',
        description: 'The log of {{ $labels.instance }} names each mistake with its place.',
      },
      {
        name: 'FirebreakPolicyExpired',
        expr: `max by (kind) (${m('policy_expired')}) > 0`,
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
        description: '{{ $value | humanize }} times in a quarter of an hour; other rules still count.',
      },
      {
        name: 'FirebreakBaselineWeak',
        expr: `count(${m('baseline_budget_ratio')}{condition="kill",grade="insufficient"}) > 0`,
        for: '1h',
        severity: 'info',
        summary: 'Too few sessions were learned from to certify kills.',
        description: 'Intents pause where they would kill. Learn from more sessions.',
      },
      {
        name: 'FirebreakBaselineDrifted',
        expr: `sum(${m('baseline_drifted')}) > 0`,
        for: '0s',
        severity: 'warning',
        summary: 'Sessions are not as those that the baseline was learned from.',
        description: 'In {{ $value }} partitions evidence pauses where it would kill. Learn a new baseline.',
      },
      {
        name: 'FirebreakBudgetOverrun',
        expr: `sum(increase(${m('reviews_total')}{by="intent",outcome="released"}[7d])) > 3 and sum(increase(${m('reviews_total')}{by="intent",outcome="released"}[7d])) / clamp_min(sum(increase(${m('finished_sessions_total')}[7d])), 1) > on() 2 * max(${m('baseline_budget_ratio')}{condition="pause"})`,
        for: '0s',
        severity: 'warning',
        summary: 'Reviewers release more sessions that intents paused than the budget allows.',
        description: '{{ $value | humanize }} were released in seven days, more than twice the budget of pauses.',
      },
      {
        name: 'FirebreakVersionsDiffer',
        expr: `count(count by (version) (${m('build_info')})) > 1`,
        for: '1h',
        severity: 'info',
        summary: 'Analyzers of different versions run side by side.',
        description: '{{ $value }} versions for an hour: an upgrade stopped half-way.',
      },
    ],
  },
];

export const ALERTS: readonly Alert[] = ALERT_GROUPS.flatMap(({ alerts }) => alerts);

/** `FirebreakLeaseOld` → `lease-old.md`. */
export function runbookFile({ name }: Alert): string {
  return `${name
    .replace(/^Firebreak/, '')
    .replace(/(?<!^)[A-Z]/g, '-$&')
    .toLowerCase()}.md`;
}

/** The rule file as Prometheus and a PrometheusRule take it. */
export function ruleFile(): { groups: unknown[] } {
  return {
    groups: ALERT_GROUPS.map(({ name, alerts }) => ({
      name,
      rules: alerts.map((alert) => ({
        alert: alert.name,
        expr: alert.expr,
        ...(alert.for === '0s' ? {} : { for: alert.for }),
        labels: { severity: alert.severity },
        annotations: {
          summary: alert.summary,
          description: alert.description,
          runbook_url: `${RUNBOOK_URL}${runbookFile(alert)}`,
        },
      })),
    })),
  };
}
