import type { Refusal } from '../../domain/record.ts';
import type { Covered } from './coverage.ts';
import type { Place } from './frame.ts';
import { type BySide, sidesOf } from './sides.ts';

/** Unusable records that are told one by one; all are counted. */
const TOLD_MAX = 5;

export interface Unusable {
  place: Place;
  refusal: Refusal;
  reason: string;
}

export interface Refused {
  refused: Map<Refusal, number>;
  told: Unusable[];
}

/** What became of the actions on one side, and how many passed the filter of each rule. */
export interface SideTotals {
  judged: number;
  repeated: number;
  afterKill: number;
  byRule: Map<string, number>;
}

/** What is counted without a look at single sessions. A sum over shards, whatever their number. */
export interface Totals extends Refused {
  all: Covered;
  byAction: Map<string, Covered>;
  byRole: Map<string, Covered>;
  sides: BySide<SideTotals>;
  /** Append times of the first and the last action event; the first is infinite when there was none. */
  firstMs: number;
  lastMs: number;
}

/** Counts a record that cannot be used. */
export function refuse(totals: Refused, unusable: Unusable): void {
  const { refusal } = unusable;
  totals.refused.set(refusal, (totals.refused.get(refusal) ?? 0) + 1);
  if (totals.told.length < TOLD_MAX) totals.told.push(unusable);
}

/** Adds what another shard counted. */
export function addTotals(to: Totals, from: Totals): void {
  addCovered(to.all, from.all);
  addEach(to.byAction, from.byAction);
  addEach(to.byRole, from.byRole);
  for (const side of sidesOf(to.sides)) addSide(to.sides[side]!, from.sides[side]!);
  to.firstMs = Math.min(to.firstMs, from.firstMs);
  to.lastMs = Math.max(to.lastMs, from.lastMs);
  addRefused(to, from);
}

/** Of what both tell one by one the first in the input stays. */
export function addRefused(to: Refused, from: Refused): void {
  for (const [refusal, count] of from.refused) to.refused.set(refusal, (to.refused.get(refusal) ?? 0) + count);
  const told = [...to.told, ...from.told].sort((a, b) => a.place.source - b.place.source || a.place.at - b.place.at);
  to.told = told.slice(0, TOLD_MAX);
}

function addSide(to: SideTotals, from: SideTotals): void {
  to.judged += from.judged;
  to.repeated += from.repeated;
  to.afterKill += from.afterKill;
  for (const [rule, count] of from.byRule) to.byRule.set(rule, (to.byRule.get(rule) ?? 0) + count);
}

function addEach(to: Map<string, Covered>, from: ReadonlyMap<string, Covered>): void {
  for (const [key, covered] of from) {
    const known = to.get(key);
    if (known === undefined) to.set(key, structuredClone(covered));
    else addCovered(known, covered);
  }
}

function addCovered(to: Covered, from: Covered): void {
  to.events += from.events;
  for (const side of sidesOf(from.covered)) {
    to.covered[side]! += from.covered[side]!;
    to.chosen[side]! += from.chosen[side]!;
  }
}
