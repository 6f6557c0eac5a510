import { type PolicyBody, PolicySettings } from '../../src/domain/rule.ts';
import { compilePolicy, type Plan } from '../../src/engine/plan/policy.ts';
import { ruleOf } from '../engine/harness.ts';
import { type NaiveException, type NaivePolicy, type NaiveRule, WEIGHT } from './naive-measures.ts';
import { type NaiveSequence, writtenSequence } from './naive-sequences.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const SETTINGS = PolicySettings.parse({ maxLifetimeMs: 5 * HOUR, killMarkMs: 999 * DAY });
const BASE: Omit<NaiveRule, 'id' | 'when' | 'measures'> = {
  mode: 'enforce',
  match: {},
  withinMs: 10 * MINUTE,
  onError: 'watch',
};

/** Kept in every policy, so that all of them keep a session equally long. */
const LONG: NaiveRule = {
  ...BASE,
  id: 'long',
  withinMs: 2 * HOUR,
  measures: { n: 'attempts' },
  when: { watch: 'n > 14' },
};
const DELETES: NaiveRule = {
  ...BASE,
  id: 'deletes',
  match: { action: 'delete', outcome: 'ok' },
  measures: { n: 'count', kinds: 'distinct(target)' },
  when: { watch: 'n > 2', pause: 'n > 5 or kinds > 4', kill: 'n > 9 and kinds / n > 0.2' },
};
const PAYMENTS: NaiveRule = {
  ...BASE,
  id: 'payments',
  match: { action: ['pay', 'delete'] },
  withinMs: 3 * MINUTE,
  measures: { paid: 'sum(amount)', n: 'count', tries: 'attempts' },
  // Without a payment there is nothing to divide by.
  when: { pause: 'n / paid > 3', watch: 'tries > 3', kill: 'paid > 1500' },
  onError: 'watch',
};
const LIFE: NaiveRule = {
  ...BASE,
  id: 'life',
  match: { action: ['delete', 'pay', 'send'] },
  withinMs: Number.POSITIVE_INFINITY,
  measures: { n: 'count', tools: 'distinct(tool)', perMinute: 'rate' },
  when: { watch: 'n > 8 and perMinute > 0.5', pause: 'n > 16 and tools > 1', kill: 'n > 24 and session.level >= 2' },
};
const BURST: NaiveRule = {
  ...BASE,
  id: 'burst',
  withinMs: 20 * SECOND,
  measures: { n: 'count' },
  when: { watch: 'n > 6', pause: 'n > 20 and session.actions > 3' },
};
const SHADOW: NaiveRule = { ...DELETES, id: 'shadow', mode: 'shadow', when: { kill: 'n > 0' } };
const BROKEN: NaiveRule = {
  ...BASE,
  id: 'broken',
  match: { action: 'admin' },
  measures: { paid: 'sum(amount)', n: 'count' },
  when: { kill: '1 / paid > 0 and n > 4', pause: 'n > 3' },
};
const CAREFUL: NaiveRule = {
  ...BROKEN,
  id: 'careful',
  onError: 'pause',
  when: { kill: 'n > 4', watch: 'n / paid > 9' },
};
/** The filter of `deletes` over another window: what one policy counts, the other must not find again. */
const FAST: NaiveRule = {
  ...DELETES,
  id: 'fast',
  withinMs: 2 * MINUTE,
  when: { watch: 'n > 1', pause: 'n > 5', kill: 'n > 9' },
};

