import { hour, number, of, rate } from './query.ts';

export const NUMBERS = {
  ready: number(
    'Partitions not judged',
    'Above 0: /readyz of that analyzer says why.',
    'none',
    `max(${of('partitions')}) - sum(${of('partitions_ready')})`,
    [1, 1],
  ),
  lag: number(
    'Decisions are late by',
    'Age of the oldest record that waits.',
    's',
    `max(${of('lag_seconds')})`,
    [10, 30],
  ),
  lease: number(
    'Oldest lease',
    'Enforcers act on their own beyond 15 s.',
    's',
    `max(${of('lease_age_seconds')})`,
    [5, 15],
  ),
  killed: number(
    'Kills, last hour',
    'Commands to end a session.',
    'none',
    `sum(${hour('commands_total', 'action="kill"')})`,
  ),
  paused: number(
    'Sessions paused now',
    'They wait for a person.',
    'none',
    `sum(${of('sessions', 'level="paused"')})`,
    [20, 100],
  ),
  afterKill: number(
    'Actions after a kill, last hour',
    'Any: an enforcer did not obey.',
    'none',
    `sum(${hour('findings_total', 'code="action_after_kill"')})`,
    [1, 1],
  ),
  refused: number(
    'Share refused',
    'Records that cannot be judged, of all.',
    'percentunit',
    `sum(${rate('refused_total')}) / clamp_min(sum(${rate('records_total')}), 1e-9)`,
    [0.001, 0.01],
  ),
  difference: number(
    'Records not accounted for',
    'Any is a defect.',
    'none',
    `sum(${of('offsets_passed_total')}) - sum(${of('offsets_accounted_total')})`,
    [1, 1],
  ),
} as const;
