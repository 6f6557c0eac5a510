import { type Baseline, type Budgets, type IntentBaseline, STREAMS, type TailMap } from '../../domain/baseline.ts';
import { reachOf, scoresOf } from '../../domain/reach.ts';
import { certify } from '../../learning/certify.ts';
import { type Concentration, limited, type Party } from '../../learning/concentration.ts';
import { KnownValues } from '../../learning/known.ts';
import { PARTS } from '../../learning/split.ts';
import { fitTail } from '../../learning/tail.ts';
import { type Classroom, SHARDS } from './classroom.ts';
import { type CohortSizes, fitParameters, type IntentParameters, mergeSums } from './parameters.ts';
import type { Subject } from './subject.ts';

/** A classroom here, or in a thread. */
export type Room = {
  [K in keyof Classroom]: Classroom[K] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Result | Promise<Result>
    : unknown;
};

export interface Learned {
  baseline: Baseline;
  /** Whose sessions certify the thresholds, and what was left out because it would have been too many of one. */
  certifying: Record<Party, Concentration>;
}

/** In the order in which they come, with how much of each is done, 0 to 1. */
export type Phase = 'known values' | 'parameters' | 'tails' | 'thresholds' | 'numbers of rules';
export type OnProgress = (phase: Phase, share: number) => void;

/**
 * Learns from finished benign sessions, in three parts that share no unit, so that nothing which certifies a threshold
 * has shaped what it certifies:
 *
 *   parameters   rate and dispersion of each intent in each cohort
 *   maps         how far each stream of each intent reaches in a session
 *   thresholds   how far the evidence of a whole session reaches
 *
 * Which values are known is learned from all of them, and each session is measured without what only its own unit
 * brought: then it is as a session of tomorrow, and no session is spent on knowledge alone. That one knows a unit less
 * than tomorrow's errs to more that is new, and to higher thresholds.
 *
 * Shard n is learned in room n modulo their number, after `begin` of each. The same lessons give the same baseline to
 * the last bit, whatever their order and however many the rooms are.
 */
export async function learn(
  rooms: readonly Room[],
  subject: Subject,
  budgets: Budgets,
  onProgress: OnProgress = () => {},
): Promise<Learned> {
  const { intents, numbers, cohortBy } = subject;
  const each = <T>(phase: Phase, ask: (room: Room, shard: number) => T | Promise<T>) =>
    askEach(rooms, ask, (share) => onProgress(phase, share));

  const known = await learnKnown(rooms, intents.length, onProgress);
  const sums = mergeSums(await each('parameters', (room, shard) => room.sums(shard)), intents.length, cohortBy.length);
  const parameters = fitParameters(sums);
  const counts = await Promise.all(rooms.map((room) => room.counts()));
  const sessions = Object.fromEntries(PARTS.map((part) => [part, counts.reduce((sum, of) => sum + of[part], 0)]));
  const draft: Baseline = {
    format: 1,
    ...(await ofCrowds(rooms, sessions)),
    cohortBy,
    intents: describe(subject, parameters, () => [FLAT, FLAT, FLAT, FLAT]),
    thresholds: certify([], budgets),
    onUncertified: budgets.onUncertified,
    sessions: sessions as Baseline['sessions'],
  };

  const sizes = addUp(await Promise.all(rooms.map((room) => room.sizes())));
  await Promise.all(rooms.map((room) => room.learnDraft(draft, sizes)));
  const reached = (await each('tails', (room, shard) => room.suprema(shard))).flat();
  const mapped = describe(subject, parameters, (intent) =>
    STREAMS.map((_, stream) => tailOf(reached.map((suprema) => suprema[intent]![stream]!))),
  );

  await Promise.all(rooms.map((room) => room.learnDraft({ ...draft, intents: mapped }, sizes)));
  const { kept, by } = limited((await each('thresholds', (room, shard) => room.scores(shard))).flat());
  const reach = reachOf(kept.map(({ highest }) => highest));
  const measured =
    numbers.rules.length === 0 ? [] : await each('numbers of rules', (room, shard) => room.numbers(shard));
  const rules = numbers.learn(measured.flat());
  const baseline: Baseline = {
    ...draft,
    intents: withKnown(subject, mapped, known),
    ...(rules === undefined ? {} : { rules }),
    reach,
    thresholds: certify(scoresOf(reach), budgets),
    sessions: { ...draft.sessions, thresholds: kept.length },
  };
  return { baseline, certifying: by };
}

/** Crowds and sessions have no habits in common. Throws where both are among what is learned from. */
async function ofCrowds(rooms: readonly Room[], sessions: Record<string, number>): Promise<Pick<Baseline, 'of'>> {
  const all = Object.values(sessions).reduce((sum, one) => sum + one, 0);
  const crowds = (await Promise.all(rooms.map((room) => room.crowds()))).reduce((sum, one) => sum + one, 0);
  if (crowds === 0) return {};
  if (crowds === all) return { of: 'crowds' };
  throw new Error(
    `${crowds} of ${all} sessions are crowds of agents: learn from what \`firebreak regroup\` wrote, or from the log as it was, not from both`,
  );
}

/** All rooms at once, each one shard after the other. Answers by shard. */
async function askEach<T>(
  rooms: readonly Room[],
  ask: (room: Room, shard: number) => T | Promise<T>,
  onShare: (share: number) => void,
): Promise<T[]> {
  const answers = new Array<T>(SHARDS);
  let done = 0;
  const askRoom = async (room: Room, first: number) => {
    for (let shard = first; shard < SHARDS; shard += rooms.length) {
      answers[shard] = await ask(room, shard);
      onShare(++done / SHARDS);
    }
  };
  await Promise.all(rooms.map(askRoom));
  return answers;
}

async function learnKnown(rooms: readonly Room[], intents: number, onProgress: OnProgress): Promise<KnownValues[]> {
  const known = Array.from({ length: intents }, () => new KnownValues());
  const ask = async (room: Room, shard: number) => {
    for (const [i, units] of (await room.known(shard)).entries()) known[i]!.merge(units);
  };
  await askEach(rooms, ask, (share) => onProgress('known values', share));
  await Promise.all(rooms.map((room) => room.learnKnown(known.map(({ units }) => units))));
  return known;
}

function addUp(all: readonly CohortSizes[]): CohortSizes {
  const sum: CohortSizes = new Map();
  for (const sizes of all) for (const [cohort, size] of sizes) sum.set(cohort, (sum.get(cohort) ?? 0) + size);
  return sum;
}

const FLAT: TailMap = { u: 1, lpu: 1, eta: 1 };

function tailOf(suprema: readonly number[]): TailMap {
  const { u, lpu, eta } = fitTail(suprema);
  return { u, lpu, eta };
}

function describe(
  { intents }: Subject,
  parameters: readonly IntentParameters[],
  mapsOf: (intent: number) => TailMap[],
): Baseline['intents'] {
  const described = intents.map(({ intent, meaning }, i) => {
    const [volume, rate, burst, shift] = mapsOf(i) as [TailMap, TailMap, TailMap, TailMap];
    const learned: IntentBaseline = { meaning, ...parameters[i]!, maps: { volume, rate, burst, shift } };
    return [intent.id, learned] as const;
  });
  return Object.fromEntries(described);
}

function withKnown({ intents }: Subject, learned: Baseline['intents'], known: KnownValues[]): Baseline['intents'] {
  const described = intents.map(({ intent: { id }, familiar }, i) => {
    return [id, familiar ? { ...learned[id]!, known: known[i]!.sets() } : learned[id]!] as const;
  });
  return Object.fromEntries(described);
}
