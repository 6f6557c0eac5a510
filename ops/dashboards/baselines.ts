import type { Dashboard } from '../panel.ts';
import { of, panel, rate } from './query.ts';

export const BASELINES: Dashboard = {
  uid: 'firebreak-baselines',
  title: 'Firebreak: policy and baselines',
  description: 'What is in force, what it was learned from, and how far its promises go.',
  rows: [
    {
      title: 'In force',
      panels: [
        panel('table', 'Policy', 'More than one hash only during an activation.', 'none', [of('policy_info'), '']),
        panel('table', 'Baseline', 'No line: intents judge nothing.', 'none', [of('baseline_info'), '']),
      ],
    },
    {
      title: 'Promises',
      panels: [
        panel(
          'table',
          'Thresholds',
          'Evidence in nats above which a level begins. No line for a level that nothing certifies.',
          'none',
          [`max by (condition, grade) (${of('baseline_threshold_nats')})`, ''],
        ),
        panel('table', 'Budgets', 'Share of harmless sessions that may ever cross it.', 'percentunit', [
          `max by (condition, grade) (${of('baseline_budget_ratio')})`,
          '',
        ]),
      ],
    },
    {
      title: 'Kept?',
      panels: [
        panel(
          'lines',
          'Share of sessions by level',
          'Compare watch, paused and killed with the budgets.',
          'percentunit',
          [
            `sum by (level) (${of('sessions', 'level!="clear"')}) / scalar(clamp_min(sum(${of('sessions')}), 1))`,
            '{{level}}',
          ],
        ),
        panel(
          'stacked',
          'Commands by rule or intent',
          'The kills of honest sessions count against the budget.',
          'ops',
          [`sum by (rule, action) (${rate('commands_total')})`, '{{rule}} {{action}}'],
        ),
        panel(
          'lines',
          'Budget of pauses: granted and used',
          'Used: sessions that intents paused and people released, of all that finished, over seven days.',
          'percentunit',
          [`max(${of('baseline_budget_ratio', 'condition="pause"')})`, 'granted'],
          [
            `sum(increase(${of('reviews_total', 'by="intent",outcome="released"')}[7d])) / clamp_min(sum(increase(${of('finished_sessions_total')}[7d])), 1)`,
            'used',
          ],
        ),
        panel('lines', 'Drift', 'Above 6.9 nats finished sessions are not as those that certify.', 'none', [
          `max by (partition) (${of('baseline_drift_nats')})`,
          '{{partition}}',
        ]),
        panel('lines', 'Expired', 'Past their date: exceptions, shadow rules.', 'none', [
          `max by (kind) (${of('policy_expired')})`,
          '{{kind}}',
        ]),
      ],
    },
  ],
};
