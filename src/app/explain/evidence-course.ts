import type { CertifiedThreshold } from '../../domain/baseline.ts';
import type { Condition } from '../../domain/level.ts';
import type { EvidencePlan } from '../../engine/evidence/plan.ts';
import type { SessionIntents } from '../../engine/evidence/session-intents.ts';
import { judgedAgain } from './rerun.ts';
import type { Story } from './story.ts';

/** How the evidence of a session grew, in nats after each intent's share of the budget. */
export interface EvidenceCourse {
  /** Of the policy that judged last. */
  thresholds: Readonly<Record<Condition, CertifiedThreshold>>;
  /** Those that ever had any; `values` has one for each action up to a kill, 0 while there is none. */
  intents: { intent: string; title: string; values: number[] }[];
}

/**
 * Judges the story again, alone, and reads each intent after each action, up to a kill: nothing is weighed after it.
 * Undefined where no policy had a baseline.
 */
export function evidenceCourse(story: Story): EvidenceCourse | undefined {
  const courses = new Map<string, EvidenceCourse['intents'][number]>();
  let thresholds: EvidenceCourse['thresholds'] | undefined;
  for (const { action, by, partition } of judgedAgain(story, (plan) => plan)) {
    if (by === 'silence') continue;
    const { event, plan, number } = action;
    const session = partition.find(event.session);
    const kill = story.rises.find((rise) => rise.number === number && rise.level === 'killed');
    thresholds = plan?.evidence?.certified ?? thresholds;
    for (const [feature, { intent }] of plan?.evidence?.intents.entries() ?? []) {
      const { id, title } = intent;
      const before = courses.get(id)?.values.at(-1) ?? 0;
      // A kill leaves nothing of the session but its mark: its own evidence stands in the finding.
      const killed = kill?.rule === id ? (kill.finding.score ?? before) : before;
      const evidence = session?.intents === undefined ? killed : evidenceOf(session.intents, plan!.evidence!, feature);
      if (evidence === 0 && !courses.has(id)) continue;
      const course = courses.get(id) ?? { intent: id, title, values: new Array<number>(number - 1).fill(0) };
      course.values.push(evidence);
      courses.set(id, course);
    }
    if (kill !== undefined) break;
  }
  return thresholds && { thresholds, intents: [...courses.values()] };
}

function evidenceOf({ cohort, evidence }: SessionIntents, plan: EvidencePlan, feature: number): number {
  return evidence.cause(plan.cohort(cohort).models, (one) => one === feature)?.evidence ?? 0;
}
