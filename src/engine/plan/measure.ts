import { parseDuration } from '../../domain/duration.ts';
import { FIELD_NAMES, fieldOf } from '../../domain/fields.ts';
import { MEASURE_KINDS, type MeasureKind } from '../../domain/rule.ts';
import { hint } from '../expression/names.ts';
import type { StepsPlan } from '../sequence/plan.ts';

/**
 * What a session keeps for a measure. Measures that need the same numbers share one feature. A `part` and `all` that it
 * is part of count as `count` does, and are kept apart from it: begun under one policy, they compare the same stretch of
 * time. `points` are summed over a window, `fading` ones lose half of their weight with every half-life.
 */
export type FeatureKind = NumberKind | 'steps';
type NumberKind =
  | 'count'
  | 'attempts'
  | 'part'
  | 'all'
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'percentile'
  | 'distinct'
  | 'firstSeen'
  | 'points'
  | 'fading';

export type MeasureSource = NumberSource | { feature: 'steps'; plan: StepsPlan; reading: 'total' };

export interface NumberSource {
  feature: NumberKind;
  /** Field that is added up, compared or told apart; absent where actions are counted. */
  field?: string;
  /** The horizon of first sightings, the half-life of points that fade. */
  timeMs?: number;
  /** Of percentiles, 0 to 100. */
  percent?: number;
  /** `ofAll`: as a share of all the session's actions. */
  reading: 'total' | 'perMinute' | 'ofAll';
}

interface MeasureForm {
  feature: NumberKind;
  field: 'none' | 'number' | 'text';
  /** What a duration behind the field means. It may be left out. */
  time?: 'a horizon' | 'a half-life';
  /** Whether a percent, 0 to 100, must stand behind the field. */
  percent?: 'needed';
  reading: NumberSource['reading'];
  usage: string;
}

/** A new measure is one entry here; the compiler then names what else must know it. */
export const MEASURE_FORMS: Record<MeasureKind, MeasureForm> = {
  count: { feature: 'count', field: 'none', reading: 'total', usage: 'count' },
  attempts: { feature: 'attempts', field: 'none', reading: 'total', usage: 'attempts' },
  rate: { feature: 'count', field: 'none', reading: 'perMinute', usage: 'rate' },
  share: { feature: 'part', field: 'none', reading: 'ofAll', usage: 'share' },
  sum: { feature: 'sum', field: 'number', reading: 'total', usage: 'sum(amount)' },
  avg: { feature: 'avg', field: 'number', reading: 'total', usage: 'avg(amount)' },
  min: { feature: 'min', field: 'number', reading: 'total', usage: 'min(amount)' },
  max: { feature: 'max', field: 'number', reading: 'total', usage: 'max(amount)' },
  percentile: {
    feature: 'percentile',
    field: 'number',
    percent: 'needed',
    reading: 'total',
    usage: 'percentile(amount, 95)',
  },
  distinct: { feature: 'distinct', field: 'text', reading: 'total', usage: 'distinct(target)' },
  firstSeen: {
    feature: 'firstSeen',
    field: 'text',
    time: 'a horizon',
    reading: 'total',
    usage: 'firstSeen(target, 7d)',
  },
  points: { feature: 'points', field: 'none', time: 'a half-life', reading: 'total', usage: 'points(30m)' },
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
  const { field: wanted, time, percent, usage, ...form } = MEASURE_FORMS[kind as MeasureKind];
  const given = found[2] === undefined ? [] : found[2].split(',').map((one) => one.trim());
  const field = wanted === 'none' ? undefined : given.shift();
  const [behind, ...more] = given;
  if (wanted === 'none' && time === undefined && behind !== undefined) {
    return { problem: `${kind} takes no field; write ${usage}` };
  }
  if (wanted !== 'none' && (field === undefined || field === '')) {
    return { problem: `${kind} takes a field; write ${usage}` };
  }
  if (more.length > 0 || (behind !== undefined && time === undefined && percent === undefined)) {
    return { problem: `${kind} takes no more than that; write ${usage}` };
  }
  const unfit = field === undefined ? undefined : problemOfField(kind, field, wanted);
  if (unfit !== undefined) return { problem: unfit };
  const source = { ...form, ...(field === undefined ? {} : { field }) };
  if (percent === 'needed') {
    if (PERCENT.test(behind ?? '') && Number(behind) <= 100) return { source: { ...source, percent: Number(behind) } };
    const shown = behind === undefined ? 'none' : `"${behind}"`;
    return { problem: `${kind} takes a percent of 0 to 100 behind the field, and found ${shown}; write ${usage}` };
  }
  if (behind === undefined) return { source };
  const timeMs = parseDuration(behind);
  if (!(timeMs >= SHORTEST_TIME_MS && timeMs <= LONGEST_TIME_MS[time!])) {
    const longest = time === 'a horizon' ? '30d' : '1d';
    return { problem: `${kind} takes ${time} of 1s to ${longest}, and found "${behind}"; write ${usage}` };
  }
  return { source: { ...source, timeMs, ...(time === 'a half-life' ? { feature: 'fading' as const } : {}) } };
}

const PERCENT = /^\d{1,3}(\.\d{1,6})?$/;

const SHORTEST_TIME_MS = 1000;
const LONGEST_TIME_MS = { 'a horizon': 30 * 86_400_000, 'a half-life': 86_400_000 } as const;

function problemOfField(kind: string, name: string, wanted: MeasureForm['field']): string | undefined {
  const field = fieldOf(name);
  if (!field) return `unknown field "${name}"${hint(name, FIELD_NAMES)}`;
  if (wanted !== 'number' || field.type === 'number' || field.type === 'any') return undefined;
  return `${kind} takes numbers, and "${name}" is a ${field.type}`;
}
