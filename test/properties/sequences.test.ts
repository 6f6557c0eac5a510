import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../src/domain/event.ts';
import { formatInstant } from '../../src/domain/instant.ts';
import { Match } from '../../src/domain/match.ts';
import { stepMeasures } from '../../src/domain/sequence.ts';
import { compileSteps } from '../../src/engine/sequence/compile.ts';
import { CompletedSteps } from '../../src/engine/sequence/feature.ts';
import type { StepsPlan } from '../../src/engine/sequence/plan.ts';
import { KEYS_MAX } from '../../src/engine/sequence/track.ts';
import { ByteReader, ByteWriter } from '../../src/engine/session/bytes.ts';
import { START_MS } from '../engine/harness.ts';
import type { Judged, Which } from './naive-measures.ts';
import { completionsOf, type Look, type NaiveMatch, type NaiveSequence, writtenSequence } from './naive-sequences.ts';

const SECOND = 1000;
const WINDOW_MS = 60 * SECOND;
const withinMs = fc.constantFrom(WINDOW_MS, WINDOW_MS, Number.POSITIVE_INFINITY);

const match = fc.constantFrom<NaiveMatch>(
  { tool: 'a' },
  { tool: 'b' },
  { tool: 'c' },
  { tool: ['a', 'b'] },
  { tool: ['b', 'c'] },
);
const runs = fc.constantFrom(undefined, undefined, 2, 3);
const shortMs = fc.constantFrom(undefined, undefined, SECOND, 3 * SECOND, 8 * SECOND);
const came = fc.record({ match, runs, withinMs: shortMs });
const missing = fc.record({ missing: match });
const deadline = fc.record({ missing: match, withinMs: fc.constantFrom(SECOND, 5 * SECOND, 9 * SECOND) });

const common = {
  same: fc.constantFrom(undefined, 'resource.id' as const),
  maxspanMs: fc.constantFrom(8 * SECOND, 20 * SECOND, WINDOW_MS),
  until: fc.constantFrom<NaiveMatch | undefined>(undefined, undefined, { tool: 'd' }, { tool: ['d', 'a'] }),
};
const inOrder: fc.Arbitrary<NaiveSequence> = fc
  .record({
    ...common,
    order: fc.constant('sequence' as const),
    first: came,
    middle: fc.array(fc.oneof({ weight: 2, arbitrary: came }, { weight: 1, arbitrary: missing }), { maxLength: 2 }),
    last: fc.oneof({ weight: 3, arbitrary: came }, { weight: 1, arbitrary: deadline }),
  })
  .map(({ first, middle, last, ...rest }) => ({ ...rest, steps: [first, ...middle, last] }))
  // A missing step before the last one, which is missing too, is one of the two that must not come.
  .filter(({ steps }) => !('missing' in steps.at(-1)! && 'missing' in steps.at(-2)!));
const inAnyOrder: fc.Arbitrary<NaiveSequence> = fc.record({
  ...common,
  order: fc.constant('temporal' as const),
  steps: fc.array(fc.record({ match, runs }), { minLength: 2, maxLength: 3 }),
});
const sequence = fc.oneof({ weight: 3, arbitrary: inOrder }, { weight: 1, arbitrary: inAnyOrder });

interface Happening {
  afterMs: number;
  lateMs: number;
  /** How much later than the session's clock the partition's stands. */
  lagMs: number;
  /** Then the partition's clock goes on so far without an action; a jump on the way makes what waits begin anew. */
  silentMs: number;
  jumps: boolean;
  tool: string;
  resource: number | undefined;
  /** What becomes of the state after it. */
  after: 'nothing' | 'codec' | 'coarsen' | 'next life';
}

function story(resources: number, after: fc.Arbitrary<Happening['after']>, maxLength = 40): fc.Arbitrary<Happening[]> {
  const happening = fc.record({
    afterMs: fc.oneof(fc.nat({ max: 2 * SECOND }), fc.constantFrom(0, SECOND, 3 * SECOND, 8 * SECOND)),
    lateMs: fc.constantFrom(0, 0, 0, 0, 1, 100, 5 * SECOND),
    lagMs: fc.constantFrom(0, 0, 100, 4 * SECOND),
    silentMs: fc.constantFrom(0, 0, 0, SECOND, 5 * SECOND, 9 * SECOND),
    jumps: fc.constantFrom(false, false, false, false, true),
    tool: fc.constantFrom('a', 'b', 'c', 'd'),
    resource: fc.option(fc.nat({ max: resources - 1 }), { nil: undefined, freq: 12 }),
    after,
  });
  return fc.array(happening, { maxLength, size: 'max' });
}

