import { CompletedSteps } from '../sequence/feature.ts';
import type { ByteReader } from '../session/bytes.ts';
import { FadingSum } from '../window/fading-sum.ts';
import type { Feature } from '../window/feature.ts';
import { FirstSeen } from '../window/first-seen.ts';
import { LifetimeAverage, LifetimeDistinct, LifetimeExtreme, LifetimeSum } from '../window/lifetime.ts';
import { Percentile } from '../window/percentile.ts';
import { SlidingAverage } from '../window/sliding-average.ts';
import { SlidingDistinct } from '../window/sliding-distinct.ts';
import { SlidingExtreme } from '../window/sliding-extreme.ts';
import { SlidingSum } from '../window/sliding-sum.ts';
import type { FeatureKind } from './measure.ts';

interface Form {
  /** `withinMs` is Infinity for the life of the session. `of`: the horizon of first sightings, ms; or a percent. */
  create(withinMs: number, of: number): Feature;
  read(from: ByteReader, withinMs: number): Feature;
}

/** The forms of state, by the number that names them in the session codec. Numbers are never reused. */
const FORMS = {
  1: { create: (withinMs) => new SlidingSum(withinMs), read: SlidingSum.read },
  2: { create: (withinMs) => new SlidingDistinct(withinMs), read: SlidingDistinct.read },
  3: { create: () => new LifetimeSum(), read: LifetimeSum.read },
  4: { create: () => new LifetimeDistinct(), read: LifetimeDistinct.read },
  5: { create: (withinMs) => new SlidingAverage(withinMs), read: SlidingAverage.read },
  6: { create: () => new LifetimeAverage(), read: LifetimeAverage.read },
  7: {
    create: (withinMs) => new SlidingExtreme(withinMs, 'max'),
    read: (from, withinMs) => SlidingExtreme.read(from, withinMs, 'max'),
  },
  8: {
    create: (withinMs) => new SlidingExtreme(withinMs, 'min'),
    read: (from, withinMs) => SlidingExtreme.read(from, withinMs, 'min'),
  },
  9: { create: () => new LifetimeExtreme('max'), read: (from) => LifetimeExtreme.read(from, 'max') },
  10: { create: () => new LifetimeExtreme('min'), read: (from) => LifetimeExtreme.read(from, 'min') },
  11: { create: (withinMs) => new FadingSum(withinMs), read: FadingSum.read },
  12: { create: (withinMs, horizonMs) => new FirstSeen(withinMs, horizonMs), read: FirstSeen.read },
  13: { create: (withinMs, percent) => new Percentile(withinMs, percent), read: Percentile.read },
  20: { create: (withinMs) => new CompletedSteps(withinMs), read: CompletedSteps.read },
} as const satisfies Record<number, Form>;
export type FormNumber = keyof typeof FORMS;

/** The forms that a kind has over a sliding window, and over the life of the session. */
const FORMS_OF: Record<FeatureKind, { sliding: FormNumber; lifetime: FormNumber }> = {
  count: { sliding: 1, lifetime: 3 },
  attempts: { sliding: 1, lifetime: 3 },
  part: { sliding: 1, lifetime: 3 },
  all: { sliding: 1, lifetime: 3 },
  sum: { sliding: 1, lifetime: 3 },
  avg: { sliding: 5, lifetime: 6 },
  max: { sliding: 7, lifetime: 9 },
  min: { sliding: 8, lifetime: 10 },
  percentile: { sliding: 13, lifetime: 13 },
  distinct: { sliding: 2, lifetime: 4 },
  firstSeen: { sliding: 12, lifetime: 12 },
  points: { sliding: 1, lifetime: 3 },
  fading: { sliding: 11, lifetime: 11 },
  steps: { sliding: 20, lifetime: 20 },
};

/** `withinMs` is Infinity for the life of the session, and so is the horizon in the place of an absent `of`. */
export function createFeature(kind: FeatureKind, withinMs: number, of = Number.POSITIVE_INFINITY): Feature {
  const form: Form = FORMS[FORMS_OF[kind][Number.isFinite(withinMs) ? 'sliding' : 'lifetime']];
  return form.create(withinMs, of);
}

export function formOf(feature: Feature): FormNumber {
  if (feature instanceof SlidingSum) return 1;
  if (feature instanceof SlidingDistinct) return 2;
  if (feature instanceof LifetimeSum) return 3;
  if (feature instanceof LifetimeDistinct) return 4;
  if (feature instanceof SlidingAverage) return 5;
  if (feature instanceof LifetimeAverage) return 6;
  if (feature instanceof SlidingExtreme) return feature.extreme === 'max' ? 7 : 8;
  if (feature instanceof LifetimeExtreme) return feature.extreme === 'max' ? 9 : 10;
  if (feature instanceof FadingSum) return 11;
  if (feature instanceof FirstSeen) return 12;
  if (feature instanceof Percentile) return 13;
  if (feature instanceof CompletedSteps) return 20;
  throw new TypeError('a feature without a form of state');
}

export function readFeature(form: number, from: ByteReader, withinMs: number): Feature {
  if (!Object.hasOwn(FORMS, form)) throw new RangeError(`no form of state has the number ${form}`);
  return FORMS[form as FormNumber].read(from, withinMs);
}