/** Filters and windows of their own, one of them beyond the life of the session. */
const MIXED: NaiveRule = {
  ...BASE,
  id: 'mixed',
  match: { action: ['delete', 'pay', 'send', 'admin'] },
  measures: {
    gone: { of: 'count', match: { action: 'delete' } },
    failing: { of: 'share', match: { outcome: ['error', 'denied'] } },
    recent: { of: 'attempts', withinMs: MINUTE },
    paidFor: { of: 'distinct(target)', match: { action: 'pay' }, withinMs: Number.POSITIVE_INFINITY },
  },
  when: {
    watch: 'failing > 0.3 and gone > 1',
    pause: 'recent > 5 or paidFor > 3',
    kill: 'failing >= 0.5 and gone > 4',
  },
};
/** Asked at every action, also where none of its numbers changes. */
const NUMBERS: NaiveRule = {
  ...BASE,
  id: 'numbers',
  withinMs: 5 * MINUTE,
  measures: {
    low: 'min(amount)',
    high: 'max(amount)',
    most: 'percentile(amount, 75)',
    mean: { of: 'avg(amount)', match: { action: ['pay', 'delete', 'send'] } },
    deleting: { of: 'share', match: { action: 'delete' }, withinMs: 30 * MINUTE },
  },
  when: {
    watch: 'high > 400 or most > 100',
    pause: 'mean > 150 and low >= 0',
    kill: 'low >= 0.25 and mean > 100 and deleting > 0.2',
  },
};
const LIFE_NUMBERS: NaiveRule = {
  ...NUMBERS,
  id: 'life-numbers',
  match: { action: ['pay', 'delete'] },
  withinMs: Number.POSITIVE_INFINITY,
  measures: { low: 'min(amount)', high: 'max(amount)', mean: 'avg(amount)', share: 'share' },
  when: {
    watch: 'share > 0.5 and mean > 60',
    pause: 'low < 0 or mean > 200',
    kill: 'high - low > 400 and share > 0.3',
  },
};

const BLAST: NaiveRule = {
  ...BASE,
  id: 'blast',
  match: { action: ['delete', 'send', 'pay'] },
  weight: WEIGHT,
  withinMs: 5 * MINUTE,
  measures: {
    points: 'points',
    now: 'points(3m)',
    new: 'firstSeen(target)',
    newer: { of: 'firstSeen(target, 2h)', match: { outcome: ['ok', 'error'] } },
  },
  when: { watch: 'now > 4.21', pause: 'points > 20 or new > 4', kill: 'now > 17.3 and newer > 1' },
};
const LIFE_BLAST: NaiveRule = {
  ...BLAST,
  id: 'life-blast',
  withinMs: Number.POSITIVE_INFINITY,
  when: { watch: 'now > 8.1 and new > 2', pause: 'points > 40', kill: 'newer > 6' },
};

/** Its last day is the first of most logs. */
const CLEANUP: NaiveException = { name: 'cleanup', match: { purpose: 'p1' }, atMost: 'watch', expires: '2026-01-05' };
const SCRATCH: NaiveException = {
  name: 'scratch',
  match: { 'resource.id': ['r1', 'r2'] },
  when: { pause: 'n > 12', kill: 'n > 20' },
  expires: '2026-03-01',
};
const INVOICES: NaiveException = {
  name: 'invoices',
  match: { tool: 't1' },
  // No value without a payment: then it lifts nothing.
  when: { pause: 'n / paid > 9', kill: 'paid > 2500' },
  expires: '2026-01-06',
};

