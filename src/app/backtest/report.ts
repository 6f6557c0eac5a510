import { LEVELS, type Level, levelRank } from '../../domain/level.ts';
import type { PolicyBody, Rule } from '../../domain/rule.ts';
import { policyHash } from '../rule-folder.ts';
import type { Covered } from './coverage.ts';
import type { ReadSoFar } from './judging.ts';
import type { LabelRow, LabelTable } from './labels.ts';
import { type JudgedSession, noLevels, type Outcome } from './outcome.ts';
import { type BySide, mapSides, sidesOf } from './sides.ts';
import type { EventSource } from './source.ts';
import type { Totals, Unusable } from './totals.ts';

/** Changed sessions of each size of change that a report keeps; all are counted. */
const KEPT_MAX = 200;

export interface RuleSide {
  mode: Rule['mode'];
  /** Events that pass its `match`; an intent has none. */
  events: number | undefined;
  /** Sessions by the highest level to which this rule took them; in shadow: would have taken them. */
  sessions: Record<Level, number>;
}

export interface RuleRow {
  rule: string;
  /** A side without the rule has nothing here. */
  sides: Partial<BySide<RuleSide>>;
}

export interface RoleRow extends Covered {
  role: string;
  sessions: number;
  levels: BySide<Record<Level, number>>;
}

export interface RulesOfSide {
  /** As the user named them. */
  name: string;
  hash: string;
  rules: number;
}

/** All that a backtest says. Counts are of what was read, which `complete` says to be all or not. */
export interface Report {
  complete: boolean;
  /** Where the reading ended, and how much of the input that is, where it is known. */
  read: { records: number; at: string; atMs: number; share?: number };
  rules: BySide<RulesOfSide>;
  sources: readonly string[];
  firstMs: number;
  lastMs: number;
  coverage: Covered;
  byAction: (Covered & { action: string })[];
  actions: BySide<{ judged: number; repeated: number; afterKill: number }>;
  refused: { refusal: string; count: number }[];
  unusable: (Omit<Unusable, 'place'> & { at: string })[];
  sessions: number;
  levels: BySide<Record<Level, number>>;
  /** Sessions by the level under the old rules, then under the new. */
  moves: Record<Level, Record<Level, number>>;
  higher: number;
  lower: number;
  byRule: RuleRow[];
  byRole: RoleRow[];
  labels: { rows: LabelRow[]; unlabelled: number; unused: number } | undefined;
  /** With old rules those that changed level, the largest change first; else those that are not clear. */
  notable: JudgedSession[];
  notableTotal: number;
}

/** Adds up sessions one by one; holds no more of them than a report shows. */
export class Comparison {
  readonly #bodies: BySide<PolicyBody>;
  readonly #labels: LabelTable | undefined;
  readonly #levels: BySide<Record<Level, number>>;
  readonly #moves: Report['moves'];
  readonly #rules: BySide<Map<string, Record<Level, number>>>;
  readonly #roles = new Map<string, Pick<RoleRow, 'sessions' | 'levels'>>();
  readonly #kept: JudgedSession[][] = LEVELS.map(() => []);
  #notable = 0;
  #higher = 0;
  #lower = 0;
  #sessions = 0;

  constructor(bodies: BySide<PolicyBody>, labels: LabelTable | undefined) {
    this.#bodies = bodies;
    this.#labels = labels;
    this.#levels = mapSides(bodies, noLevels);
    this.#moves = Object.fromEntries(LEVELS.map((level) => [level, noLevels()])) as Report['moves'];
    this.#rules = mapSides(bodies, () => new Map());
  }

  note(session: JudgedSession): void {
    const { outcome, role } = session;
    this.#sessions++;
    this.#labels?.note(session);
    const ofRole = this.#role(role);
    this.#roles.set(role, ofRole);
    ofRole.sessions++;
    for (const side of sidesOf(outcome)) {
      const of = outcome[side]!;
      this.#levels[side]![of.level]++;
      ofRole.levels[side]![of.level]++;
      for (const [rule, level] of takenByRules(of)) {
        const counts = this.#rules[side]!.get(rule) ?? noLevels();
        counts[level]++;
        this.#rules[side]!.set(rule, counts);
      }
    }
    const before = outcome.old?.level ?? 'clear';
    this.#moves[before][outcome.new.level]++;
    const change = levelRank(outcome.new.level) - levelRank(before);
    if (change > 0) this.#higher++;
    if (change < 0) this.#lower++;
    if (change !== 0) this.#keep(session, Math.abs(change));
  }

