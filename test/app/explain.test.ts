import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { thresholdTexts } from '../../src/app/explain/comparison-text.ts';
import { explainStory, type StopExplained } from '../../src/app/explain/explanation.ts';
import { sessionOfCommand, storyOf } from '../../src/app/explain/story.ts';
import { openRecording } from '../../src/app/recording.ts';
import { type ReplayOptions, replayPolicy } from '../../src/app/replay.ts';
import { explainText } from '../../src/cli/explain-text.ts';
import type { ActionEvent } from '../../src/domain/event.ts';
import { formatInstant, parseInstant } from '../../src/domain/instant.ts';
import { DEFAULT_SETTINGS, type PolicyBody, Rule } from '../../src/domain/rule.ts';
import { Partition } from '../../src/engine/partition.ts';
import { compilePolicy } from '../../src/engine/plan/policy.ts';
import { step } from '../../src/engine/step.ts';
import { baselineOf, intentOf } from '../engine/evidence/lessons.ts';

const START_MS = parseInstant('2026-03-02T09:00:00Z');

function ruleOf(when: Rule['when'], more: object = {}): Rule {
  return Rule.parse({
    id: 'mixed-work',
    title: 'Mixed work',
    severity: 'high',
    match: { action: ['delete', 'send'] },
    within: '10m',
    measure: { objects: 'count', kinds: 'distinct(action)' },
    when,
    ...more,
  });
}

interface Sketch {
  action: 'delete' | 'send' | 'read';
  afterS?: number;
  affected?: number;
}

function eventsOf(sketches: readonly Sketch[]): ActionEvent[] {
  let timeMs = START_MS;
  return sketches.map(({ action, afterS = 1, affected }, index) => {
    timeMs += afterS * 1000;
    const about = { id: `e-${index + 1}`, time: formatInstant(timeMs), session: 'conv-1', agent: { id: 'worker' } };
    return { ...about, tool: action, action, outcome: 'ok', ...(affected === undefined ? {} : { affected }) };
  });
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-explain-'));
});

async function recorded(events: readonly ActionEvent[], rules: Rule[], evidence: Partial<PolicyBody> = {}) {
  const file = join(folder, 'events.ndjson');
  await writeFile(file, events.map((event) => JSON.stringify(event)).join('\n'));
  const recording = await openRecording(file, DEFAULT_SETTINGS.delayMs);
  const policy = replayPolicy({ format: 1, settings: DEFAULT_SETTINGS, rules, ...evidence });
  const options: ReplayOptions = { policy, capturedBy: 'given', end: 'closed' };
  return { recordings: [recording], options };
}

async function explained(events: readonly ActionEvent[], rules: Rule[], evidence: Partial<PolicyBody> = {}) {
  const { recordings, options } = await recorded(events, rules, evidence);
  const told = await storyOf(recordings, options, 'conv-1');
  if ('known' in told) throw new Error(`known: ${told.known.join(' ')}`);
  return explainStory(told.story);
}

/** The levels that the engine raises the session to over these events and under these rules, with the events. */
function levelsOver(events: readonly ActionEvent[], rules: Rule[]): string[] {
  const partition = new Partition('again', 0);
  partition.judgeUnder(compilePolicy('again', { format: 1, settings: DEFAULT_SETTINGS, rules }));
  return events.flatMap((event, offset) =>
    step(partition, { offset, appendMs: parseInstant(event.time), body: { type: 'action', event } }).flatMap(
      (output) =>
        output.topic === 'findings' && output.finding.code === 'level_changed' ? [output.finding.level!.to] : [],
    ),
  );
}

const numbers = (steps: StopExplained['steps']) => steps.steps.map(({ number }) => number);

describe('what did not come', () => {
  const unanswered = ruleOf(
    { watch: 'open > 0', pause: 'open > 1' },
    {
      measure: { open: { sequence: [{ match: { action: 'delete' } }, { missing: { action: 'send' }, within: '5m' }] } },
    },
  );
  const events = eventsOf([
    { action: 'delete' },
    { action: 'read', afterS: 100 },
    { action: 'delete', afterS: 300 },
    { action: 'read', afterS: 600 },
  ]);

  it('is told where it was noticed, with the step before it and what would have spared it', async () => {
    const explanation = await explained(events, [unanswered]);
    expect(explanation.stops.map(({ level, step, silentUntil }) => [level, step.number, silentUntil])).toEqual([
      ['paused', 3, '2026-03-02T09:11:41.000Z'],
    ]);
    expect(explanation.stops[0]!.thresholds).toMatchObject([{ threshold: 2, was: '1' }]);
    expect([explanation.stops[0]!.steps.claim, numbers(explanation.stops[0]!.steps)]).toEqual(['each', [1, 3]]);
    expect(explanation.timelines[0]!.rows.map(({ number, tool, level }) => [number, tool, level])).toEqual([
      [1, 'delete', 'clear'],
      [2, '(silence)', 'watch'],
      [3, 'delete', 'watch'],
      [3, '(silence)', 'paused'],
    ]);
    expect(explainText(explanation, 100)).toContain('PAUSED after action 3 by mixed-work');
  });
});

