import { type AlertGroup, found, metric } from './alert.ts';

export const ENFORCEMENT: AlertGroup = {
  name: 'firebreak.enforcement',
  alerts: [
    {
      name: 'FirebreakActionAfterKill',
      expr: found('action_after_kill', '10m'),
      for: '0s',
      severity: 'critical',
      summary: 'A killed session goes on: the enforcement failed.',
      description: '{{ $value | printf "%.0f" }} actions of killed sessions in ten minutes.',
    },
    {
      name: 'FirebreakActionWhilePaused',
      expr: found('action_while_paused', '10m'),
      for: '2m',
      severity: 'critical',
      summary: 'A paused session goes on.',
      description: '{{ $value | printf "%.0f" }} actions of paused sessions in ten minutes.',
    },
    {
      name: 'FirebreakCommandUnacknowledged',
      expr: found('command_unacknowledged', '10m'),
      for: '1m',
      severity: 'warning',
      summary: 'Enforcers do not acknowledge commands in time.',
      description: '{{ $value | printf "%.0f" }} commands had no acknowledgement in time in ten minutes.',
    },
    {
      name: 'FirebreakCommandEscalated',
      expr: found('command_escalated', '10m'),
      for: '0s',
      severity: 'critical',
      summary: 'A command was repeated and still nobody obeys it.',
      description: '{{ $value | printf "%.0f" }} commands were escalated in ten minutes.',
    },
    {
      name: 'FirebreakReviewBacklog',
      expr: `sum(${metric('sessions')}{level="paused"}) > 20`,
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
      description: '{{ $value | printf "%.0f" }} pauses were not answered in time in a quarter of an hour.',
    },
    {
      name: 'FirebreakKillBurst',
      expr: `sum by (rule) (increase(${metric('commands_total')}{action="kill"}[10m])) > 20`,
      for: '0s',
      severity: 'critical',
      summary: 'One rule kills many sessions at once.',
      description: 'Rule {{ $labels.rule }} killed {{ $value | printf "%.0f" }} sessions in ten minutes.',
    },
  ],
};
