import { z } from 'zod';
import { parseInstant, RFC3339 } from './instant.ts';
import { Reach } from './reach.ts';

/** What a session's evidence is made of, in the order in which ties are settled. */
export const STREAMS = ['volume', 'rate', 'burst', 'shift'] as const;
export type Stream = (typeof STREAMS)[number];

const positive = z.number().positive();

/** What is usual for a cohort on one clock: events, or active hours. */
export const ClockModel = z.strictObject({
  mu: positive.describe('Mean rate of marks, per event or per active hour.'),
  phi: positive.describe('Dispersion of the marks within a session; 1 is Poisson.'),
  a: positive.describe('Shape of the rates between sessions: 1/a is their squared coefficient of variation.'),
});
export type ClockModel = z.infer<typeof ClockModel>;

/**
 * How rare a value of one stream is among benign sessions: the tail of the largest value that a session reached.
 *
 *   -ln P │                ╱ slope eta, beyond what was often seen
 *     lpu ┤- - - - - - - ╱
 *         │        ╱ ·   ┊
 *         │  ╱ ·         ┊
 *         └──────────────┴──────────── value of the stream
 *         0              u   (95 % of the sessions stayed below)
 */
export const TailMap = z.strictObject({
  u: positive.describe('Value that 95 % of benign sessions never exceed.'),
  lpu: z.number().nonnegative().describe('-ln of the share of sessions above u.'),
  eta: positive.describe('Rate of the tail above u, per unit of the stream.'),
});
export type TailMap = z.infer<typeof TailMap>;

/** How well a threshold is founded, from the best to none. */
export const GRADES = ['conformal-pac', 'conformal', 'extrapolated', 'insufficient'] as const;
export type Grade = (typeof GRADES)[number];

/** From where on evidence raises a level, and what that promises. JSON has no Infinity: absent means never. */
export const CertifiedThreshold = z.strictObject({
  alpha: z.number().gt(0).lt(1).describe('Budget: the share of benign sessions that may ever cross it.'),
  c: z
    .number()
    .nonnegative()
    .optional()
    .describe('Evidence in nats; the level is raised strictly above. Absent: never.'),
  r: z.int().nonnegative().describe('Rank among the calibration sessions that c stands at.'),
  n: z.int().nonnegative().describe('Benign sessions that calibrated it.'),
  needed: z.int().positive().optional().describe('Where n are too few: so many certify the budget.'),
  grade: z.enum(GRADES),
});
export type CertifiedThreshold = z.infer<typeof CertifiedThreshold>;

/** `marginal`: the budget holds on average over calibration draws. `pac95`: with 95 % confidence for this very draw. */
export const CONFIDENCES = ['marginal', 'pac95'] as const;
export type Confidence = (typeof CONFIDENCES)[number];

/** What evidence does beyond a threshold of kill that too few sessions certify. */
export const ON_UNCERTIFIED = ['pause', 'kill'] as const;

/** What an operator grants: so many benign sessions may ever be watched, paused, killed by evidence. */
export const Budgets = z.strictObject({
  watch: z.number().gt(0).lt(1),
  pause: z.number().gt(0).lt(1),
  kill: z.number().gt(0).lt(1),
  confidence: z.enum(CONFIDENCES),
  onUncertified: z.enum(ON_UNCERTIFIED),
});
export type Budgets = z.infer<typeof Budgets>;

/** Those of a policy that says nothing. */
export const DEFAULT_BUDGETS: Readonly<Budgets> = {
  watch: 0.05,
  pause: 0.005,
  kill: 0.0001,
  confidence: 'marginal',
  onUncertified: 'pause',
};

const CohortModel = z.strictObject({ events: ClockModel, active: ClockModel, n: z.int().nonnegative() });
export type CohortModel = z.infer<typeof CohortModel>;

/** What was learned of one intent. */
export const IntentBaseline = z.strictObject({
  meaning: z
    .string()
    .describe('Digest of what its marks mean. An intent that was changed since has no baseline until it is learned.'),
  global: CohortModel.describe('For a session of no cohort that was learned.'),
  cohorts: z.record(z.string(), CohortModel),
  maps: z.strictObject({ volume: TailMap, rate: TailMap, burst: TailMap, shift: TailMap }),
  known: z
    .record(z.string(), z.array(z.string()))
    .optional()
    .describe(
      'Of novel(field): the values that benign sessions of each cohort were seen with, sorted; "" is all of them.',
    ),
});
export type IntentBaseline = z.infer<typeof IntentBaseline>;

/** What was learned of the measures of one rule. */
export const RuleBaseline = z.strictObject({
  meaning: z.string().describe('Digest of what its measures mean. A rule that was changed since uses its defaults.'),
  cohorts: z
    .record(z.string(), z.record(z.string(), z.number()))
    .describe('The numbers of each cohort by name, such as deletes.p99; "" is all sessions.'),
});
export type RuleBaseline = z.infer<typeof RuleBaseline>;

/**
 * What ordinary work looks like: learned from finished benign sessions, and the thresholds that such sessions certify.
 * A part of the policy: activated, hashed and replaced as rules are.
 */
export const Baseline = z
  .strictObject({
    format: z.literal(1),
    of: z
      .literal('crowds')
      .optional()
      .describe('Of what: all sessions of an agent together, as `firebreak regroup` writes them. Absent: of sessions.'),
    cohortBy: z
      .array(z.array(z.string()).min(1).max(3))
      .min(1)
      .max(4)
      .describe('Which fields name a cohort, the narrowest first. A session belongs to the first that was learned.'),
    intents: z.record(z.string(), IntentBaseline),
    rules: z.record(z.string(), RuleBaseline).optional().describe('The numbers that rules read as `baseline.NAME`.'),
    thresholds: z.strictObject({ watch: CertifiedThreshold, pause: CertifiedThreshold, kill: CertifiedThreshold }),
    reach: Reach.optional(),
    onUncertified: z
      .enum(ON_UNCERTIFIED)
      .default('pause')
      .describe('What evidence does beyond a threshold of kill that too few sessions certify.'),
    sessions: z
      .strictObject({ parameters: z.int(), maps: z.int(), thresholds: z.int() })
      .describe('How many sessions each part rests on.'),
  })
  .describe('Firebreak baseline');
export type Baseline = z.infer<typeof Baseline>;

/** Who vouches for a baseline. It covers the whole file but `value`; see deploy/SECURITY.md. */
export const BaselineSignature = z.strictObject({
  key: z.string().min(1).max(128).describe('Id of the key that signed; its role is `learner`.'),
  at: z
    .string()
    .regex(RFC3339, 'an RFC 3339 instant')
    .refine((text) => Number.isFinite(parseInstant(text)), 'an RFC 3339 instant')
    .describe('When, by the clock of the signer.'),
  value: z.string().describe('Ed25519 signature, base64url.'),
});
export type BaselineSignature = z.infer<typeof BaselineSignature>;

/** A baseline as it stands in its file. What is activated is the baseline alone: the activation has a signature of its own. */
export const BaselineDocument = Baseline.extend({ signature: BaselineSignature.optional() }).describe(
  'Firebreak baseline',
);
export type BaselineDocument = z.infer<typeof BaselineDocument>;