const GOING_ON = fc.constantFrom<Happening['after']>(...Array(19).fill('nothing'), 'next life');

/** The same action on one resource after the other, then another action on them, as whoever floods the bound would. */
const sweeps = (after: fc.Arbitrary<Happening['after']>): fc.Arbitrary<Happening[]> =>
  fc
    .array(
      fc.record({
        tool: fc.constantFrom('a', 'b', 'c', 'd'),
        from: fc.nat({ max: 9 }),
        length: fc.integer({ min: 1, max: 2 * KEYS_MAX }),
        afterMs: fc.constantFrom(0, 50, 400),
        lateMs: fc.constantFrom(0, 0, 0, 100),
        pauseMs: fc.constantFrom(0, 0, 6 * SECOND, 30 * SECOND),
        after,
      }),
      { minLength: 2, maxLength: 8, size: 'max' },
    )
    .map((drawn) =>
      drawn.flatMap(({ tool, from, length, afterMs, lateMs, pauseMs, after }) =>
        Array.from({ length }, (_, i) => ({
          ...{ tool, lateMs, resource: from + i, lagMs: 0, silentMs: 0, jumps: false },
          afterMs: i === 0 ? pauseMs : afterMs,
          after: i === 0 || i === KEYS_MAX ? after : 'nothing',
        })),
      ),
    );

const CODED = fc.constantFrom<Happening['after']>(...Array(15).fill('nothing'), ...Array(4).fill('codec'), 'next life');
const COARSENED = fc.constantFrom<Happening['after']>(...Array(15).fill('nothing'), 'codec', 'coarsen');

const [InOrder, InAnyOrder] = stepMeasures(Match);

function planOf(naive: NaiveSequence, withinMs: number): StepsPlan {
  const problems: never[] = [];
  const written = writtenSequence(naive);
  const measure = naive.order === 'sequence' ? InOrder.parse(written) : InAnyOrder.parse(written);
  const plan = compileSteps(measure, withinMs, [], problems);
  expect(problems).toEqual([]);
  return plan;
}

type Event = Pick<Judged, 'event' | 'atMs' | 'timeMs' | 'clockMs' | 'offset' | 'life'>;

/** The events of a story, as the oracle knows them, and the look of the log after each. */
function eventsOf(happenings: readonly Happening[]): (Event & { look: Look })[] {
  let atMs = START_MS;
  let clockMs = START_MS;
  let jumpedMs = 0;
  let life = 0;
  return happenings.map(({ afterMs, lateMs, lagMs, silentMs, jumps, tool, resource, after }, i) => {
    atMs += afterMs;
    clockMs = Math.max(clockMs, atMs + lagMs);
    const arrivedMs = clockMs;
    const timeMs = atMs - lateMs;
    const event: ActionEvent = {
      id: `e-${i}`,
      time: formatInstant(timeMs),
      session: 's',
      agent: { id: 'a' },
      tool,
      action: 'other',
      ...(resource === undefined ? {} : { resource: { id: `r-${resource}` } }),
    };
    clockMs += silentMs;
    if (jumps) jumpedMs = clockMs;
    const look = { offset: 2 * i + 1, clockMs, jumpedMs, nowMs: atMs };
    const one = { event, atMs, timeMs, clockMs: arrivedMs, offset: 2 * i, life, look };
    if (after === 'next life') life++;
    return one;
  });
}

function bytesOf(feature: CompletedSteps): Uint8Array {
  const to = new ByteWriter();
  feature.write(to);
  return to.finish();
}

function throughBytes(feature: CompletedSteps): CompletedSteps {
  const from = new ByteReader(bytesOf(feature));
  const read = CompletedSteps.read(from, feature.withinMs);
  expect(from.rest).toBe(0);
  return read;
}

