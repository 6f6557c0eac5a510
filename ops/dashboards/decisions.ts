import type { Dashboard } from '../panel.ts';
import { COMMANDS } from './commands.ts';
import { NUMBERS } from './numbers.ts';
import { bands, hour, number, of, orElse, panel, perMinute, rate, table } from './query.ts';

export const DECISIONS: Dashboard = {
  uid: 'firebreak-decisions',
  title: 'Firebreak: sessions and decisions',
  description: 'Which levels sessions have, which rules brought them there, and whether commands are obeyed.',
  rows: [
    {
      title: 'Levels',
      panels: [
        bands(
          'Sessions by level',
          'All that live, in memory or not; counted every ten seconds.',
          'short',
          `sum by (level) (${of('sessions')})`,
          '{{level}}',
          'No session',
        ),
        bands(
          'Level changes',
          'Into each level.',
          'cpm',
          `sum by (level) (${perMinute('level_changes_total')})`,
          '{{level}}',
          'No change of level',
        ),
      ],
    },
    {
      title: 'Decisions',
      panels: [
        COMMANDS,
        orElse(
          'No command in the last hour',
          table(
            'Commands, last hour',
            'By rule or intent and by action.',
            'none',
            'commands',
            `sum by (rule, action) (${hour('commands_total')}) > 0`,
          ),
        ),
      ],
    },
    {
      title: 'Findings',
      panels: [
        bands(
          'Findings by code',
          'What people should know.',
          'cpm',
          `sum by (code) (${perMinute('findings_total')})`,
          '{{code}}',
          'No finding',
        ),
        bands(
          'Shadow hits by rule',
          'What rules would have done if they were enforced.',
          'cpm',
          `sum by (rule) (${perMinute('shadow_hits_total')})`,
          '{{rule}}',
          'No hit in the shadow',
        ),
        bands(
          'Lifted by exceptions',
          'What exceptions kept rules from.',
          'cpm',
          `sum by (exception) (${perMinute('bounds_lifted_total')})`,
          '{{exception}}',
          'No exception lifted anything',
        ),
      ],
    },
    {
      title: 'People',
      panels: [
        panel('lines', 'Asked, answered, overdue', 'Pauses that ask a person, and what came.', 'cpm', [
          `sum by (code) (${perMinute('findings_total', 'code=~"decision_.*"')})`,
          '{{code}}',
        ]),
        bands(
          'Relayed',
          'What enforcers and reviewers say, on its way into the log.',
          'ops',
          `sum by (topic, outcome) (${rate('relayed_total')})`,
          '{{topic}} {{outcome}}',
          'Nothing was said',
        ),
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
