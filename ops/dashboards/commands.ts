import type { Panel } from '../panel.ts';
import { bands, perMinute } from './query.ts';

/** On two dashboards: as what rules do, and as what is held against the budgets. */
export const COMMANDS: Panel = bands(
  'Commands by rule or intent',
  'A jump is an attack, a new kind of work, or a bad rule. Kills of honest sessions count against the budget.',
  'cpm',
  `sum by (rule, action) (${perMinute('commands_total')})`,
  '{{rule}} {{action}}',
  'No command',
);