/** What the oracle counts in the window at each event, and at the look after it. */
function wanted(naive: NaiveSequence, events: ReturnType<typeof eventsOf>, withinMs: number, which: Which): number[] {
  const looks = events.map(({ look }) => look);
  const completions = completionsOf(naive, events as unknown as Judged[], withinMs, which, looks);
  return events.flatMap((now) =>
    [now.offset, now.look.offset].map((until) => {
      const live = completions.filter(({ atMs, life, offset }) => {
        const isLive = Number.isFinite(withinMs) ? atMs > now.atMs - withinMs : life === now.life;
        return isLive && offset <= until;
      });
      return live.reduce((sum, { count }) => sum + count, 0);
    }),
  );
}

/** Takes one event of a story, and looks at what waits after it. Answers what is counted at both. */
function lived(
  feature: CompletedSteps,
  plan: StepsPlan,
  { event, look, ...times }: Event & { look: Look },
): number[][] {
  const { atMs: nowMs, timeMs, clockMs } = times;
  feature.take(plan, event, { nowMs, timeMs, clockMs });
  const taken = [feature.total(nowMs), feature.placed(nowMs)];
  if (plan.deadline !== undefined) feature.passSilence(plan.deadline, look);
  return [taken, [feature.total(nowMs), feature.placed(nowMs)]];
}

describe('sequence and temporal', () => {
  it('count as one who keeps every action and tries every choice of them, wherever the state goes through bytes', () => {
    let completed = 0;
    fc.assert(
      fc.property(sequence, withinMs, story(3, CODED), (naive, within, happenings) => {
        const plan = planOf(naive, within);
        let feature = new CompletedSteps(within);
        const events = eventsOf(happenings);
        const found = happenings.flatMap(({ after }, i) => {
          const totals = lived(feature, plan, events[i]!);
          if (after === 'codec') feature = throughBytes(feature);
          if (after === 'next life') feature.endLife();
          return totals;
        });
        const all = wanted(naive, events, within, 'all');
        const placed = wanted(naive, events, within, 'placed');
        completed += Math.max(0, ...all);
        expect(found).toEqual(all.map((total, i) => [total, placed[i]]));
      }),
      { numRuns: 600 },
    );
    expect(completed).toBeGreaterThan(400);
  });

  it('have the same bytes wherever they were read from bytes on the way', () => {
    fc.assert(
      fc.property(sequence, withinMs, fc.oneof(story(40, CODED, 120), sweeps(CODED)), (drawn, within, happenings) => {
        const naive: NaiveSequence = { ...drawn, same: 'resource.id' };
        const plan = planOf(naive, within);
        const whole = new CompletedSteps(within);
        let coded = new CompletedSteps(within);
        const events = eventsOf(happenings);
        for (const [i, { after }] of happenings.entries()) {
          for (const feature of [whole, coded]) lived(feature, plan, events[i]!);
          if (after === 'codec') coded = throughBytes(coded);
          if (after === 'next life') for (const feature of [whole, coded]) feature.endLife();
        }
        expect(bytesOf(coded)).toEqual(bytesOf(whole));
        expect(coded.completed()).toEqual(whole.completed());
      }),
      { numRuns: 100 },
    );
  });

  it.each<[string, fc.Arbitrary<Happening[]>]>([
    [`of more than ${KEYS_MAX} values at once`, sweeps(GOING_ON)],
    ['that get coarser', story(30, COARSENED, 120)],
  ])('%s never count less', (_, happeningsOf) => {
    fc.assert(
      fc.property(sequence, withinMs, happeningsOf, (drawn, drawnWithin, happenings) => {
        const naive: NaiveSequence = { ...drawn, same: 'resource.id', maxspanMs: WINDOW_MS };
        // What a bound counts before its deadline leaves a sliding window earlier, as is written there.
        const waits = 'missing' in drawn.steps.at(-1)!;
        const within = waits ? Number.POSITIVE_INFINITY : drawnWithin;
        const plan = planOf(naive, within);
        let feature = new CompletedSteps(within);
        const events = eventsOf(happenings);
        const all = wanted(naive, events, within, 'all');
        const placed = wanted(naive, events, within, 'placed');
        for (const [i, { after }] of happenings.entries()) {
          for (const [k, totals] of lived(feature, plan, events[i]!).entries()) {
            const least = [all[2 * i + k]!, placed[2 * i + k]!];
            if (totals[0]! < least[0]! || totals[1]! < least[1]!) expect(totals).toEqual(least);
          }
          if (after === 'coarsen') feature.coarsen();
          if (after === 'codec') feature = throughBytes(feature);
          if (after === 'next life') feature.endLife();
        }
      }),
      { numRuns: 60 },
    );
  });
});