  report(facts: {
    complete: boolean;
    source: EventSource;
    read: ReadSoFar;
    names: BySide<string>;
    totals: Totals;
  }): Report {
    const { complete, source, read, names, totals } = facts;
    const shown = ({ source: from, at }: { source: number; at: number }) =>
      placeText(source.names, { source: from, at });
    const share = source.shareRead();
    const { all, byAction, byRole, sides, refused, told, firstMs, lastMs } = totals;
    return {
      complete,
      read: {
        records: read.records,
        at: shown(read.place),
        atMs: read.atMs,
        ...(share === undefined ? {} : { share }),
      },
      rules: mapSides(this.#bodies, (body, side) => ({
        name: names[side]!,
        hash: policyHash(body),
        rules: body.rules.length,
      })),
      sources: source.names,
      firstMs,
      lastMs,
      coverage: all,
      byAction: inOrderOfCount(byAction, ({ events }) => events).map(([action, covered]) => ({ action, ...covered })),
      actions: mapSides(sides, ({ judged, repeated, afterKill }) => ({ judged, repeated, afterKill })),
      refused: inOrderOfCount(refused, (count) => count).map(([refusal, count]) => ({ refusal, count })),
      unusable: told.map(({ place, ...rest }) => ({ ...rest, at: shown(place) })),
      sessions: this.#sessions,
      levels: this.#levels,
      moves: this.#moves,
      higher: this.#higher,
      lower: this.#lower,
      byRule: this.#ruleRows(totals),
      byRole: inOrderOfCount(byRole, ({ events }) => events).map(([role, covered]) => ({
        role,
        ...covered,
        ...this.#role(role),
      })),
      labels: this.#labels && {
        rows: this.#labels.rows(),
        unlabelled: this.#labels.unlabelled,
        unused: this.#labels.unused,
      },
      notable: this.#kept.toReversed().flat().slice(0, KEPT_MAX),
      notableTotal: this.#notable,
    };
  }

  #role(role: string): Pick<RoleRow, 'sessions' | 'levels'> {
    return this.#roles.get(role) ?? { sessions: 0, levels: mapSides(this.#bodies, noLevels) };
  }

  #keep(session: JudgedSession, change: number): void {
    this.#notable++;
    const alike = this.#kept[change]!;
    if (alike.length < KEPT_MAX) alike.push(session);
  }

  /** In the order of the new rules, then those that only the old ones have. */
  #ruleRows({ sides }: Totals): RuleRow[] {
    const ids = new Set([...this.#bodies.new.rules, ...(this.#bodies.old?.rules ?? [])].map(({ id }) => id));
    // An intent raises sessions too, and is no rule.
    for (const side of sidesOf(this.#bodies)) for (const id of this.#rules[side]!.keys()) ids.add(id);
    return [...ids].map((id) => {
      const row: RuleRow = { rule: id, sides: {} };
      for (const side of sidesOf(this.#bodies)) {
        const rule = this.#bodies[side]!.rules.find((one) => one.id === id);
        const sessions = this.#rules[side]!.get(id);
        if (rule === undefined && sessions === undefined) continue;
        const events = rule && (sides[side]!.byRule.get(id) ?? 0);
        row.sides[side] = { mode: rule?.mode ?? 'enforce', events, sessions: sessions ?? noLevels() };
      }
      return row;
    });
  }
}

/** `events.ndjson:17`, or `firebreak.actions/3:17`. */
export function placeText(names: readonly string[], { source, at }: { source: number; at: number }): string {
  return `${names[source] ?? ''}:${at}`;
}

/** The highest level to which each rule took the session, those in shadow too. */
function takenByRules({ causes, shadow }: Outcome): Map<string, Level> {
  const taken = new Map<string, Level>(Object.entries(shadow));
  for (const level of LEVELS) {
    const cause = causes[level];
    if (cause !== undefined) taken.set(cause.rule, level);
  }
  return taken;
}

/** The largest first; equal ones by name, so that the order does not depend on who counted. */
function inOrderOfCount<T>(counts: ReadonlyMap<string, T>, countOf: (value: T) => number): [string, T][] {
  return [...counts].sort((a, b) => countOf(b[1]) - countOf(a[1]) || (a[0] < b[0] ? -1 : 1));
}
