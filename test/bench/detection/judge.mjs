/** Learns on benign sessions and judges others with the engine itself, as `firebreak learn` and `firebreak replay` do. */
import { createHash } from 'node:crypto';
import { Classroom } from '../../../dist/app/learn/classroom.js';
import { learn } from '../../../dist/app/learn/learner.js';
import { Lessons } from '../../../dist/app/learn/lessons.js';
import { subjectOf } from '../../../dist/app/learn/subject.js';
import { replayPolicy } from '../../../dist/app/replay.js';
import { Partition } from '../../../dist/engine/partition.js';
import { step } from '../../../dist/engine/step.js';

/** The fold that a task is judged in: by what the other folds taught. */
export function foldOf(unit, folds) {
  return createHash('sha1').update(String(unit)).digest().readUInt32BE(0) % folds;
}

/** The policy of a folder with what its intents learned from `sessions`; all of them are benign. */
export async function learnFrom(body, sessions, { budgets, confidence, onUncertified }) {
  const subject = subjectOf(body);
  const units = new Map(sessions.map(({ session, unit }) => [session, unit]));
  const lessons = new Lessons(subject, body.settings, (session) => units.get(session));
  for (const { events } of sessions) for (const event of events) lessons.add(event, Date.parse(event.time));
  const room = new Classroom(subject);
  for (const lesson of lessons.all) room.add(lesson);
  room.begin(new Set());
  const { baseline } = await learn([room], subject, { ...budgets, confidence, onUncertified });
  const thresholds = Object.fromEntries(
    Object.entries(baseline.thresholds).map(([name, { c: _, ...certified }]) => [name, certified]),
  );
  const unbounded = { ...body, rules: [], baseline: { ...baseline, thresholds } };
  return { baseline, policy: replayPolicy({ ...body, baseline }), gauge: replayPolicy(unbounded) };
}

/** The evidence after each action, by a policy that stops nothing. */
export function courses(policy, sessions) {
  return new Map(
    sessions.map(({ session, events }) => {
      const course = [];
      eachStep(policy, { session, events }, (_, partition) => {
        const { intents } = partition.sessions.get(session);
        course.push(intents?.evidence.cause(policy.plan.evidence.cohort(intents.cohort).models)?.evidence ?? 0);
      });
      return [session, course];
    }),
  );
}

function eachStep(policy, { session, events }, visit) {
  const partition = new Partition(session, 0);
  partition.plans.set(policy.plan.hash, policy.plan);
  const startMs = Date.parse(events[0].time);
  step(partition, { offset: 0, appendMs: startMs, body: { type: 'policy', policy: policy.activated } });
  let clockMs = startMs;
  for (const [at, event] of events.entries()) {
    clockMs = Math.max(clockMs, Date.parse(event.time));
    visit(at, partition, step(partition, { offset: at + 1, appendMs: clockMs, body: { type: 'action', event } }));
  }
}

/** Position of the first kill, and of the first pause or kill, of every session that has one. */
export function judge(policy, sessions) {
  const kill = new Map();
  const stop = new Map();
  const rules = new Map();
  for (const { session, events } of sessions) {
    eachStep(policy, { session, events }, (at, _, outputs) => {
      for (const { topic, command } of outputs) {
        if (topic !== 'commands') continue;
        if (!stop.has(session)) stop.set(session, at);
        if (command.action === 'kill' && !kill.has(session)) kill.set(session, at);
        rules.set(`${command.action} ${command.rule}`, (rules.get(`${command.action} ${command.rule}`) ?? 0) + 1);
      }
    });
  }
  return { kill, stop, rules };
}
