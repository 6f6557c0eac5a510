import type { ActionEvent } from '../../domain/event.ts';
import { affectedOf } from '../../domain/event.ts';
import { FIELD_NAMES, type FieldValue, fieldOf } from '../../domain/fields.ts';
import { MEASURE_KINDS, type MeasureKind } from '../../domain/rule.ts';
import { hint } from '../expression/names.ts';

/** What a session keeps for a measure. Measures that need the same numbers share one feature. */
export type FeatureKind = 'count' | 'attempts' | 'sum' | 'distinct';

export interface MeasureSource {
  feature: FeatureKind;
  /** Field that is added up or told apart; absent for count and attempts. */
  field?: string;
  reading: 'total' | 'perMinute';
}

interface MeasureForm {
  feature: FeatureKind;
  argument: 'none' | 'number' | 'text';
  reading: MeasureSource['reading'];
  usage: string;
}

/** A new measure is one entry here; the compiler then names what else must know it. */
export const MEASURE_FORMS: Record<MeasureKind, MeasureForm> = {
  count: { feature: 'count', argument: 'none', reading: 'total', usage: 'count' },
  attempts: { feature: 'attempts', argument: 'none', reading: 'total', usage: 'attempts' },
  rate: { feature: 'count', argument: 'none', reading: 'perMinute', usage: 'rate' },
  sum: { feature: 'sum', argument: 'number', reading: 'total', usage: 'sum(amount)' },
  distinct: { feature: 'distinct', argument: 'text', reading: 'total', usage: 'distinct(target)' },
};

const FORM = /^\s*([A-Za-z]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*$/;

/** Reads `count`, `sum(amount)`, `distinct(resource.id)`; answers what is wrong as a sentence. */
export function parseMeasure(text: string): { source: MeasureSource } | { problem: string } {
  const found = FORM.exec(text);
  const kind = found?.[1] ?? text;
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
    return { problem: `${kind} adds numbers up, and "${argument}" is a ${field.type}` };
  return { source: { feature: form.feature, field: argument, reading: form.reading } };
}

/** What one event adds to a feature: a weight, or the values to tell apart. */
export type Reading =
  | { kind: 'weight'; read(event: ActionEvent): number }
  | { kind: 'values'; read(event: ActionEvent): readonly string[] };

export function readingOf(feature: FeatureKind, field: string | undefined): Reading {
  switch (feature) {
    case 'count':
      return { kind: 'weight', read: affectedOf };
    case 'attempts':
      return { kind: 'weight', read: () => 1 };
    case 'sum': {
      const { read } = fieldOf(field!)!;
      return { kind: 'weight', read: (event) => addable(read(event)) };
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

/** A negative number would let a step take risk back, so it adds nothing. */
function addable(value: FieldValue): number {
  return typeof value === 'number' && value > 0 ? Math.min(value, WEIGHT_MAX) : 0;
}

const NO_VALUES: readonly string[] = [];

function tellable(value: FieldValue): readonly string[] {
  if (value === undefined || value === null) return NO_VALUES;
  return typeof value === 'object' ? value : [String(value)];
}
