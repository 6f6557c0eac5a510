import fc from 'fast-check';
import { ACTIONS, type ActionEvent } from '../../src/domain/event.ts';
import { formatInstant } from '../../src/domain/instant.ts';
import type { LogRecord, RecordBody } from '../../src/domain/record.ts';
import { START_MS } from '../engine/harness.ts';
import { hashOf, POLICIES } from './random-policies.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** One record as it is drawn; what it means depends on those before it. */
interface Gene {
  kind: 'action' | 'policy' | 'tick' | 'published' | 'restated' | 'refused';
  session: number;
  afterMs: number;
  lateMs: number;
  /** Sends an earlier event of the session again, or its id with other content, or makes its call again. */
  again: 'no' | 'same' | 'reused' | 'retried';
  back: number;
  policy: number;
  numbered: boolean;
  event: Pick<ActionEvent, 'tool' | 'action' | 'outcome'> & Partial<ActionEvent>;
}

const afterMs = fc.oneof(
  { weight: 30, arbitrary: fc.nat({ max: 20 * SECOND }) },
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.nat({ max: 6 * MINUTE }) },
  { weight: 2, arbitrary: fc.integer({ min: -20 * SECOND, max: 0 }) },
  { weight: 2, arbitrary: fc.constantFrom(4 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE) },
  { weight: 1, arbitrary: fc.constantFrom(45 * MINUTE, 3 * HOUR, 4 * HOUR, 26 * HOUR, 3 * DAY) },
);
const lateMs = fc.oneof(
  { weight: 12, arbitrary: fc.nat({ max: 900 }) },
  { weight: 2, arbitrary: fc.nat({ max: MINUTE }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(20 * MINUTE, 59 * MINUTE, HOUR + 1, 3 * DAY, -10 * SECOND, -31 * SECOND, -DAY),
  },
);
const risky = fc.constantFrom<ActionEvent['action']>('delete', 'delete', 'delete', 'pay', 'admin', 'send');

const event: fc.Arbitrary<Gene['event']> = fc.record(
  {
    // The last one ends in the middle of a character, as a text that was cut somewhere does.
    tool: fc.constantFrom('t1', 't2', 'T\ud83d'),
    action: fc.oneof({ weight: 3, arbitrary: risky }, { weight: 1, arbitrary: fc.constantFrom(...ACTIONS) }),
    outcome: fc.constantFrom('ok' as const, 'ok' as const, 'error' as const, 'denied' as const, 'unknown' as const),
    affected: fc.oneof(fc.constantFrom(1, 2, 7), fc.constantFrom<unknown>(0, -1, 1.5, 'many', null, 2e9)),
    amount: fc.constantFrom(-7, 0, 0.25, 3, 120, 450),
    argsDigest: fc.constantFrom('d1', 'd2'),
    resource: fc.record({ id: fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6') }),
    targets: fc.constantFrom([], ['r1', 'r2'], ['r7', 'r8', 'r9']),
    principal: fc.record({ id: fc.constantFrom('p1', 'p2') }),
    purpose: fc.constantFrom('p1', 'p2'),
  },
  { requiredKeys: ['tool', 'action', 'outcome'] },
);

const gene: fc.Arbitrary<Gene> = fc.record({
  kind: fc.oneof(
    { weight: 40, arbitrary: fc.constant('action' as const) },
    { weight: 2, arbitrary: fc.constantFrom('policy', 'policy', 'tick', 'published', 'restated', 'refused') },
  ) as fc.Arbitrary<Gene['kind']>,
  session: fc.constantFrom(0, 0, 1, 2, 3),
  afterMs,
  lateMs,
  again: fc.oneof(
    { weight: 12, arbitrary: fc.constant('no' as const) },
    { weight: 2, arbitrary: fc.constant('same' as const) },
    { weight: 1, arbitrary: fc.constant('reused' as const) },
    { weight: 3, arbitrary: fc.constant('retried' as const) },
  ),
  back: fc.nat({ max: 5 }),
  policy: fc.nat({ max: POLICIES.length - 1 }),
  numbered: fc.boolean(),
  event,
});

/** So few that windows, deduplication and failed calls are exact: at most 32 marks can be in any. */
const EVENTS_PER_SESSION = 32;

/** A log in which everything goes wrong that may, short enough for every bound of the engine to be exact. */
export const randomLog: fc.Arbitrary<LogRecord[]> = fc
  .array(gene, { minLength: 1, maxLength: 160, size: 'max' })
  .map((genes) => toLog(genes, EVENTS_PER_SESSION));

/** The same without that limit. */
export const longRandomLog: fc.Arbitrary<LogRecord[]> = fc
  .array(gene, { minLength: 1, maxLength: 400, size: 'max' })
  .map((genes) => toLog(genes, Number.POSITIVE_INFINITY));

function toLog(genes: readonly Gene[], eventsPerSession: number): LogRecord[] {
  const records: LogRecord[] = [];
  const sent = new Map<string, { event: ActionEvent; appendMs: number }[]>();
  let appendMs = START_MS;
  for (const [offset, one] of genes.entries()) {
    appendMs += one.afterMs;
    const session = `s-${one.session}`;
    const before = sent.get(session) ?? [];
    if (one.kind === 'action' && before.length >= eventsPerSession) continue;
    records.push({ offset, appendMs, body: bodyOf(one, offset, appendMs, session, before) });
    const { body } = records.at(-1)!;
    if (body.type === 'action') sent.set(session, [...before, { event: body.event, appendMs }]);
  }
  return records;
}

function bodyOf(
  one: Gene,
  offset: number,
  appendMs: number,
  session: string,
  before: readonly { event: ActionEvent; appendMs: number }[],
): RecordBody {
  // The first record activates a policy in most logs.
  const kind = offset === 0 && one.policy > 0 ? 'policy' : one.kind;
  const policy = { hash: hashOf(one.policy), chunks: 1, engine: 1 };
  switch (kind) {
    case 'policy':
      return { type: 'policy', policy };
    case 'restated':
      return { type: 'restated', restated: { clockMs: appendMs, policy, orders: [] } };
    case 'tick':
      return { type: 'tick' };
    case 'published':
      return { type: 'published', published: { command: 'cmd', session } };
    case 'refused': {
      const raw = { offset, appendMs, key: null, value: null, headers: {} };
      return { type: 'refused', refusal: 'not_json', reason: 'no JSON', raw };
    }
    default: {
      const earlier = before[before.length - 1 - one.back];
      // Nobody sends an event again days later; what is forgotten by then counts as new.
      if (earlier && appendMs - earlier.appendMs < HOUR) {
        if (one.again === 'same') return { type: 'action', event: earlier.event };
        if (one.again === 'reused')
          return { type: 'action', event: { ...earlier.event, tool: `${earlier.event.tool}x` } };
      }
      const call = earlier && one.again === 'retried' ? callOf(earlier.event) : {};
      const numbered = one.numbered ? { source: `gw\udc00-${one.session % 2}`, seq: offset } : {};
      const time = formatInstant(appendMs - one.lateMs);
      return {
        type: 'action',
        event: { id: `e-${offset}`, time, session, agent: { id: 'a' }, ...numbered, ...one.event, ...call },
      };
    }
  }
}

/** What makes it the same call; outcome, amount and `affected` may be others. */
function callOf({ tool, action, resource, argsDigest = 'd1' }: ActionEvent): Partial<ActionEvent> {
  return { tool, action, argsDigest, ...(resource === undefined ? {} : { resource }) };
}
