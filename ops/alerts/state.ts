import { type AlertGroup, JOB, metric } from './alert.ts';

export const STATE: AlertGroup = {
  name: 'firebreak.state',
  alerts: [
    {
      name: 'FirebreakStateRolledBack',
      expr: `sum(increase(${metric('tenures_lost_total')}{reason=~"rolled_back|state_lost"}[15m])) > 0`,
      for: '0s',
      severity: 'critical',
      summary: 'Redis lost what it had confirmed.',
      description: '{{ $value | printf "%.0f" }} partitions found older state or none. They are rebuilt from the log.',
    },
    {
      name: 'FirebreakFencing',
      expr: `sum(increase(${metric('tenures_lost_total')}{reason="fenced"}[15m])) > 10`,
      for: '5m',
      severity: 'warning',
      summary: 'Analyzers take partitions from each other.',
      description: '{{ $value | printf "%.0f" }} times in a quarter of an hour: the group does not settle.',
    },
    {
      name: 'FirebreakGivingUp',
      expr: `sum by (instance) (increase(${metric('partitions_given_up_total')}[15m])) > 10`,
      for: '5m',
      severity: 'warning',
      summary: 'An analyzer drops partitions again and again.',
      description: '{{ $labels.instance }} gave up {{ $value | printf "%.0f" }} times in a quarter of an hour.',
    },
    {
      name: 'FirebreakRebuilt',
      expr: `sum(increase(${metric('rebuilds_total')}[15m])) > 0`,
      for: '0s',
      severity: 'warning',
      summary: 'Partitions were rebuilt from the log.',
      description: '{{ $value | printf "%.0f" }} partitions in a quarter of an hour: their state was not in Redis.',
    },
    {
      name: 'FirebreakStateDiscarded',
      expr: `sum(increase(${metric('states_discarded_total')}[15m])) > 0`,
      for: '0s',
      severity: 'warning',
      summary: 'Stored state could not be used and was thrown away.',
      description: '{{ $value | printf "%.0f" }} states in a quarter of an hour; the log says why.',
    },
    {
      name: 'FirebreakCheckpointOld',
      expr: `max by (instance) (${metric('checkpoint_age_seconds')}) > 60`,
      for: '2m',
      severity: 'warning',
      summary: 'Redis takes no checkpoints.',
      description:
        'The oldest of {{ $labels.instance }} is {{ $value | humanizeDuration }} old: a crash repeats as much.',
    },
    {
      name: 'FirebreakMinimalForms',
      expr: `sum(increase(${metric('minimal_forms_total')}[15m])) > 0`,
      for: '0s',
      severity: 'warning',
      summary: 'The broker refuses outputs for good.',
      description: '{{ $value | printf "%.0f" }} outputs were answered by ids and digest only.',
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
};
