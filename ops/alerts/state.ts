import { type AlertGroup, JOB, metric } from './alert.ts';

const YOUNG = `on (instance) (time() - process_start_time_seconds{job="${JOB}"} < 15 * 60)`;

/**
 * The counter rose in the last quarter of an hour, of all analyzers. Of a process that is no older all that it counted
 * counts: what it met before its first scrape is no increase to Prometheus, and that is when it takes partitions over.
 */
function rose(counter: string, labels = ''): string {
  const counted = `${metric(counter)}${labels}`;
  return `sum(increase(${counted}[15m])) > 0 or sum(${counted} and ${YOUNG}) > 0`;
}

export const STATE: AlertGroup = {
  name: 'firebreak.state',
  alerts: [
    {
      name: 'FirebreakStateRolledBack',
      // Whoever takes over next finds what an owner saw, and also what none saw, but not before the first commit.
      expr: `${rose('states_behind_total')} or ${rose('tenures_lost_total', '{reason=~"rolled_back|state_lost"}')}`,
      for: '0s',
      severity: 'critical',
      summary: 'Redis lost what it had confirmed.',
      description: '{{ $value | printf "%.0f" }} times older state was found, or none. The log makes it anew.',
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
      expr: rose('rebuilds_total'),
      for: '0s',
      severity: 'warning',
      summary: 'Partitions were rebuilt from the log.',
      description: '{{ $value | printf "%.0f" }} partitions in a quarter of an hour: their state was not in Redis.',
    },
    {
      name: 'FirebreakStateDiscarded',
      expr: rose('states_discarded_total'),
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
      expr: rose('minimal_forms_total'),
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
