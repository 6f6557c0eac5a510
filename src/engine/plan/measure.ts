import type { ActionEvent } from '../../domain/event.ts';
import { affectedOf } from '../../domain/event.ts';
import { FIELD_NAMES, type FieldValue, fieldOf } from '../../domain/fields.ts';
import { MEASURE_KINDS, type MeasureKind } from '../../domain/rule.ts';
import { hint } from '../expression/names.ts';
import type { StepsPlan } from '../sequence/plan.ts';

/**
 * What a session keeps for a measure. Measures that need the same numbers share one feature. A `part` and `all` that it is part of
 * count as `count` does, and are kept apart from it: begun under one policy, they compare the same stretch of time.
 */
export type FeatureKind = NumberKind | 'steps';
type NumberKind = 'count' | 'attempts' | 'part' | 'all' | 'sum' | 'avg' | 'min' | 'max' | 'distinct';

export type MeasureSource = NumberSource | { feature: 'steps'; plan: StepsPlan; reading: 'total' };

export interface NumberSource {
  feature: NumberKind;
  /** Field that is added up, compared or told apart; absent where actions are counted. */
  field?: string;
  /** `ofAll`: as a share of all the session's actions. */
  reading: 'total' | 'perMinute' | 'ofAll';
}

interface MeasureForm {
  feature: NumberKind;
  argument: 'none' | 'number' | 'text';
  reading: MeasureSource['reading'];
  usage: string;
}

/** A new measure is one entry here; the compiler then names what else must know it. */
export const MEASURE_FORMS: Record<MeasureKind, MeasureForm> = {
  count: { feature: 'count', argument: 'none', reading: 'total', usage: 'count' },
  attempts: { feature: 'attempts', argument: 'none', reading: 'total', usage: 'attempts' },
  rate: { feature: 'count', argument: 'none', reading: 'perMinute', usage: 'rate' },
  share: { feature: 'part', argument: 'none', reading: 'ofAll', usage: 'share' },
  sum: { feature: 'sum', argument: 'number', reading: 'total', usage: 'sum(amount)' },
  avg: { feature: 'avg', argument: 'number', reading: 'total', usage: 'avg(amount)' },
  min: { feature: 'min', argument: 'number', reading: 'total', usage: 'min(amount)' },
  max: { feature: 'max', argument: 'number', reading: 'total', usage: 'max(amount)' },
  distinct: { feature: 'distinct', argument: 'text', reading: 'total', usage: 'distinct(target)' },
};

const FORM = /^\s*([A-Za-z]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*$/;

/** Reads `count`, `sum(amount)`, `distinct(resource.id)`; answers what is wrong as a sentence. */
export function parseMeasure(text: string): { source: NumberSource } | { problem: string } {
  const found = FORM.exec(text);
  const kind = found?.[1] ?? text;
  if (kind === 'sequence' || kind === 'temporal') {
    return { problem: `${kind} has steps; write a map: { ${kind}: [{ match: … }, { match: … }] }` };
  }
  const allowed = `allowed: ${MEASURE_KINDS.map((one) => MEASURE_FORMS[one].usage).join(', ')}`;
  if (!found || !Object.hasOwn(MEASURE_FORMS, kind)) {
    return { problem: `unknown measure "${text}"${hint(kind, MEASURE_KINDS)}; ${allowed}` };
  }
  const form = MEASURE_FORMS[kind as MeasureKind];
  const argument = found[2];
  if (form.argument === 'none') {
    if (argument !== undefined) return { problem: `${kind} takes no field; write ${form.usage}` };
    return { source: { feature: form.feature, reading: form.reading } };
  }
  if (argument === undefined || argument === '') return { problem: `${kind} takes a field; write ${form.usage}` };
  const field = fieldOf(argument);
  if (!field) return { problem: `unknown field "${argument}"${hint(argument, FIELD_NAMES)}` };
  const numeric = field.type === 'number' || field.type === 'any';
  if (form.argument === 'number' && !numeric)
    return { problem: `${kind} takes numbers, and "${argument}" is a ${field.type}` };
  return { source: { feature: form.feature, field: argument, reading: form.reading } };
}

/** What one event adds to a feature: a weight, a number or none, or the values to tell apart. */
export type Reading =
  | { kind: 'weight'; retries: Retries; read(event: ActionEvent): number }
  | { kind: 'number'; retries: Retries; read(event: ActionEvent): number | undefined }
  | { kind: 'values'; read(event: ActionEvent): readonly string[] }
  | { kind: 'steps'; plan: StepsPlan };

/** Whether the retry of a call that failed and was counted counts again. */
type Retries = 'once' | 'each';

export function readingOf(
  source: Pick<NumberSource, 'feature' | 'field'> | { feature: 'steps'; plan: StepsPlan },
): Reading {
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
    case 'max': {
      const { read } = fieldOf(field!)!;
      // A value that is seen again is the same value: a retry changes nothing but when it was seen last.
      return { kind: 'number', retries: 'each', read: (event) => comparable(read(event)) };
    }
    case 'distinct': {
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
