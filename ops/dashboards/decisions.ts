import type { Dashboard } from '../panel.ts';
import { NUMBERS } from './numbers.ts';
import { hour, number, of, panel, rate } from './query.ts';

export const DECISIONS: Dashboard = {
  uid: 'firebreak-decisions',
  title: 'Firebreak: sessions and decisions',
  description: 'Which levels sessions have, which rules brought them there, and whether commands are obeyed.',
  rows: [
    {
      title: 'Levels',
      panels: [
        panel('stacked', 'Sessions by level', 'All that live, in memory or not; counted every ten seconds.', 'short', [
          `sum by (level) (${of('sessions')})`,
          '{{level}}',
        ]),
        panel('stacked', 'Level changes', 'Into each level.', 'ops', [
          `sum by (level) (${rate('level_changes_total')})`,
          '{{level}}',
        ]),
      ],
    },
    {
      title: 'Decisions',
      panels: [
        panel('stacked', 'Commands by rule', 'A jump is an attack, a new kind of work, or a bad rule.', 'ops', [
          `sum by (rule, action) (${rate('commands_total')})`,
          '{{rule}} {{action}}',
        ]),
        panel('table', 'Commands, last hour', 'By rule and action.', 'none', [
          `sum by (rule, action) (${hour('commands_total')}) > 0`,
          '',
        ]),
      ],
    },
    {
      title: 'Findings',
      panels: [
        panel('stacked', 'Findings by code', 'What people should know.', 'ops', [
          `sum by (code) (${rate('findings_total')})`,
          '{{code}}',
        ]),
        panel('stacked', 'Shadow hits by rule', 'What rules would have done if they were enforced.', 'ops', [
          `sum by (rule) (${rate('shadow_hits_total')})`,
          '{{rule}}',
        ]),
        panel('stacked', 'Lifted by exceptions', 'What exceptions kept rules from.', 'ops', [
          `sum by (exception) (${rate('bounds_lifted_total')})`,
          '{{exception}}',
        ]),
      ],
    },
    {
      title: 'People',
      panels: [
        panel('lines', 'Asked, answered, overdue', 'Pauses that ask a person, and what came.', 'ops', [
          `sum by (code) (${rate('findings_total', 'code=~"decision_.*"')})`,
          '{{code}}',
        ]),
        panel('stacked', 'Relayed', 'What enforcers and reviewers say, on its way into the log.', 'ops', [
          `sum by (topic, outcome) (${rate('relayed_total')})`,
          '{{topic}} {{outcome}}',
        ]),
      ],
    },
    {
      title: 'Obeyed',
      panels: [
        NUMBERS.afterKill,
        number(
          'Rules failed, last hour',
          'A rule has no value on some events.',
          'none',
          `sum(${hour('findings_total', 'code="rule_failed"')})`,
          [1, 1],
        ),
        NUMBERS.paused,
      ],
    },
  ],
};