/** Sequences with everything that they have; the rule's own filter lets all pass, or only some. */
const IN_ORDER: NaiveSequence = {
  order: 'sequence',
  steps: [
    { match: { action: ['delete', 'pay'] }, runs: 2, withinMs: 2 * MINUTE },
    { missing: { action: 'admin' } },
    { match: { action: ['delete', 'send'] }, withinMs: MINUTE },
  ],
  same: 'tool',
  maxspanMs: 3 * MINUTE,
  until: { outcome: 'denied' },
};
const UNANSWERED: NaiveSequence = {
  order: 'sequence',
  steps: [
    { match: { action: 'delete' } },
    { match: { action: ['delete', 'pay'] } },
    { missing: { action: 'send' }, withinMs: 40 * SECOND },
  ],
  same: 'resource.id',
  maxspanMs: 4 * MINUTE,
};
const ANY_ORDER: NaiveSequence = {
  order: 'temporal',
  steps: [
    { match: { action: ['pay', 'delete'] }, runs: 2 },
    { match: { action: 'delete' } },
    { match: { tool: 't2' } },
  ],
  same: undefined,
  maxspanMs: 2 * MINUTE,
  until: { action: 'admin' },
};
const SEQUENCES: NaiveRule = {
  ...BASE,
  id: 'sequences',
  withinMs: 5 * MINUTE,
  measures: { chains: IN_ORDER, unanswered: UNANSWERED, mixed: ANY_ORDER, n: 'count' },
  when: { watch: 'chains > 0 or mixed > 1', pause: 'unanswered > 1 or chains > 2', kill: 'chains > 3 and n > 6' },
  exceptions: [SCRATCH],
};
const LIFE_SEQUENCES: NaiveRule = {
  ...BASE,
  id: 'life-sequences',
  match: { action: ['delete', 'pay', 'send'] },
  withinMs: Number.POSITIVE_INFINITY,
  measures: {
    chains: { ...IN_ORDER, maxspanMs: Number.POSITIVE_INFINITY, same: 'resource.id' },
    mixed: { ...ANY_ORDER, maxspanMs: Number.POSITIVE_INFINITY, same: 'tool' },
    unanswered: { ...UNANSWERED, same: undefined },
  },
  when: { watch: 'unanswered > 0', pause: 'chains > 1 and mixed > 4', kill: 'mixed > 7' },
};

export const POLICIES: readonly NaivePolicy[] = [
  [{ ...DELETES, exceptions: [CLEANUP] }, { ...PAYMENTS, exceptions: [INVOICES] }, LONG, SHADOW, LIFE, MIXED],
  [
    BURST,
    {
      ...DELETES,
      when: { pause: 'n > 7', kill: 'n > 14' },
      exceptions: [{ ...CLEANUP, atMost: 'pause' as const }, SCRATCH],
    },
    LONG,
    { ...SHADOW, mode: 'enforce' as const, when: { watch: 'n > 1' } },
    CAREFUL,
    NUMBERS,
  ],
  [
    { ...LIFE, exceptions: [{ ...CLEANUP, match: { tool: ['t1', 't2'] } }] },
    BROKEN,
    LONG,
    BURST,
    PAYMENTS,
    { ...FAST, exceptions: [{ ...SCRATCH, when: { kill: 'n > 9' } }] },
  ],
  [{ ...MIXED, exceptions: [{ ...CLEANUP, match: { tool: 't1' } }] }, LONG, NUMBERS, LIFE_NUMBERS, BLAST],
  [LONG, SEQUENCES, LIFE_SEQUENCES, MIXED],
  [LIFE_BLAST, LONG, { ...BLAST, exceptions: [{ ...SCRATCH, when: { pause: 'points > 30' } }] }],
].map((rules) => ({ settings: SETTINGS, rules }));

export function planOfPolicy(policy: NaivePolicy, index: number): Plan {
  return compilePolicy(hashOf(index), bodyOfPolicy(policy));
}

export function bodyOfPolicy({ settings, rules }: NaivePolicy): PolicyBody {
  return {
    format: 1,
    settings,
    rules: rules.map(({ withinMs, measures, exceptions, ...rule }) =>
      ruleOf({
        ...rule,
        measure: authored(measures),
        within: windowText(withinMs),
        ...(exceptions ? { exceptions: exceptions.map((one) => ({ ...one, reason: 'known', owner: 'team' })) } : {}),
      }),
    ),
  };
}

function authored(measures: NaiveRule['measures']): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(measures).map(([name, measure]) => {
      if (typeof measure !== 'string' && 'order' in measure) return [name, writtenSequence(measure)];
      if (typeof measure === 'string' || measure.withinMs === undefined) return [name, measure];
      const { withinMs, ...rest } = measure;
      return [name, { ...rest, within: windowText(withinMs) }];
    }),
  );
}

function windowText(withinMs: number): string {
  return Number.isFinite(withinMs) ? `${withinMs}ms` : 'session';
}

export function hashOf(index: number): string {
  return `sha256:${String(index).repeat(64)}`;
}
