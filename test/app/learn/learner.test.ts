import { describe, expect, it } from 'vitest';
import { crowdCopy } from '../../../src/app/crowd-copies.ts';
import { attend } from '../../../src/app/learn/attend.ts';
import { Classroom } from '../../../src/app/learn/classroom.ts';
import { learn } from '../../../src/app/learn/learner.ts';
import type { Lesson } from '../../../src/app/learn/lesson.ts';
import { Lessons } from '../../../src/app/learn/lessons.ts';
import { RuleNumbers } from '../../../src/app/learn/rule-numbers.ts';
import { subject } from '../../../src/app/learn/subject.ts';
import { type Baseline, Budgets } from '../../../src/domain/baseline.ts';
import { canonicalJson } from '../../../src/domain/canonical-json.ts';
import type { ActionEvent } from '../../../src/domain/event.ts';
import { formatInstant } from '../../../src/domain/instant.ts';
import { PolicySettings } from '../../../src/domain/rule.ts';
import { planEvidence } from '../../../src/engine/evidence/plan.ts';
import { checkedOf, intentOf } from '../../engine/evidence/lessons.ts';

const START_MS = Date.UTC(2026, 0, 5);
const INTENTS = [checkedOf(intentOf({})), checkedOf(intentOf({ id: 'new-targets', mark: 'novel(target)' }))];
const SETTINGS = PolicySettings.parse({});
const SUBJECT = subject(INTENTS, new RuleNumbers({ format: 1, settings: SETTINGS, rules: [] }), {
  cohortBy: [['tenant', 'agent.role'], ['agent.role']],
  split: { parameters: 0.5, maps: 0.2 },
});
const BUDGETS = Budgets.parse({ watch: 0.1, pause: 0.02, kill: 0.01, confidence: 'marginal', onUncertified: 'pause' });
const LIVES = { idleEndMs: 30 * 60_000, maxLifetimeMs: 24 * 3_600_000 };

/** A reproducible source of numbers from 0 to 1: the tests' own, not good for anything else. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Sessions of 20 actions, one in ten a deletion, each session with a pace of its own. */
function sessions(count: number, seed: number, role = 'mail'): ActionEvent[] {
  const next = numbers(seed);
  return Array.from({ length: count }, (_, n) => {
    const rate = 0.05 + 0.1 * next();
    return Array.from({ length: 20 }, (_, i): ActionEvent => {
      const deletes = next() < rate;
      return {
        id: `${role}-${seed}-${n}-${i}`,
        time: formatInstant(START_MS + n * 1000 + i * 90_000),
        session: `${role}-${seed}-${n}`,
        agent: { id: 'a', role },
        tenant: 'corp',
        tool: 't',
        action: deletes ? 'delete' : 'read',
        resource: { type: 'mail', id: `m-${Math.floor(next() * 400)}` },
      };
    });
  }).flat();
}

function lessonsOf(events: readonly ActionEvent[]) {
  const lessons = new Lessons(SUBJECT, LIVES, (session) => session);
  for (const event of events) lessons.add(event, Date.parse(event.time));
  return lessons.all;
}

async function learned(lessons: readonly Lesson[]): Promise<Baseline> {
  const room = new Classroom(SUBJECT);
  for (const lesson of lessons) room.add(lesson);
  room.begin(new Set());
  return (await learn([room], SUBJECT, BUDGETS)).baseline;
}

it('says that it is of crowds where all of it is, and is learned of no mixture', async () => {
  const events = sessions(400, 5);
  const crowded = events.map((event) => crowdCopy({ ...event, agent: { id: event.session, role: 'mail' } }));
  expect((await learned(lessonsOf(events))).of).toBeUndefined();
  const { of, thresholds } = await learned(lessonsOf(crowded));
  expect([of, thresholds.watch.grade]).toEqual(['crowds', 'conformal']);
  await expect(learned(lessonsOf([...crowded.slice(0, 20), ...events]))).rejects.toThrow(
    /1 of 401 sessions are crowds of agents: learn from what `firebreak regroup` wrote, or from the log as it was/,
  );
});

