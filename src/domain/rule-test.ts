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

export const Expectation = z
  .strictObject({
    at: z.int().positive().optional().describe('Number of the event, from 1, that raises the session to `level`.'),
    level: Raised.optional(),
    reason: z.string().optional().describe('A part of the sentence that explains it.'),
    never: Raised.optional().describe('The session stays below this level at every event.'),
    end: Level.optional().describe('The level after the last event.'),
  })
  .refine(
    ({ at, never, end }) => [at, never, end].filter((one) => one !== undefined).length === 1,
    'exactly one of: at (with level), never, end',
  )
  .refine(
    ({ at, level, reason }) => (at === undefined ? level === undefined && reason === undefined : level !== undefined),
    'at and level belong together; reason goes with them',
  );
export type Expectation = z.infer<typeof Expectation>;

export const RuleTest = z
  .strictObject({
    name: z.string().min(1).max(200).describe('What the test shows, as a sentence.'),
    events: z
      .union([EventGenerator, z.array(EventGenerator).min(1)])
      .describe('The events of one session, in order of time.'),
    expect: z.array(Expectation).min(1),
  })
  .describe('One test of a rule; see rules/README.md.');
export type RuleTest = z.infer<typeof RuleTest>;

/** A `*.test.yaml` beside the rule. */
export const RuleTestFile = z
  .strictObject({
    kind: z.literal('tests').optional(),
    rule: z.string().describe('Id of the rule; it alone judges in these tests.'),
    tests: z.array(RuleTest).min(1),
  })
  .describe('Firebreak rule tests');
export type RuleTestFile = z.infer<typeof RuleTestFile>;
