import { z } from 'zod';
import { Baseline, Budgets, CONFIDENCES, ON_UNCERTIFIED } from './baseline.ts';
import { CalendarDate } from './calendar-date.ts';
import { Duration } from './duration.ts';
import { EnforcerClasses } from './enforcer-class.ts';
import { Intent } from './intent.ts';
import { Match } from './match.ts';
import { RuleTest } from './rule-test.ts';
import { stepMeasures } from './sequence.ts';
import { Share } from './share.ts';
import { Tag } from './tag.ts';

export const SCOPES = ['session', 'rootSession', 'agent', 'principal', 'tenant'] as const;
/** The kinds of measure that this version computes. */
export const MEASURE_KINDS = [
  'count',
  'attempts',
  'rate',
  'share',
  'sum',
  'avg',
  'min',
  'max',
  'percentile',
  'distinct',
  'firstSeen',
  'points',
] as const;
export type MeasureKind = (typeof MEASURE_KINDS)[number];

const Expression = z
  .union([z.string(), z.boolean()], 'a condition such as deletes > 20, or true or false')
  .describe('Expression over measures, baseline.* and session.*; see rules/README.md.');

const Window = z.union([z.literal('session'), Duration], 'a window such as 30s, 10m, 2h, or session');
const MeasureText = z
  .string()
  .describe(
    'count, attempts, rate, share, points(30m), sum(field), avg(field), percentile(field, 95), distinct(field), …',
  );

/** The measures of a rule, where each may bring a filter of its own in the shape of `match`. */
export function measuresOver<M extends z.ZodType>(match: M) {
  const measure = z.union(
    [
      MeasureText,
      z.strictObject({
        of: MeasureText,
        match: match.optional().describe('Which of the actions that pass the rule count here.'),
        within: Window.optional().describe('Window of this measure; that of the rule when absent.'),
      }),
      ...stepMeasures(match),
    ],
    'a measure such as count, or a map with of, match, within, or one with sequence or temporal',
  );
  return z
    .record(
      z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'a measure name is letters, digits and _, a letter first'),
      measure,
    )
    .refine((map) => Object.keys(map).length >= 1 && Object.keys(map).length <= 8, 'a rule has 1 to 8 measures')
    .describe('Named measures that the expressions use.');
}

/** More exceptions than this are another rule. */
export const EXCEPTIONS_MAX = 64;

/** The fields that exceptions of one rule and of a folder have in common. */
export const EXCEPTION_FIELDS = {
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,63}$/, 'a name is 2 to 64 lower-case letters, digits and dashes, a letter first')
    .describe('Findings and metrics carry it. Once in a folder.'),
  reason: z.string().min(1).max(500).describe('Why the work is known and wanted.'),
  owner: z.string().min(1).max(200).describe('Who answers for it, and is asked when it expires.'),
  expires: CalendarDate.describe('Last day on which it lifts anything, UTC. Judged by the time of the log.'),
};
export const ExceptionCap = z
  .enum(['watch', 'pause'])
  .describe('What the rule may reach at most over covered actions.');

/** A bound that is lifted for known work. The actions it covers are still counted, and what it lifts is still said. */
export const RuleException = z
  .strictObject({
    ...EXCEPTION_FIELDS,
    match: Match.describe('Which actions it covers: a match as in a rule, by agent, principal, resource, purpose ….'),
    atMost: ExceptionCap.optional(),
    when: z
      .strictObject({ pause: Expression.optional(), kill: Expression.optional() })
      .refine((when) => Object.keys(when).length > 0, 'at least one of pause, kill; or atMost instead of it')
      .optional()
      .describe('Instead of atMost: the higher bounds that hold over all actions, covered or not.'),
  })
  .describe('Exception of one rule');
export type RuleException = z.infer<typeof RuleException>;