describe('a learned baseline', async () => {
  const lessons = lessonsOf(sessions(2000, 1));
  const baseline = await learned(lessons);

  it('is the same bytes whatever the order of the sessions', async () => {
    const again = await learned([...lessons].reverse());
    expect(canonicalJson(again)).toBe(canonicalJson(baseline));
  });

  it('finds the rate of the work', () => {
    const { events, n } = baseline.intents['deleting']!.cohorts['agent.role=mail']!;
    expect(n).toBe(baseline.sessions.parameters);
    expect(events.mu).toBeGreaterThan(0.08);
    expect(events.mu).toBeLessThan(0.12);
  });

  it('keeps its budget on sessions that it has not seen', () => {
    const plan = planEvidence(INTENTS, baseline)!;
    const fresh = lessonsOf(sessions(4000, 2));
    const { models, isKnown } = plan.cohort('tenant=corp,agent.role=mail');
    const highest = fresh.map((lesson) => attend(plan.intents, models, isKnown, lesson).highest);
    const beyond = highest.filter((evidence) => evidence > plan.thresholds.pause).length;
    // 80 are allowed on average; one calibration draw of some 600 sessions moves that by a third either way.
    expect(beyond).toBeLessThan(160);
    expect(beyond).toBeGreaterThan(10);
  });

  it('knows what any session was seen with, and certifies as if it had not seen the session itself', async () => {
    const { known } = baseline.intents['new-targets']!;
    const all = new Set(lessons.flatMap(({ actions }) => [...actions.values()].map(({ resource }) => resource!.id!)));
    expect(known!['agent.role=mail']).toEqual([...all].sort());
    // Sessions that each have a target of their own: to a baseline that knew them, nothing would ever be new.
    const apart = lessonsOf(
      sessions(1000, 6).map((event) => ({ ...event, resource: { type: 'mail', id: `own-${event.session}` } })),
    );
    const { mu } = (await learned(apart)).intents['new-targets']!.global.events;
    expect(mu).toBeGreaterThan(0.03);
  });

  it('measures how often a value is new with the session that brought it left out', () => {
    const { known, cohorts } = baseline.intents['new-targets']!;
    expect(known!['agent.role=mail']!.length).toBeGreaterThan(300);
    // Nearly all of the 400 targets are known after 1000 sessions, so something new is rare, but not impossible.
    const { mu } = cohorts['agent.role=mail']!.events;
    expect(mu).toBeGreaterThan(0);
    expect(mu).toBeLessThan(0.02);
  });

  it('gives the narrowest cohort with enough sessions, and everybody for the others', () => {
    const plan = planEvidence(INTENTS, baseline)!;
    const [first] = sessions(1, 3);
    expect(plan.cohortOf(first!)).toBe('tenant=corp,agent.role=mail');
    expect(plan.cohortOf({ ...first!, tenant: 'other' })).toBe('agent.role=mail');
    expect(plan.cohortOf({ ...first!, agent: { id: 'a', role: 'unknown' } })).toBe('');
  });

  it('says how well each threshold is founded', async () => {
    const { watch, kill } = baseline.thresholds;
    expect(watch).toMatchObject({ grade: 'conformal', n: baseline.sessions.thresholds });
    expect(kill.grade).toBe('conformal');
    const few = await learned(lessons.slice(0, 100));
    expect(few.thresholds.kill.grade).toBe('extrapolated');
    const none = await learned(lessons.slice(0, 8));
    expect(none.thresholds.kill).toEqual({
      alpha: 0.01,
      r: 0,
      needed: 99,
      n: expect.any(Number),
      grade: 'insufficient',
    });
  });
});

describe('the lives of a session', () => {
  it('are lessons of their own, as the engine ends them', () => {
    const [event] = sessions(1, 4);
    const lessons = new Lessons(SUBJECT, LIVES, (session) => session);
    for (const atMs of [0, 60_000, 40 * 60_000]) lessons.add(event!, START_MS + atMs);
    expect(lessons.all.map(({ times }) => times.length)).toEqual([2, 1]);
  });

  it('are left out where the session is not known to be benign', () => {
    const lessons = new Lessons(SUBJECT, LIVES, () => undefined);
    for (const event of sessions(3, 5)) lessons.add(event, START_MS);
    expect(lessons.all).toEqual([]);
  });
});
