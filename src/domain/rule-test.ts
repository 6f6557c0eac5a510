import { z } from 'zod';
import { Duration } from './duration.ts';
import { Level } from './level.ts';

const Raised = z.enum(['watch', 'paused', 'killed']);

/** Events as a rule's tests write them: one event, repeated in time. */
export const EventGenerator = z
  .strictObject({
    repeat: z.int().min(1).max(10_000).default(1).describe('How many events.'),
    every: Duration.default('1s').describe('Time from one event to the next.'),
    at: Duration.optional().describe('Time of the first one, from the start of the test.'),
    after: Duration.optional().describe('Time of the first one, from the last event of the generator before.'),
    event: z
      .record(z.string(), z.unknown())
      .describe('Fields of the event, dotted or nested; {i} in a text is 1, 2, 3, …'),
  })
  .refine((one) => one.at === undefined || one.after === undefined, 'at or after, not both');
export type EventGenerator = z.infer<typeof EventGenerator>;

/** Events as they were recorded. They keep their ids, their order in time and the time between them. */
export const RecordedEvents = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .max(500)
      .describe(
        'What `firebreak replay` reads, plain or gzip. Relative to the file of the test, and below its folder.',
      ),
    session: z.string().min(1).describe('The session of the recording whose events are taken.'),
    at: Duration.optional().describe('Time of the first one, from the start of the test.'),
    after: Duration.optional().describe('Time of the first one, from the last event before.'),
  })
  .refine((one) => one.at === undefined || one.after === undefined, 'at or after, not both');
export type RecordedEvents = z.infer<typeof RecordedEvents>;

/** Nothing happens until then. */
export const Silence = z
  .strictObject({
    at: Duration.optional().describe('Until when, from the start of the test.'),
    after: Duration.optional().describe('For how long, from the last event before.'),
  })
  .refine((one) => (one.at === undefined) !== (one.after === undefined), 'exactly one of: at, after');
export type Silence = z.infer<typeof Silence>;

const EventSource = z.union([EventGenerator, RecordedEvents, Silence]);
export type EventSource = z.infer<typeof EventSource>;

export const Expectation = z
  .strictObject({
    at: z.int().positive().optional().describe('Number of the event, from 1, that raises the session to `level`.'),
    after: z
      .int()
      .positive()
      .optional()
      .describe('Number of the event after which the session is raised to `level` by what does not come.'),
    level: Raised.optional(),
    reason: z.string().optional().describe('A part of the sentence that explains it.'),
    rule: z.string().optional().describe('Id of the rule that raises it, where several judge.'),
    never: Raised.optional().describe('The session stays below this level, at every event and after it.'),
    end: Level.optional().describe('The level at the end: after the last event and what is silent after it.'),
  })
  .refine(
    ({ at, after, never, end }) => [at, after, never, end].filter((one) => one !== undefined).length === 1,
    'exactly one of: at (with level), after (with level), never, end',
  )
  .refine(
    ({ at, after, level, reason, rule }) =>
      at === undefined && after === undefined
        ? level === undefined && reason === undefined && rule === undefined
        : level !== undefined,
    'at (or after) and level belong together; reason and rule go with them',
  );
export type Expectation = z.infer<typeof Expectation>;

export const RuleTest = z
  .strictObject({
    name: z.string().min(1).max(200).describe('What the test shows, as a sentence.'),
    events: z
      .union([EventGenerator, RecordedEvents, z.array(EventSource).min(1)])
      .describe('The events of one session, in order of time.'),
    expect: z.array(Expectation).min(1),
  })
  .describe('One test of a rule; see rules/README.md.');
export type RuleTest = z.infer<typeof RuleTest>;

/** A `*.test.yaml` beside the rules. */
export const RuleTestFile = z
  .strictObject({
    kind: z.literal('tests').optional(),
    rule: z.string().optional().describe('Id of the rule; it alone judges in these tests, as if enforced.'),
    rules: z
      .array(z.string())
      .min(1)
      .optional()
      .describe(
        'Ids of the rules that judge together, each in its own mode. Without rule and rules: all of the folder.',
      ),
    tests: z.array(RuleTest).min(1),
  })
  .refine((file) => file.rule === undefined || file.rules === undefined, 'rule or rules, not both')
  .describe('Firebreak rule tests');
export type RuleTestFile = z.infer<typeof RuleTestFile>;
