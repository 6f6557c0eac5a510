import { type ActionEvent, affectedOf } from '../../domain/event.ts';
import { type FieldValue, fieldOf } from '../../domain/fields.ts';
import type { StepsPlan } from '../sequence/plan.ts';
import type { MeasureSource } from './measure.ts';
import type { Weight } from './weight.ts';

/** What one event adds to a feature: a weight, a number or none, or the values to tell apart. */
export type Reading =
  | { kind: 'weight'; retries: Retries; read(event: ActionEvent): number }
  | { kind: 'number'; retries: Retries; read(event: ActionEvent): number | undefined }
  | { kind: 'values'; read(event: ActionEvent): readonly string[] }
  | { kind: 'steps'; plan: StepsPlan };

/** Whether the retry of a call that failed and was counted counts again. */
type Retries = 'once' | 'each';

/** `weight` is that of the rule, for its points. */
export function readingOf(source: MeasureSource, weight: Weight | undefined): Reading {
  if (source.feature === 'steps') return { kind: 'steps', plan: source.plan };
  const { feature, field } = source;
  switch (feature) {
    case 'count':
    case 'part':
    case 'all':
      return { kind: 'weight', retries: 'once', read: affectedOf };
    case 'attempts':
      return { kind: 'weight', retries: 'each', read: () => 1 };
    case 'sum': {
      const { read } = fieldOf(field!)!;
      return { kind: 'weight', retries: 'once', read: (event) => addable(read(event)) ?? 0 };
    }
    case 'avg': {
      const { read } = fieldOf(field!)!;
      return { kind: 'number', retries: 'once', read: (event) => addable(read(event)) };
    }
    case 'min':
    case 'max':
    case 'percentile': {
      const { read } = fieldOf(field!)!;
      // For an extreme a value that is seen again is the same value. A percentile is over attempts, each with its own.
      return { kind: 'number', retries: 'each', read: (event) => comparable(read(event)) };
    }
    case 'points':
    case 'fading':
      return { kind: 'weight', retries: 'once', read: (event) => addable(weight!.of(event)) ?? 0 };
    case 'distinct':
    case 'firstSeen': {
      const { read } = fieldOf(field!)!;
      return { kind: 'values', read: (event) => tellable(read(event)) };
    }
    default:
      return feature satisfies never;
  }
}

/** More than any threshold, and so little that no sum of them overflows: an infinite one would be no number to judge. */
const WEIGHT_MAX = 2 ** 53;

/** A negative number would let a step take risk back, so it is left out. */
function addable(value: FieldValue): number | undefined {
  return typeof value === 'number' && value >= 0 ? Math.min(value, WEIGHT_MAX) : undefined;
}

function comparable(value: FieldValue): number | undefined {
  return typeof value === 'number' ? Math.max(-WEIGHT_MAX, Math.min(value, WEIGHT_MAX)) : undefined;
}

const NO_VALUES: readonly string[] = [];

function tellable(value: FieldValue): readonly string[] {
  if (value === undefined || value === null) return NO_VALUES;
  return typeof value === 'object' ? value : [String(value)];
}
