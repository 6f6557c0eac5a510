import { STREAMS } from '../../domain/baseline.ts';
import type { FeatureModel } from '../../engine/evidence/feature-evidence.ts';
import type { CheckedIntent } from '../../engine/evidence/intent.ts';
import { type IsKnown, MarkMemory, marksOf } from '../../engine/evidence/marks.ts';
import { SessionEvidence } from '../../engine/evidence/session-evidence.ts';
import type { Lesson } from './lesson.ts';

/** What a finished session was, in the numbers that learning adds up. Lists are in the order of the intents. */
export interface Attended {
  events: number;
  activeHours: number;
  /** Sum of effective marks, and sum of the squares of what each burst of them weighs. */
  marks: readonly { N: number; WW: number }[];
  /** The largest value that each stream reached, in the order of STREAMS. */
  suprema: readonly (readonly number[])[];
  /** The largest evidence. */
  highest: number;
}

/** Lets the engine's own evidence see a whole session. `visit` hears what each action led to. */
export function attend(
  intents: readonly CheckedIntent[],
  models: readonly FeatureModel[],
  isKnown: IsKnown,
  { times, actions }: Lesson,
  visit: (action: number, evidence: SessionEvidence) => void = () => {},
): Attended {
  const evidence = new SessionEvidence();
  const memories = intents.map(() => new MarkMemory());
  const tallies = intents.map(() => ({ N: 0, WW: 0, burst: 0, suprema: STREAMS.map(() => 0) }));
  for (let at = 0; at < times.length; at++) {
    const event = actions.get(at);
    const touches = event === undefined ? [] : marksOf(intents, (intent) => memories[intent]!, event, isKnown);
    const contributions = evidence.observe(models, times[at]!, touches);
    for (const [i, { feature }] of touches.entries()) {
      const tally = tallies[feature]!;
      const { burstIndex, streams } = evidence.feature(models[feature]!.id);
      const { effective } = contributions[i]!;
      if (burstIndex === 1) {
        tally.WW += tally.burst ** 2;
        tally.burst = 0;
      }
      tally.burst += effective;
      tally.N += effective;
      for (const [stream, value] of streams.entries()) {
        tally.suprema[stream] = Math.max(tally.suprema[stream]!, value);
      }
    }
    visit(at, evidence);
  }
  return {
    events: evidence.events,
    activeHours: evidence.activeHours,
    marks: tallies.map(({ N, WW, burst }) => ({ N, WW: WW + burst ** 2 })),
    suprema: tallies.map(({ suprema }) => suprema),
    highest: evidence.highest,
  };
}
