import type { Names, ValueType } from '../expression/compile.ts';

/** What an expression may read of the session itself. */
export const SESSION_NAMES = {
  'session.age': 'number',
  'session.actions': 'number',
  'session.level': 'number',
  'session.agent': 'string',
  'session.role': 'string',
  'session.principal': 'string',
  'session.purpose': 'string',
} as const satisfies Record<string, ValueType>;
export type SessionName = keyof typeof SESSION_NAMES;
export const SESSION_ORDER = Object.keys(SESSION_NAMES) as SessionName[];

/**
 * The values array of a rule: its measures first, then the baseline numbers it declares, then the session's.
 *
 *   [ deletes, targets | baseline.deletes.p99 | session.age, session.actions, … ]
 */
export interface RuleNames extends Names {
  measures: readonly string[];
  /** Names after `baseline.`, in slot order, with the value for agents without a baseline. */
  baseline: readonly { name: string; value: number }[];
  /** The first slot of the session's names, in the order of `SESSION_NAMES`. */
  sessionSlot: number;
  size: number;
}

export function declareNames(measures: readonly string[], baselineDefaults: Record<string, number>): RuleNames {
  const baseline = Object.entries(baselineDefaults).map(([name, value]) => ({ name, value }));
  const paths = new Map<string, { slot: number; type: ValueType }>();
  const declare = (path: string, type: ValueType) => paths.set(path, { slot: paths.size, type });
  for (const name of measures) declare(name, 'number');
  for (const { name } of baseline) declare(`baseline.${name}`, 'number');
  const sessionSlot = paths.size;
  for (const [name, type] of Object.entries(SESSION_NAMES)) declare(name, type);
  const all = [...paths.keys()];
  return { measures, baseline, sessionSlot, size: paths.size, lookup: (path) => paths.get(path), all: () => all };
}
