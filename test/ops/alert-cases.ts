/** Series as promtool writes them: name → values every 30 s. */
type Input = Record<string, string>;

export interface AlertCase {
  alert: string;
  /** With these it fires at `at` and, where `count` says so, for so many label sets. */
  fires: Input;
  at: string;
  count?: number;
  /** With these it does not: what is normal, or not yet long enough. */
  quiet: Input;
}

const STEADY = '0+0x60';
/** Nothing for five minutes, then a rise by `by`, and no more. */
const jump = (by: number) => `0+0x10 ${by}+0x60`;
const finding = (code: string) => `firebreak_findings_total{code="${code}",instance="a"}`;
const one = (name: string) => `firebreak_${name}{instance="a"}`;

function onFinding(alert: string, code: string, at: string): AlertCase {
  return { alert, fires: { [finding(code)]: jump(2) }, at, quiet: { [finding(code)]: STEADY } };
}

function onRise(alert: string, name: string): AlertCase {
  return { alert, fires: { [one(name)]: jump(1) }, at: '7m', quiet: { [one(name)]: STEADY } };
}

export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: 'FirebreakNobodyJudges',
    fires: { [one('partitions_ready')]: '0x60' },
    at: '2m',
    quiet: { [one('partitions_ready')]: '0 0 4x60' },
  },
  {
    alert: 'FirebreakAnalyzerDown',
    fires: { 'up{job="firebreak",instance="a"}': '1x4 0x60', 'up{job="firebreak",instance="b"}': '1x60' },
    at: '6m',
    quiet: { 'up{job="firebreak",instance="a"}': '1x4 0 0 1x60', 'up{job="other",instance="c"}': '0x60' },
  },
  {
    alert: 'FirebreakPartitionsUnowned',
    fires: { [one('partitions')]: '64x60', [one('partitions_owned')]: '40x60' },
    at: '3m',
    quiet: {
      [one('partitions')]: '64x60',
      [one('partitions_owned')]: '40x60',
      'firebreak_partitions_owned{instance="b"}': '0 0 24x60',
    },
  },
  {
    alert: 'FirebreakPartitionsNotReady',
    fires: { [one('partitions_owned')]: '8x60', [one('partitions_ready')]: '7x60' },
    at: '3m',
    quiet: { [one('partitions_owned')]: '8x60', [one('partitions_ready')]: '7 7 8x60' },
  },
  {
    alert: 'FirebreakLagging',
    fires: { 'firebreak_lag_seconds{partition="3"}': '0 40x60', 'firebreak_lag_seconds{partition="4"}': '0x60' },
    at: '3m',
    quiet: { 'firebreak_lag_seconds{partition="3"}': '40 29x60' },
  },
  {
    alert: 'FirebreakBlind',
    fires: { 'firebreak_lag_seconds{partition="3"}': '400x60' },
    at: '3m',
    quiet: { 'firebreak_lag_seconds{partition="3"}': '299x60' },
  },
  {
    alert: 'FirebreakLeaseOld',
    fires: { 'firebreak_lease_age_seconds{instance="a",partition="1"}': '1 20x60' },
    at: '2m',
    quiet: { 'firebreak_lease_age_seconds{instance="a",partition="1"}': '1 20 2x60' },
  },
  {
    alert: 'FirebreakSilent',
    fires: { 'firebreak_records_total{type="action"}': '0+100x20 2000x120' },
    at: '55m',
    quiet: { 'firebreak_records_total{type="action"}': '0+1x140' },
  },
  {
    alert: 'FirebreakAccountingBroken',
    fires: {
      'firebreak_offsets_passed_total{instance="a",partition="0"}': '10x60',
      'firebreak_offsets_accounted_total{instance="a",partition="0",outcome="judged"}': '8x60',
      'firebreak_offsets_accounted_total{instance="a",partition="0",outcome="refused"}': '1x60',
    },
    at: '2m',
    quiet: {
      'firebreak_offsets_passed_total{instance="a",partition="0"}': '10x60',
      'firebreak_offsets_accounted_total{instance="a",partition="0",outcome="judged"}': '8x60',
      'firebreak_offsets_accounted_total{instance="a",partition="0",outcome="refused"}': '2x60',
    },
  },
  onFinding('FirebreakActionAfterKill', 'action_after_kill', '7m'),
  onFinding('FirebreakActionWhilePaused', 'action_while_paused', '9m'),
  onFinding('FirebreakCommandUnacknowledged', 'command_unacknowledged', '8m'),
  onFinding('FirebreakCommandEscalated', 'command_escalated', '7m'),
  {
    alert: 'FirebreakReviewBacklog',
    fires: {
      'firebreak_sessions{instance="a",level="paused"}': '15x60',
      'firebreak_sessions{instance="b",level="paused"}': '15x60',
    },
    at: '16m',
    quiet: { 'firebreak_sessions{instance="a",level="paused"}': '20x60' },
  },
  onFinding('FirebreakDecisionsOverdue', 'decision_overdue', '7m'),
  {
    alert: 'FirebreakKillBurst',
    fires: { 'firebreak_commands_total{rule="new",action="kill"}': jump(40) },
    at: '7m',
    quiet: { 'firebreak_commands_total{rule="new",action="pause"}': jump(40) },
  },
  {
    alert: 'FirebreakQuarantineBurst',
    fires: {
      'firebreak_refused_total{reason="not_json"}': '0+10x60',
      'firebreak_records_total{type="action"}': '0+100x60',
    },
    at: '10m',
    quiet: {
      'firebreak_refused_total{reason="not_json"}': '0+10x60',
      'firebreak_records_total{type="action"}': '0+10000x60',
    },
  },
  {
    alert: 'FirebreakSignaturesRefused',
    fires: { 'firebreak_refused_total{reason="invalid_signature"}': jump(1) },
    at: '7m',
    quiet: { 'firebreak_refused_total{reason="not_json"}': jump(1) },
  },
  onFinding('FirebreakClockJumped', 'clock_jumped', '7m'),
  onFinding('FirebreakSessionsCrowded', 'sessions_crowded', '7m'),
  {
    alert: 'FirebreakEventIdsReused',
    fires: { [finding('event_id_reused')]: jump(50) },
    at: '7m',
    quiet: { [finding('event_id_reused')]: jump(5) },
  },
  {
    alert: 'FirebreakNotRelayed',
    fires: { 'firebreak_relayed_total{topic="actions",outcome="failed",instance="a"}': '0+3x60' },
    at: '12m',
    quiet: {
      'firebreak_relayed_total{topic="actions",outcome="copied",instance="a"}': '0+300x60',
      'firebreak_relayed_total{topic="acks",outcome="failed",instance="a"}': jump(2),
    },
  },
  {
    alert: 'FirebreakStateRolledBack',
    fires: { 'firebreak_tenures_lost_total{reason="rolled_back"}': jump(1) },
    at: '7m',
    quiet: { 'firebreak_tenures_lost_total{reason="fenced"}': jump(1) },
  },
  {
    // Redis went away before its owner could see what it lost, and whoever took over found it.
    alert: 'FirebreakStateRolledBack',
    fires: {
      'firebreak_states_behind_total{found="none"}': jump(1),
      'firebreak_states_behind_total{found="older"}': STEADY,
      'firebreak_tenures_lost_total{reason="unknown"}': jump(1),
    },
    at: '7m',
    quiet: {
      'firebreak_states_behind_total{found="none"}': STEADY,
      'firebreak_states_behind_total{found="older"}': STEADY,
      'firebreak_tenures_lost_total{reason="unknown"}': jump(1),
    },
  },
  {
    // Found before the first scrape: no increase to Prometheus.
    alert: 'FirebreakStateRolledBack',
    fires: {
      'firebreak_states_behind_total{found="none",instance="b"}': '_x30 1x60',
      'process_start_time_seconds{job="firebreak",instance="b"}': '_x30 890x60',
    },
    at: '20m',
    quiet: {
      'firebreak_states_behind_total{found="none",instance="a"}': '1x60',
      'process_start_time_seconds{job="firebreak",instance="a"}': '0x60',
    },
  },
  {
    // Both saw it: one alert.
    alert: 'FirebreakStateRolledBack',
    fires: {
      'firebreak_states_behind_total{found="older"}': jump(2),
      'firebreak_tenures_lost_total{reason="state_lost"}': jump(1),
    },
    at: '7m',
    quiet: { [one('rebuilds_total')]: jump(2) },
  },
  {
    alert: 'FirebreakFencing',
    fires: { 'firebreak_tenures_lost_total{reason="fenced"}': '0+2x60' },
    at: '20m',
    quiet: { 'firebreak_tenures_lost_total{reason="fenced"}': jump(8) },
  },
  {
    alert: 'FirebreakGivingUp',
    fires: { [one('partitions_given_up_total')]: '0+2x60' },
    at: '20m',
    quiet: { [one('partitions_given_up_total')]: jump(8) },
  },
  onRise('FirebreakRebuilt', 'rebuilds_total'),
  onRise('FirebreakStateDiscarded', 'states_discarded_total'),
  {
    alert: 'FirebreakCheckpointOld',
    fires: { [one('checkpoint_age_seconds')]: '1 70x60' },
    at: '4m',
    quiet: { [one('checkpoint_age_seconds')]: '1 70 1x60' },
  },
  onRise('FirebreakMinimalForms', 'minimal_forms_total'),
  {
    alert: 'FirebreakEventLoopDelayed',
    fires: { 'nodejs_eventloop_lag_p99_seconds{job="firebreak",instance="a"}': '2x60' },
    at: '6m',
    quiet: { 'nodejs_eventloop_lag_p99_seconds{job="other",instance="a"}': '2x60' },
  },
  {
    alert: 'FirebreakNoPolicy',
    fires: { [one('before_policy_total')]: '0+3x60' },
    at: '5m',
    quiet: { [one('before_policy_total')]: STEADY },
  },
  {
    alert: 'FirebreakPoliciesDiffer',
    fires: {
      'firebreak_policy_info{instance="a",hash="sha256:1"}': '1x60',
      'firebreak_policy_info{instance="b",hash="sha256:2"}': '1x60',
    },
    at: '11m',
    quiet: {
      'firebreak_policy_info{instance="a",hash="sha256:1"}': '1x60',
      'firebreak_policy_info{instance="b",hash="sha256:1"}': '1x60',
    },
  },
  {
    alert: 'FirebreakPolicyFolderRefused',
    fires: { [one('policy_folder_refused')]: '1x60' },
    at: '6m',
    quiet: { [one('policy_folder_refused')]: '1 1 0x60' },
  },
  {
    alert: 'FirebreakPolicyExpired',
    fires: { 'firebreak_policy_expired{kind="exception"}': '2x200' },
    at: '62m',
    quiet: { 'firebreak_policy_expired{kind="exception"}': '0x200' },
  },
  onFinding('FirebreakRuleFailed', 'rule_failed', '7m'),
  {
    alert: 'FirebreakBaselineWeak',
    fires: { 'firebreak_baseline_budget_ratio{condition="kill",grade="insufficient"}': '0.01x200' },
    at: '62m',
    quiet: { 'firebreak_baseline_budget_ratio{condition="kill",grade="conformal"}': '0.01x200' },
  },
  {
    alert: 'FirebreakBaselineDrifted',
    fires: { 'firebreak_baseline_drifted{partition="3"}': '0x5 1x200' },
    at: '7m',
    quiet: { 'firebreak_baseline_drifted{partition="3"}': '0x200' },
  },
  {
    alert: 'FirebreakBudgetOverrun',
    fires: {
      'firebreak_reviews_total{rule="i",by="intent",outcome="released"}': '0 0+1x200',
      'firebreak_finished_sessions_total{partition="0"}': '0 0+50x200',
      'firebreak_sessions{level="clear"}': '100x200',
      'firebreak_baseline_budget_ratio{condition="pause",grade="conformal"}': '0.005x200',
    },
    at: '20m',
    quiet: {
      'firebreak_reviews_total{rule="i",by="intent",outcome="released"}': '0 0+1x200',
      'firebreak_finished_sessions_total{partition="0"}': '0 0+70x200',
      'firebreak_sessions{level="clear"}': '2000x200',
      'firebreak_baseline_budget_ratio{condition="pause",grade="conformal"}': '0.005x200',
    },
  },
  {
    alert: 'FirebreakVersionsDiffer',
    fires: {
      'firebreak_build_info{instance="a",version="1"}': '1x200',
      'firebreak_build_info{instance="b",version="2"}': '1x200',
    },
    at: '62m',
    quiet: { 'firebreak_build_info{instance="a",version="1"}': '1x200' },
  },
];