describe('what did not come, more than once', () => {
  it('is told with numbers that hold, whatever gaps the recording has', async () => {
    const unanswered = ruleOf(
      { watch: 'open > 0', pause: 'open > 2' },
      {
        within: '2h',
        measure: {
          open: {
            sequence: [{ match: { action: 'delete' } }, { missing: { action: 'send' }, within: '10m' }],
            same: 'tool',
          },
        },
      },
    );
    const deletes = eventsOf(Array.from({ length: 3 }, () => ({ action: 'delete' as const, afterS: 60 })));
    const [last] = eventsOf([{ action: 'read', afterS: 7200 }]);
    const events = [...deletes.map((event, i) => ({ ...event, tool: `t-${i}` })), { ...last!, id: 'e-4' }];
    for (const [name, recorded] of [
      ['read afterwards', events],
      ['nothing more', events.slice(0, 3)],
    ] as const) {
      const { stops, timelines } = await explained(recorded, [unanswered]);
      expect(stops.map(({ level, step, silentUntil }) => [name, level, step.number, silentUntil])).toEqual([
        [name, 'paused', 3, '2026-03-02T09:13:00.000Z'],
      ]);
      expect(stops[0]!.thresholds).toMatchObject([{ threshold: 3, was: '2' }]);
      const told = timelines[0]!.rows.map(({ tool, measures }) => [tool, measures['open']]);
      expect(told).toEqual([...['t-0', 't-1', 't-2'].map((tool) => [tool, 0]), ['(silence)', 1], ['(silence)', 3]]);
    }
  });
});

describe('the end of a recording', () => {
  it('is followed by silence, as a replay has it', async () => {
    const unanswered = ruleOf(
      { pause: 'open > 0' },
      {
        measure: {
          open: { sequence: [{ match: { action: 'delete' } }, { missing: { action: 'send' }, within: '5m' }] },
        },
      },
    );
    const { level, stops } = await explained(eventsOf([{ action: 'delete' }]), [unanswered]);
    expect([level, stops.map(({ silentUntil }) => silentUntil)]).toEqual(['paused', ['2026-03-02T09:05:01.000Z']]);
  });
});

