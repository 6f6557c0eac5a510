import { expect, it } from 'vitest';
import { evidenceCourse } from '../../src/app/explain/evidence-course.ts';
import { explainStory } from '../../src/app/explain/explanation.ts';
import { storyOf } from '../../src/app/explain/story.ts';
import { openRecording } from '../../src/app/recording.ts';
import { replayPolicy } from '../../src/app/replay.ts';
import { explainPage } from '../../src/cli/explain-page.ts';
import { formatInstant } from '../../src/domain/instant.ts';
import { PolicySettings } from '../../src/domain/rule.ts';
import { eventLine, withFiles } from '../app/recordings.ts';
import { baselineOf, intentOf } from '../engine/evidence/lessons.ts';
import { ruleOf, START_MS } from '../engine/harness.ts';
import { elements } from './page-elements.ts';

const HOSTILE = `<script>alert("1")</script>`;
const INTENT = intentOf({});

async function story(rules: Record<string, unknown>[] = []) {
  const lines = Array.from({ length: 40 }, (_, n) =>
    eventLine(n, {
      time: formatInstant(START_MS + n * 120_000),
      session: HOSTILE,
      agent: { id: HOSTILE },
      tool: HOSTILE,
    }),
  );
  const settings = PolicySettings.parse({});
  const baseline = baselineOf([INTENT]);
  const policy = replayPolicy({ format: 1, settings, rules: rules.map(ruleOf), intents: [INTENT], baseline });
  return withFiles([lines.join('\n')], async ([path]) => {
    const recording = await openRecording(path!, settings.delayMs);
    const told = await storyOf([recording], { policy, capturedBy: 'given', end: 'open' }, HOSTILE);
    await recording.close();
    if (!('story' in told)) throw new Error('no such session');
    return told.story;
  });
}

it('reads the evidence of each intent after each action, up to the kill', async () => {
  const told = await story();
  const course = evidenceCourse(told)!;
  const kill = told.rises.at(-1)!;
  expect(kill.level).toBe('killed');
  expect(course.intents.map(({ intent }) => intent)).toEqual(['deleting']);
  const { values } = course.intents[0]!;
  expect(values).toHaveLength(kill.number);
  for (const { number, finding } of told.rises) expect(values[number - 1]).toBeCloseTo(finding.score!, 9);
  expect(course.thresholds.kill.c).toBe(6);
});

it('is a page with one picture for each intent and rule that fired, and text of the events stays text', async () => {
  const rule = {
    id: 'many',
    match: { action: 'delete' },
    when: { watch: 'n > 2', pause: 'n > 3' },
    explain: '{n} gone',
  };
  const told = await story([rule]);
  const page = explainPage(explainStory(told), evidenceCourse(told), '1.0.0');
  const names = elements(page);
  expect(names).not.toContain('script');
  expect(page).not.toContain(HOSTILE);
  expect(names.filter((name) => name === 'svg')).toHaveLength(2);
  // Steps upwards, and the pause and the kill are pointed at.
  expect(page).toMatch(/class="line line-seen" d="M[\d. ]+(L[\d. ]+){4,}/);
  expect(page.match(/<circle class="dot"/g)!.length).toBeGreaterThan(1);
});
