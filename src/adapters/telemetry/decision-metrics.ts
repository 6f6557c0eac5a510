import { EXPIRING, isExpired } from '../../domain/expiry.ts';
import { CONDITIONS } from '../../domain/level.ts';
import { by, type MetricDefinition, one } from './metric.ts';
import type { PartitionStats, Stats } from './stats.ts';

/** What the policy does: decisions, levels, findings; and which policy it is, with what was learned for it. */
export const DECISION_METRICS: readonly MetricDefinition[] = [
  {
    type: 'counter',
    name: 'commands_total',
    help: 'Commands, by rule or intents and by action.',
    watch: 'What the rules do. A jump is an attack, a new kind of work, or a bad rule.',
    labels: ['rule', 'action'],
    read: function* (stats) {
      for (const [rule, counts] of stats.commands) {
        for (const [action, count] of Object.entries(counts)) yield [{ rule, action }, count];
      }
    },
  },
  {
    type: 'counter',
    name: 'shadow_hits_total',
    help: 'What rules and intents in the shadow would have done, by rule.',
    watch: 'Before a rule is enforced: so often it would have acted.',
    labels: ['rule'],
    read: (stats) => counted('rule', stats.shadowHits),
  },
  {
    type: 'counter',
    name: 'level_changes_total',
    help: 'Changes of a session to another level, by the new one.',
    watch: 'The flow of sessions into watch, pause and kill.',
    labels: ['level'],
    read: (stats) => by('level', stats.levelChanges),
  },
  {
    type: 'gauge',
    name: 'sessions',
    help: 'Sessions that live in the partitions of this process, in memory or not, by level; counted every ten seconds.',
    watch: 'Many paused: reviewers do not keep up, or a rule is too strict.',
    labels: ['level'],
    read: (stats) => by('level', stats.sessionsByLevel()),
  },
  {
    type: 'counter',
    name: 'findings_total',
    help: 'Findings, by code.',
    watch:
      'action_after_kill, command_escalated: a stop is not enforced. decision_overdue: a pause waits without end. rule_failed: a rule has no value on some events.',
    labels: ['code'],
    read: (stats) => by('code', stats.findings),
  },
  {
    type: 'histogram',
    name: 'detect_to_publish_seconds',
    help: 'By the clock of the log: from the cause of a command to the log knowing that it is out.',
    watch: 'It rises: batches wait, or the brokers acknowledge slowly.',
    read: (stats) => stats.detectToPublish,
  },
  {
    type: 'histogram',
    name: 'publish_to_acknowledge_seconds',
    help: 'By the clock of the log: from there to an enforcer that confirms it.',
    watch: 'It rises: enforcers are slow. No observation at all: nobody confirms, see command_escalated.',
    read: (stats) => stats.publishToAcknowledge,
  },
  {
    type: 'histogram',
    name: 'detect_to_last_action_seconds',
    help: 'By the clock of the log: from the cause of a command to the last action of its session before it was confirmed.',
    watch: 'So long agents act on after they were stopped.',
    read: (stats) => stats.detectToLastAction,
  },
  {
    type: 'counter',
    name: 'bounds_lifted_total',
    help: 'Times that a rule would have done more, by exception.',
    watch: 'An exception works; the findings bound_lifted say what the rule would have done.',
    labels: ['exception'],
    read: (stats) => counted('exception', stats.lifted),
  },
  {
    type: 'counter',
    name: 'reviews_total',
    help: 'Pauses that asked people and are over, by the rule or intent, by which of both it is, and by outcome.',
    watch:
      'released: honest work was stopped; of intents their share of all sessions, finished and living, is the part of the budget that is used. unanswered: people do not keep up.',
    labels: ['rule', 'by', 'outcome'],
    read: function* ({ reviews, intents }) {
      for (const [rule, counts] of reviews) {
        const by = intents.has(rule) ? 'intent' : 'rule';
        for (const [outcome, count] of Object.entries(counts)) yield [{ rule, by, outcome }, count];
      }
    },
  },
  {
    type: 'counter',
    name: 'finished_sessions_total',
    help: 'Lives of sessions that ended without a kill, by partition: told when nothing can matter of them any more, or they begin anew.',
    watch: 'With the sessions that live: what budgets are shares of.',
    labels: ['partition'],
    read: function* ({ partitions }) {
      for (const [partition, { finished }] of partitions)
        if (finished !== undefined) yield [{ partition: String(partition) }, finished];
    },
  },
  {
    type: 'counter',
    name: 'crowded_actions_total',
    help: 'Actions of sessions that their agent began faster than the policy lets in, or of which a partition holds no more: judged together, by partition.',
    watch: 'Nothing in ordinary work. The finding sessions_crowded names the agent.',
    labels: ['partition'],
    read: function* ({ partitions }) {
      for (const [partition, { crowded }] of partitions)
        if (crowded !== undefined) yield [{ partition: String(partition) }, crowded];
    },
  },
  {
    type: 'gauge',
    name: 'policy_info',
    help: 'The policy that is followed; the value is 1.',
    watch: 'More than one hash for minutes: a partition did not change over.',
    labels: ['hash'],
    read: (stats) => (stats.policyHash === undefined ? [] : [[{ hash: stats.policyHash }, 1]]),
  },
  {
    type: 'gauge',
    name: 'policy_folder_refused',
    help: 'Is 1 while the rules folder is refused for what is in it.',
    watch: 'The folder has mistakes, failing tests, or a policy that was replaced; the log says which.',
    labels: [],
    read: (stats) => one(stats.folder === 'refused' ? 1 : 0),
  },
  {
    type: 'gauge',
    name: 'policy_expired',
    help: 'What is expired in the policy that is followed, by kind.',
    watch: 'Exceptions that lift nothing, shadow rules that judge nothing any more; the log names the owner.',
    labels: ['kind'],
    read: function* (stats, clock) {
      for (const kind of EXPIRING) {
        const expired = stats.expiries.filter((one) => one.kind === kind && isExpired(one, clock.nowMs()));
        yield [{ kind }, expired.length];
      }
    },
  },
  {
    type: 'gauge',
    name: 'baseline_info',
    help: 'What was learned for the policy that is followed; the value is 1. No series: intents judge nothing.',
    watch: 'The hash says which lesson it is, `intents` how many intents have one.',
    labels: ['hash', 'intents'],
    read: ({ baseline }) =>
      baseline === undefined ? [] : [[{ hash: baseline.hash, intents: `${baseline.intents}` }, 1]],
  },
  {
    type: 'gauge',
    name: 'baseline_threshold_nats',
    help: 'Evidence above which intents raise a level, by level and by how well it is founded.',
    watch: 'grade insufficient or extrapolated: too few sessions were learned from to promise the budget.',
    labels: ['condition', 'grade'],
    read: (stats) => certified(stats, ({ c }) => c),
  },
  {
    type: 'gauge',
    name: 'baseline_budget_ratio',
    help: 'Share of harmless sessions that may ever cross the threshold, by level.',
    watch: 'Compare with the share of sessions that reviewers release.',
    labels: ['condition', 'grade'],
    read: (stats) => certified(stats, ({ alpha }) => alpha),
  },
  {
    type: 'gauge',
    name: 'baseline_drift_nats',
    help: 'How much finished sessions say against being as those that certify the thresholds, by partition.',
    watch: 'About 0 or below without drift. Above 6.9 (1000 to 1) it is found.',
    labels: ['partition'],
    read: (stats) => drifts(stats, ({ nats }) => nats),
  },
  {
    type: 'gauge',
    name: 'baseline_drifted',
    help: 'Is 1 once that was found, until another baseline is in force, by partition.',
    watch: 'Evidence pauses where it would kill: learn a new baseline.',
    labels: ['partition'],
    read: (stats) => drifts(stats, ({ drifted }) => (drifted ? 1 : 0)),
  },
];

type Certified = NonNullable<Stats['baseline']>['thresholds'][(typeof CONDITIONS)[number]];

function* certified({ baseline }: Stats, read: (threshold: Certified) => number | undefined) {
  if (baseline === undefined) return;
  for (const condition of CONDITIONS) {
    const threshold = baseline.thresholds[condition];
    const value = read(threshold);
    if (value !== undefined) yield [{ condition, grade: threshold.grade }, value] as const;
  }
}

type Drift = NonNullable<PartitionStats['drift']>;

function* drifts({ partitions }: Stats, read: (drift: Drift) => number) {
  for (const [partition, { drift }] of partitions)
    if (drift !== undefined) yield [{ partition: String(partition) }, read(drift)] as const;
}

function* counted(label: string, counts: ReadonlyMap<string, number>) {
  for (const [value, count] of counts) yield [{ [label]: value }, count] as const;
}