describe('what would have spared a session', () => {
  const many = eventsOf(Array.from({ length: 9 }, () => ({ action: 'delete' as const })));

  it('the threshold that nothing passes, and each step up to the one that fired', async () => {
    const { stops, level } = await explained(many, [ruleOf({ pause: 'objects > 5' })]);
    expect([level, stops.length]).toEqual(['paused', 1]);
    expect(stops[0]).toMatchObject({ level: 'paused', step: { number: 6, eventId: 'e-6', line: 6 } });
    expect(stops[0]!.thresholds).toMatchObject([{ threshold: 9, was: '5', text: 'objects > 9', still: null }]);
    expect([stops[0]!.steps.claim, numbers(stops[0]!.steps)]).toEqual(['each', [1, 2, 3, 4, 5]]);
  });

  it('one heavy step among light ones', async () => {
    const events = eventsOf([
      { action: 'delete' },
      { action: 'delete', affected: 50 },
      { action: 'read' },
      { action: 'send' },
    ]);
    const { stops } = await explained(events, [ruleOf({ pause: 'objects > 20 and kinds == 2' })]);
    expect(stops[0]!.thresholds).toMatchObject([{ threshold: 52 }]);
    expect([stops[0]!.steps.claim, numbers(stops[0]!.steps)]).toEqual(['each', [2]]);
  });

  it('steps that only help together, the heaviest of them', async () => {
    const events = eventsOf([
      ...Array.from({ length: 4 }, () => ({ action: 'delete' as const })),
      { action: 'delete', affected: 8 },
      { action: 'delete', affected: 8 },
      { action: 'send' },
    ]);
    const { stops } = await explained(events, [ruleOf({ pause: 'objects > 5 and kinds == 2' })]);
    expect([stops[0]!.steps.claim, numbers(stops[0]!.steps)]).toEqual(['together', [5, 6]]);
  });

  it('nothing before, where the action is enough alone', async () => {
    const events = eventsOf([{ action: 'delete' }, { action: 'delete', affected: 9 }]);
    const { stops } = await explained(events, [ruleOf({ pause: 'objects > 5' })]);
    expect(stops[0]!.steps).toMatchObject({ claim: 'none', steps: [] });
  });

  it('says who would stop it all the same', async () => {
    const other = ruleOf({ pause: 'objects >= 8' }, { id: 'other-rule', match: { action: 'delete' } });
    const { stops } = await explained(many, [ruleOf({ pause: 'objects > 5' }), other]);
    expect(stops[0]!.thresholds).toMatchObject([{ still: { rule: 'other-rule', level: 'paused', number: 8 } }]);
  });

  it('of a session that was never raised shows the rule that came nearest', async () => {
    const quiet = ruleOf({ watch: 'objects > 100' }, { id: 'far-off' });
    const { stops, timelines } = await explained(many, [quiet, ruleOf({ watch: 'objects > 10' })]);
    expect([stops, timelines.map(({ rule, fired }) => [rule, fired])]).toEqual([[], [['mixed-work', false]]]);
    expect(timelines[0]!.rows.map(({ measures }) => measures.objects)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('is not looked for where a rule has exceptions, or compares with no threshold; and that is said', async () => {
    const exceptions = [
      { name: 'clean-up', match: { tool: 'archive' }, atMost: 'watch', reason: 'r', owner: 'o', expires: '2099-01-01' },
    ];
    const excepted = await explained(many, [ruleOf({ pause: 'objects > 5' }, { exceptions })]);
    expect(excepted.stops[0]).toMatchObject({ thresholds: [], thresholdsUntried: 'exceptions' });
    expect(excepted.stops[0]!.steps).toMatchObject({ claim: 'each' });
    expect(explainText(excepted, 200)).toContain('by another threshold perhaps: none was tried');
    const bare = await explained(many, [ruleOf({ pause: 'objects == 6' })]);
    expect(bare.stops[0]).toMatchObject({ thresholds: [], thresholdsUntried: 'no_threshold' });
    expect(explainText(bare, 200)).toContain('by no other threshold: its condition compares with none');
  });

  it('is not looked for where intents stopped it; their numbers, promise and steps are told', async () => {
    const intents = [intentOf({})];
    const apart = eventsOf(Array.from({ length: 12 }, () => ({ action: 'delete' as const, afterS: 120 })));
    const told = await explained(apart, [], { intents, baseline: baselineOf(intents) });
    const [paused] = told.stops;
    expect(paused).toMatchObject({
      level: 'paused',
      rule: { id: 'deleting', title: 'evidence of intents' },
      threshold: 4,
      baseline: { alpha: 0.01, n: 999 },
      thresholds: [],
      thresholdsUntried: 'intent',
      steps: { claim: 'untried', steps: [] },
    });
    expect(paused!.score).toBeGreaterThanOrEqual(4);
    expect(paused!.evidence.map(({ eventId }) => eventId)).toEqual(
      Array.from(
        { length: paused!.evidence.length },
        (_, i) => `e-${paused!.step.number - paused!.evidence.length + 1 + i}`,
      ),
    );
    const text = explainText(told, 200);
    expect(text).toMatch(
      /score {2}evidence of [\d.]+ nats, 4 or more is paused; [\d.]+ marks were expected; at most 1 % of/,
    );
    expect(text).toContain('What would have spared it was not tried');
    expect(text).not.toContain('would not have');
  });

  it.each([60, 80, 140])('is told in no more than %i columns', async (width) => {
    const events = eventsOf(Array.from({ length: 40 }, (_, i) => ({ action: i % 3 === 0 ? 'send' : 'delete' })));
    const long = events.map((event) => ({ ...event, tool: `${event.tool}_of_everything_that_is_in_the_folder` }));
    const when = { watch: 'objects > 8 and kinds > 1', pause: 'objects > 12 and kinds > 1 and kinds < 9' };
    const text = explainText(await explained(long, [ruleOf(when)]), width);
    expect(text.split('\n').filter((line) => line.length > width)).toEqual([]);
    expect(text).toMatch(
      width < 140 ? /13 +09:00:13 .*12, 1, 9!/ : /13 +2026-\S+ +send_of_\S+ +paused .* 12, 1, 9 holds/,
    );
  });

  it('says of which actions nobody judged', async () => {
    const { recordings, options } = await recorded(many, [ruleOf({ pause: 'objects > 5' })]);
    const told = await storyOf(recordings, options, 'conv-1');
    if ('known' in told) throw new Error('not found');
    const before = told.story.actions.map((action) => ({ ...action, plan: undefined, readings: [] }));
    const text = explainText(explainStory({ ...told.story, actions: before, rises: [] }), 200);
    expect(text).toContain('No policy held at 9 actions');
    expect(text).toContain('No rule looks at any of its actions.');
  });

  it('what it says holds when other code tries it', async () => {
    const sketch = fc.record({
      action: fc.constantFrom<Sketch['action']>('delete', 'send', 'read'),
      afterS: fc.integer({ min: 0, max: 200 }),
      affected: fc.constantFrom(1, 1, 1, 2, 7),
    });
    const condition = fc.constantFrom(
      'objects > 6',
      'objects >= 9',
      '5 < objects and kinds > 1',
      'kinds >= 2 or objects > 12',
    );
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(sketch, { minLength: 5, maxLength: 40, size: 'max' }),
        condition,
        async (sketches, pause) => {
          const events = eventsOf(sketches);
          const { stops } = await explained(events, [ruleOf({ pause })]);
          for (const { thresholds, steps, step: fired } of stops) {
            for (const { text, threshold, was } of thresholds) {
              tried++;
              expect(levelsOver(events, [ruleOf({ pause: text })])).toEqual([]);
              const [written] = thresholdTexts(pause).filter((one) => one.threshold === was);
              // All numbers here are whole, and the search answers whole numbers for whole numbers.
              const below = written!.withThreshold(written!.operator === '>=' ? threshold - 1 : threshold - 0.5);
              expect(levelsOver(events, [ruleOf({ pause: below })])).toEqual(['paused']);
            }
            const until = events.slice(0, fired.number);
            const left = (out: readonly number[]) => until.filter((_, index) => !out.includes(index + 1));
            const gone = numbers(steps);
            if (steps.claim === 'each') {
              for (const number of gone) expect(levelsOver(left([number]), [ruleOf({ pause })])).toEqual([]);
            } else {
              expect(levelsOver(left(gone), [ruleOf({ pause })]).length).toBe(steps.claim === 'none' ? 1 : 0);
              for (const number of gone) {
                const others = gone.filter((one) => one !== number);
                expect(levelsOver(left(others), [ruleOf({ pause })])).toEqual(['paused']);
              }
            }
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(tried).toBeGreaterThan(20);
  });
});

describe('what is to be explained', () => {
  it('is found by the id of a command; else the ids that there are', async () => {
    const events = eventsOf(Array.from({ length: 9 }, () => ({ action: 'delete' as const })));
    const { recordings, options } = await recorded(events, [ruleOf({ pause: 'objects > 5' })]);
    const unknown = await sessionOfCommand(recordings, options, 'cmd-1');
    expect(unknown).toEqual({ known: [expect.stringMatching(/^cmd-[0-9a-f]{32}$/)] });
    const id = 'known' in unknown ? unknown.known[0]! : '';
    expect(await sessionOfCommand(recordings, options, id)).toEqual({ session: 'conv-1' });
    expect(await storyOf(recordings, options, 'conv-2')).toEqual({ known: ['conv-1'] });
  });
});

describe('the thresholds of a condition', () => {
  it.each<[string, string[]]>([
    ['objects > 5', ['objects > 7']],
    ['5 <= objects', ['7 <= objects']],
    [
      'objects > max(20, 3 * baseline.objects.p99) and kinds / objects > 0.5',
      ['objects > 7 and kinds / objects > 0.5', 'objects > max(20, 3 * baseline.objects.p99) and kinds / objects > 7'],
    ],
    [
      '(objects + kinds) * 2 >= (3 + 1) or not (kinds < 2)',
      ['(objects + kinds) * 2 >= 7 or not (kinds < 2)', '(objects + kinds) * 2 >= (3 + 1) or not (kinds < 7)'],
    ],
    [
      'session.age > duration("5m") ? objects > 2 : objects > 9',
      [
        'session.age > 7 ? objects > 2 : objects > 9',
        'session.age > duration("5m") ? objects > 7 : objects > 9',
        'session.age > duration("5m") ? objects > 2 : objects > 7',
      ],
    ],
    ['objects > kinds', []],
    ['kinds == 2', []],
  ])('%s', (source, changed) => expect(thresholdTexts(source).map((one) => one.withThreshold(7))).toEqual(changed));
});
