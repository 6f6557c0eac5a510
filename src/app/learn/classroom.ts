import { crc32 } from 'node:zlib';
import type { Baseline } from '../../domain/baseline.ts';
import { type EvidencePlan, planEvidence } from '../../engine/evidence/plan.ts';
import { isCrowdId } from '../../engine/session/crowd-id.ts';
import type { Score } from '../../learning/concentration.ts';
import { type KnownUnits, KnownValues } from '../../learning/known.ts';
import { PARTS, type Part, partOf } from '../../learning/split.ts';
import { type Attended, attend } from './attend.ts';
import type { Lesson } from './lesson.ts';
import {
  type CohortOf,
  type CohortSizes,
  cohortSizes,
  cohortsOf,
  knownBeside,
  knownValues,
  type ParameterSums,
  sumLessons,
} from './parameters.ts';
import type { MeasuredSession } from './rule-numbers.ts';
import type { Subject } from './subject.ts';

/**
 * Sessions are added up shard by shard, and shards in the order of their numbers. How many threads share the shards
 * then changes no bit of any sum.
 */
export const SHARDS = 64;

export function shardOf(session: string): number {
  return crc32(session) % SHARDS;
}

/** What the sessions of some shards teach. Of each shard it answers on its own; whoever asks puts them together. */
export class Classroom {
  readonly subject: Subject;
  #lessons: Lesson[][] = Array.from({ length: SHARDS }, () => []);
  #parts: Record<Part, Lesson[]>[] = [];
  #known: readonly KnownValues[] = [];
  #plan: EvidencePlan | undefined;
  #cohortOf: CohortOf = cohortsOf(new Map());

  constructor(subject: Subject) {
    this.subject = subject;
  }

  add(lesson: Lesson): void {
    this.#lessons[shardOf(lesson.session)]!.push(lesson);
  }

  /** No lesson comes any more. Those of the named sessions are left out; answers how many. */
  begin(leftOut: ReadonlySet<string>): number {
    const isKept = ({ session }: Lesson) => !leftOut.has(session);
    const before = this.#count();
    this.#lessons = this.#lessons.map((all) =>
      all.filter(isKept).sort((a, b) => (a.session === b.session ? 0 : a.session < b.session ? -1 : 1)),
    );
    this.#parts = this.#lessons.map((all) => {
      const parts: Record<Part, Lesson[]> = { parameters: [], maps: [], thresholds: [] };
      for (const lesson of all) parts[partOf(lesson.unit, this.subject.split)].push(lesson);
      return parts;
    });
    return before - this.#count();
  }

  counts(): Record<Part, number> {
    const of = (part: Part) => this.#parts.reduce((sum, parts) => sum + parts[part].length, 0);
    return Object.fromEntries(PARTS.map((part) => [part, of(part)])) as Record<Part, number>;
  }

  /** How many of them are crowds, which `firebreak regroup` made of all sessions of an agent. */
  crowds(): number {
    const isCrowd = ({ session }: Lesson) => isCrowdId(session);
    return this.#lessons.reduce((sum, all) => sum + all.filter(isCrowd).length, 0);
  }

  /** Of the sessions that parameters are learned from. */
  sizes(): CohortSizes {
    return cohortSizes(this.#parts.flatMap(({ parameters }) => parameters));
  }

  /** Which values each intent was seen with. */
  known(shard: number): KnownUnits[] {
    return knownValues(this.subject.intents, this.#lessons[shard]!).map(({ units }) => units);
  }

  /** The same of all shards together, before anything is asked for in which a value can be new. */
  learnKnown(known: readonly KnownUnits[]): void {
    this.#known = known.map((units) => new KnownValues(units));
  }

  sums(shard: number): ParameterSums {
    const { intents, cohortBy } = this.subject;
    return sumLessons(intents, this.#parts[shard]!.parameters, this.#known, cohortBy.length);
  }

  /** The baseline as far as it is known, before anything is asked for that depends on it. */
  learnDraft(draft: Baseline, sizes: CohortSizes): void {
    this.#plan = planEvidence(this.subject.intents, draft);
    this.#cohortOf = cohortsOf(sizes);
  }

  /** The largest value of each stream of each intent in each session. */
  suprema(shard: number): Attended['suprema'][] {
    return this.#parts[shard]!.maps.map((lesson) => this.#attend(lesson)?.suprema ?? []);
  }

  scores(shard: number): Score[] {
    return this.#parts[shard]!.thresholds.map((lesson) => {
      const { session, agent, principal } = lesson;
      return { session, agent, principal, highest: this.#attend(lesson)?.highest ?? 0 };
    });
  }

  numbers(shard: number): MeasuredSession[] {
    return this.#lessons[shard]!.map((lesson) => this.subject.numbers.measure(lesson));
  }

  /** As a partition would see the session under the draft, had that been learned without the session's own unit. */
  #attend(lesson: Lesson): Attended | undefined {
    if (this.#plan === undefined) return undefined;
    const { key, models } = this.#plan.cohort(this.#cohortOf(lesson));
    return attend(this.#plan.intents, models, knownBeside(this.#known, key, lesson), lesson);
  }

  #count(): number {
    return this.#lessons.reduce((sum, { length }) => sum + length, 0);
  }
}