/** One rule as authors write it. Field by field described, because editors show these texts. */
export const Rule = z
  .strictObject({
    kind: z.literal('rule').optional().describe('Kind of the document; a rule when absent.'),
    id: z
      .string()
      .regex(/^[a-z][a-z0-9-]{1,63}$/, 'an id is 2 to 64 lower-case letters, digits and dashes, a letter first')
      .describe('Stable name, never reused.'),
    title: z.string().min(1).max(200).describe('One line for people.'),
    description: z.string().max(4000).optional().describe('What the rule is for, and what it does not see.'),
    severity: z.enum(['info', 'low', 'medium', 'high', 'critical']).describe('How bad it is when the rule is right.'),
    mode: z
      .enum(['shadow', 'enforce'])
      .default('enforce')
      .describe('shadow: findings only; enforce: findings and commands.'),
    shadowUntil: CalendarDate.optional().describe(
      'Last day, UTC, on which a shadow rule judges. Judged by the time of the log.',
    ),
    tags: z.array(Tag).default([]).describe('Catalogue entries: attack.*, atlas.aml.t0086, owasp.asi02, firebreak.*'),
    match: Match.default({}).describe('Which actions the rule looks at; absent means all.'),
    by: z
      .enum(SCOPES)
      .default('session')
      .describe('Whose actions are added up: `session`. Where crowds are judged, that is all that an agent does.'),
    within: Window.describe('Sliding window, or `session` for the whole life of the session.'),
    measure: measuresOver(Match),
    weight: z
      .string()
      .optional()
      .describe('How heavy one action is, for points: an expression over its fields, such as affected * 2.'),
    when: z
      .strictObject({ watch: Expression.optional(), pause: Expression.optional(), kill: Expression.optional() })
      .refine((when) => Object.keys(when).length > 0, 'at least one of watch, pause, kill')
      .describe('The condition of each level.'),
    baselineDefaults: z
      .record(z.string(), z.number())
      .default({})
      .describe('Value of each baseline.NAME that the rule uses, for agents without a baseline.'),
    onError: z
      .enum(['watch', 'pause'])
      .default('watch')
      .describe('Level at a record at which an expression fails or is not finite.'),
    exceptions: z
      .array(RuleException)
      .min(1)
      .max(EXCEPTIONS_MAX)
      .optional()
      .describe('Known work for which the rule may do less; see rules/README.md.'),
    explain: z.string().max(500).optional().describe('Sentence with {names}, shown to whoever must decide.'),
    runbook: z.string().max(4000).optional().describe('What whoever must decide should look at.'),
    falsePositives: z.array(z.string()).default([]).describe('Honest work that looks like this.'),
    tests: z.array(RuleTest).default([]).describe('Inline tests; see rules/README.md.'),
  })
  .describe('Firebreak rule');
export type Rule = z.infer<typeof Rule>;
export type Measure = Rule['measure'][string];
export type StepsMeasure = Extract<Measure, { sequence: unknown } | { temporal: unknown }>;

/** More would be a stream of repetitions, not an escalation. */
export const PUBLISH_ATTEMPTS_MAX = 10;

/** Far beyond what an agent with people behind it begins in one partition. */
export const NEW_SESSIONS_PER_MINUTE = 10_000;
/** More than a state store holds in most places: set it to what yours does. */
export const SESSIONS_MAX = 10_000_000;

/** Settings that hold for a whole policy. Durations are milliseconds. */
export const PolicySettings = z.strictObject({
  idleEndMs: z
    .int()
    .positive()
    .default(30 * 60_000),
  maxLifetimeMs: z
    .int()
    .positive()
    .default(24 * 3_600_000),
  watchHoldMs: z
    .int()
    .positive()
    .default(10 * 60_000),
  killMarkMs: z
    .int()
    .positive()
    .default(30 * 24 * 3_600_000),
  delayMs: z.int().positive().default(3_600_000),
  answerWithinMs: z
    .int()
    .positive()
    .default(15 * 60_000),
  reminderBeforeMs: z
    .int()
    .positive()
    .default(5 * 60_000),
  decisionGraceMs: z.int().positive().default(30_000),
  acknowledgeWithinMs: z.int().positive().default(60_000),
  publishAttempts: z.int().min(1).max(PUBLISH_ATTEMPTS_MAX).default(3),
  releaseApprovals: z.int().min(1).max(2).default(1),
  enforcers: EnforcerClasses.optional().describe('Absent: every enforcer acts at once.'),
  budgets: Budgets.optional().describe('Of the evidence; absent: those that the baseline was learned with.'),
  cohort: z.array(z.string()).min(1).max(3).optional(),
  newSessionsPerMinute: z.int().positive().optional().describe(`Absent: ${NEW_SESSIONS_PER_MINUTE}.`),
  sessionsMax: z.int().positive().optional().describe(`Absent: ${SESSIONS_MAX}.`),
});
export type PolicySettings = z.infer<typeof PolicySettings>;
/** Those of a folder that says nothing; also where no policy is known yet. */
export const DEFAULT_SETTINGS: Readonly<PolicySettings> = PolicySettings.parse({});

