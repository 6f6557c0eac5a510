import type { ByteReader } from '../session/bytes.ts';
import type { Feature } from '../window/feature.ts';
import { LifetimeDistinct, LifetimeSum } from '../window/lifetime.ts';
import { SlidingDistinct } from '../window/sliding-distinct.ts';
import { SlidingSum } from '../window/sliding-sum.ts';
import type { FeatureKind } from './measure.ts';

/** The four forms of state, by the number that names them in the session codec. Numbers are never reused. */
const FORMS = {
  1: { create: (withinMs: number): Feature => new SlidingSum(withinMs), read: SlidingSum.read },
  2: { create: (withinMs: number): Feature => new SlidingDistinct(withinMs), read: SlidingDistinct.read },
  3: { create: (): Feature => new LifetimeSum(), read: LifetimeSum.read },
  4: { create: (): Feature => new LifetimeDistinct(), read: LifetimeDistinct.read },
} as const;
export type FormNumber = keyof typeof FORMS;

const SLIDING: Record<FeatureKind, FormNumber> = { count: 1, attempts: 1, sum: 1, distinct: 2 };
const LIFETIME: Record<FeatureKind, FormNumber> = { count: 3, attempts: 3, sum: 3, distinct: 4 };

/** `withinMs` is Infinity for the life of the session. */
export function createFeature(kind: FeatureKind, withinMs: number): Feature {
  return FORMS[Number.isFinite(withinMs) ? SLIDING[kind] : LIFETIME[kind]].create(withinMs);
}

export function formOf(feature: Feature): FormNumber {
  if (feature instanceof SlidingSum) return 1;
  if (feature instanceof SlidingDistinct) return 2;
  if (feature instanceof LifetimeSum) return 3;
  return 4;
}

export function readFeature(form: number, from: ByteReader, withinMs: number): Feature {
  if (!Object.hasOwn(FORMS, form)) throw new RangeError(`no form of state has the number ${form}`);
  return FORMS[form as FormNumber].read(from, withinMs);
}
