import { PolicySettings } from '../../src/domain/rule.ts';
import type { NaivePolicy, NaiveRule } from '../properties/naive-measures.ts';

/** One policy of a run, twice: as its users write it, and as the naive engine reads it. */
export interface ChaosPolicy {
  yaml: string;
  naive: NaivePolicy;
}

/** Short, so that sessions end, are forgotten and come back within one run. */
const SETTINGS_YAML =
  'kind: policy\nidleEnd: 20s\nmaxLifetime: 2m\nwatchHold: 15s\nkillMark: 15m\ndelay: 1m\nnewSessionsPerMinute: 1000000\n';
const SETTINGS = PolicySettings.parse({
  idleEndMs: 20_000,
  maxLifetimeMs: 120_000,
  watchHoldMs: 15_000,
  killMarkMs: 900_000,
  delayMs: 60_000,
  // Traffic of one agent; the naive engine knows of no crowd.
  newSessionsPerMinute: 1_000_000,
});

const BASE = { mode: 'enforce', onError: 'watch' } as const;
const DELETES: NaiveRule = {
  ...BASE,
  id: 'deletes',
  match: { action: 'delete' },
  withinMs: 60_000,
  measures: { n: 'count', kinds: 'distinct(tool)' },
  when: { watch: 'n > 2', pause: 'n > 5 or kinds > 3', kill: 'n > 8' },
};
const LIFE: NaiveRule = {
  ...BASE,
  id: 'life',
  match: { action: ['delete', 'send'] },
  withinMs: Number.POSITIVE_INFINITY,
  measures: { n: 'attempts' },
  when: { watch: 'n > 6', pause: 'n > 11', kill: 'n > 15 and session.level >= 2' },
};
const SENDS: NaiveRule = {
  ...BASE,
  id: 'sends',
  match: { action: 'send', outcome: 'ok' },
  withinMs: 30_000,
  measures: { n: 'count', tries: 'attempts' },
  when: { watch: 'n > 2', pause: 'n > 4', kill: 'tries > 9' },
};
const STRICT: NaiveRule = { ...DELETES, when: { watch: 'n > 1', pause: 'n > 4', kill: 'n > 7' } };

const RULES = [
  [DELETES, LIFE],
  [STRICT, SENDS],
  [LIFE, SENDS],
];

/** Each leaves out something that another counts: a session that is touched under it forgets that. */
export const POLICIES: readonly ChaosPolicy[] = policiesWith('', {});

/** The same with more settings, as users write them and as they are read. */
export function policiesWith(yaml: string, read: Partial<PolicySettings>): ChaosPolicy[] {
  const settings = { ...SETTINGS, ...read };
  return RULES.map((rules) => ({
    yaml: [SETTINGS_YAML + yaml, ...rules.map(yamlOf)].join('---\n'),
    naive: { settings, rules },
  }));
}

function yamlOf({ id, match, withinMs, measures, when }: NaiveRule): string {
  const within = Number.isFinite(withinMs) ? `${withinMs / 1000}s` : 'session';
  return [
    `id: ${id}`,
    `title: ${id} add up`,
    'severity: high',
    `match: ${JSON.stringify(match)}`,
    `within: ${within}`,
    `measure: ${JSON.stringify(measures)}`,
    `when: ${JSON.stringify(when)}\n`,
  ].join('\n');
}