/** The settings as a YAML document of the rule folder. */
export const PolicyDocument = z
  .strictObject({
    kind: z.literal('policy'),
    idleEnd: Duration.optional().describe('A session ends at the first record after so long without one.'),
    maxLifetime: Duration.optional().describe('A session ends at the latest after so long.'),
    watchHold: Duration.optional().describe('`watch` is left after so long without a condition that holds.'),
    killMark: Duration.optional().describe('So long the mark of a killed session is kept.'),
    delay: Duration.optional().describe(
      'An event may be so much older than its receipt; older ones are moved forward.',
    ),
    answerWithin: Duration.optional().describe(
      'So long a paused session waits for an answer, from the publication of the pause on; no answer is a no.',
    ),
    reminderBefore: Duration.optional().describe('So long before that time is over, a finding says so once.'),
    decisionGrace: Duration.optional().describe('So long after that time the kill waits for answers on their way.'),
    acknowledgeWithin: Duration.optional().describe(
      'A command that no enforcer confirms within so long is published again, at last escalated.',
    ),
    publishAttempts: PolicySettings.shape.publishAttempts
      .unwrap()
      .optional()
      .describe('So often an unconfirmed command is published, to each class of enforcers, before it is escalated.'),
    releaseApprovals: PolicySettings.shape.releaseApprovals
      .unwrap()
      .optional()
      .describe('People who must agree before a release or the lifting of an order counts: 1, or 2 (four eyes).'),
    newSessionsPerMinute: PolicySettings.shape.newSessionsPerMinute.describe(
      `So many sessions an agent may begin in a minute in each partition; what begins beyond is judged together. ${NEW_SESSIONS_PER_MINUTE} when absent.`,
    ),
    sessionsMax: PolicySettings.shape.sessionsMax.describe(
      `So many sessions a partition holds one by one; what begins beyond is judged together, by agent. ${SESSIONS_MAX} when absent.`,
    ),
    enforcers: EnforcerClasses.optional().describe(
      'Classes of enforcers: the first acts at once, the next when none before it confirms. Absent: all at once.',
    ),
    budgets: z
      .strictObject({
        watch: Share.optional(),
        pause: Share.optional(),
        kill: Share.optional(),
        confidence: z
          .enum(CONFIDENCES)
          .optional()
          .describe('marginal: holds on average over draws of sessions; pac95: with 95 % confidence for this draw.'),
        onUncertified: z
          .enum(ON_UNCERTIFIED)
          .optional()
          .describe('What evidence does beyond a threshold of kill that too few sessions certify.'),
      })
      .optional()
      .describe('Shares of benign sessions that evidence may ever watch, pause and kill: 1 in 10000, 0.5%, 0.005.'),
    cohort: z
      .array(z.string())
      .min(1)
      .max(3)
      .optional()
      .describe('Fields that name the cohort of a session for `firebreak learn`, the widest first.'),
  })
  .describe('Firebreak policy settings');
export type PolicyDocument = z.infer<typeof PolicyDocument>;

/** So many intents keep the state of a session small. */
export const INTENTS_MAX = 16;

/** What a policy record activates: everything that decides, in one content-addressed body. */
export const PolicyBody = z.strictObject({
  format: z.literal(1),
  settings: PolicySettings,
  rules: z.array(Rule).max(500),
  intents: z.array(Intent).max(INTENTS_MAX).optional(),
  baseline: Baseline.optional(),
});
export type PolicyBody = z.infer<typeof PolicyBody>;
