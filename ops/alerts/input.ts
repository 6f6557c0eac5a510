import { type AlertGroup, found, metric } from './alert.ts';

export const INPUT: AlertGroup = {
  name: 'firebreak.input',
  alerts: [
    {
      name: 'FirebreakQuarantineBurst',
      expr: `sum(increase(${metric('refused_total')}[5m])) > 20 and sum(rate(${metric('refused_total')}[5m])) / sum(rate(${metric('records_total')}[5m])) > 0.01`,
      for: '1m',
      severity: 'warning',
      summary: 'More than one record in a hundred cannot be judged.',
      description: '{{ $value | printf "%.0f" }} records went to quarantine in five minutes.',
    },
    {
      name: 'FirebreakSignaturesRefused',
      expr: `sum(increase(${metric('refused_total')}{reason="invalid_signature"}[10m])) > 0`,
      for: '0s',
      severity: 'critical',
      summary: 'Somebody writes records without a right to.',
      description: '{{ $value | printf "%.0f" }} records with a signature that does not hold, in ten minutes.',
    },
    {
      name: 'FirebreakClockJumped',
      expr: found('clock_jumped', '15m'),
      for: '0s',
      severity: 'warning',
      summary: 'The clock of a broker jumped.',
      description:
        '{{ $value | printf "%.0f" }} jumps in a quarter of an hour. Windows follow the clock of the brokers.',
    },
    {
      name: 'FirebreakSessionsCrowded',
      expr: found('sessions_crowded', '15m'),
      for: '0s',
      severity: 'warning',
      summary: 'An agent begins more sessions than the policy lets in.',
      description:
        '{{ $value | humanize }} crowds in a quarter of an hour: what begins beyond the bound is judged together.',
    },
    {
      name: 'FirebreakNotRelayed',
      expr: `sum by (topic) (increase(${metric('relayed_total')}{outcome="failed"}[15m])) > 3`,
      for: '5m',
      severity: 'warning',
      summary: 'What others write does not come into the log.',
      description:
        'Copying {{ $labels.topic }} began anew {{ $value | printf "%.0f" }} times in a quarter of an hour. Until it succeeds that is not heard: acks, decisions, or for crowds the actions.',
    },
    {
      name: 'FirebreakEventIdsReused',
      expr: `sum(increase(${metric('findings_total')}{code="event_id_reused"}[15m])) > 10`,
      for: '0s',
      severity: 'warning',
      summary: 'A producer uses the same event id for different events.',
      description: '{{ $value | printf "%.0f" }} events in a quarter of an hour had the id of another.',
    },
  ],
};
