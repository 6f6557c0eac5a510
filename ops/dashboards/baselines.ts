import { DRIFT_ALARM } from '../../src/engine/evidence/drift.ts';
import type { Dashboard } from '../panel.ts';
import { COMMANDS } from './commands.ts';
import { info, of, orElse, panel, table } from './query.ts';

const RELEASED = `sum(increase(${of('reviews_total', 'by="intent",outcome="released"')}[7d]))`;
const SESSIONS = `(sum(increase(${of('finished_sessions_total')}[7d])) + sum(${of('sessions', 'level!="killed"')}))`;
const ALARM = DRIFT_ALARM.toFixed(1);
const NO_BASELINE = 'No baseline: intents judge nothing';

export const BASELINES: Dashboard = {
  uid: 'firebreak-baselines',
  title: 'Firebreak: policy and baselines',
  description: 'What is in force, what it was learned from, and how far its promises go.',
  rows: [
    {
      title: 'In force',
      panels: [
        info('Policy', 'Different ones only during an activation.', 'policy_info', 'hash'),
        orElse(
          NO_BASELINE,
          info('Baseline', 'Different ones only during an activation.', 'baseline_info', 'hash', 'intents'),
        ),
        panel('lines', 'Expired', 'Past their date: exceptions, shadow rules.', 'none', [
          `max by (kind) (${of('policy_expired')})`,
          '{{kind}}',
        ]),
      ],
    },
    {
      title: 'Promises',
      panels: [
        orElse(
          NO_BASELINE,
          table(
            'Thresholds',
            'Evidence above which a level begins. No line for a level that nothing certifies.',
            'nats',
            'evidence',
            `max by (condition, grade) (${of('baseline_threshold_nats')})`,
          ),
        ),
        orElse(
          NO_BASELINE,
          table(
            'Budgets',
            'Share of harmless sessions that may ever cross it.',
            'percentunit',
            'share',
            `max by (condition, grade) (${of('baseline_budget_ratio')})`,
          ),
        ),
      ],
    },
    {
      title: 'Kept?',
      panels: [
        orElse(
          NO_BASELINE,
          panel(
            'lines',
            'Budget of pauses',
            'Used: sessions that intents paused and people released, of all of seven days, those that still live among them.',
            'percentunit',
            [`max(${of('baseline_budget_ratio', 'condition="pause"')})`, 'granted'],
            [`(${RELEASED} / clamp_min(${SESSIONS}, 1)) and on() ${of('baseline_info')}`, 'used'],
          ),
        ),
        orElse(
          NO_BASELINE,
          panel(
            'lines',
            'Drift',
            `Of the partitions with most. Above ${ALARM} nats finished sessions are not as those that certify; that holds, also when the line begins anew, until another baseline is in force.`,
            'nats',
            [`vector(${ALARM}) and on() ${of('baseline_info')}`, 'found above'],
            [`topk(8, max by (partition) (${of('baseline_drift_nats')}))`, 'partition {{partition}}'],
          ),
        ),
      ],
    },
    {
      title: 'What is done',
      panels: [
        panel(
          'lines',
          'Share of sessions by level',
          'By rules and intents together; those of intents alone are what budgets are about.',
          'percentunit',
          [
            `sum by (level) (${of('sessions', 'level!="clear"')}) / scalar(clamp_min(sum(${of('sessions')}), 1))`,
            '{{level}}',
          ],
        ),
        COMMANDS,
      ],
    },
  ],
};
