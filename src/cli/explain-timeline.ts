import type { Explanation, TimelineRow } from '../app/explain/explanation.ts';
import { plainText } from '../domain/explain.ts';
import { formatInstant, parseInstant } from '../domain/instant.ts';
import { CONDITIONS, type Condition } from '../domain/level.ts';
import { counted } from './check.ts';
import { alignedWithin, hanging } from './columns.ts';
import { terminal } from './terminal.ts';
import { boundCell, shortNumber } from './test-timeline.ts';

const ROWS_MAX = 24;
const TOOL_MAX = 60;
const BAR_MAX = 20;
/** A shorter bar says nothing. */
const BAR_MIN = 6;
const INDENT = 2;
/** Between two columns. */
const GAP = 2;

/** One rule's numbers at the actions that it looks at, the first of its measures as a bar where there is room. */
export function timelineLines({ rule, when, fired, rows }: Explanation['timelines'][number], width: number): string[] {
  const conditions = CONDITIONS.filter((condition) => when[condition] !== undefined);
  return [
    ...hanging(
      '',
      `${fired ? '' : 'nearest: '}${rule} over ${counted(rows.length, 'action')} that it looks at`,
      width,
    ).map((line) => terminal().bold(line)),
    ...conditions.flatMap((condition) => hanging(`  ${condition.padEnd(5)} when `, String(when[condition]), width)),
    ...table(rule, conditions, picked(rows), width - INDENT).map((line) => ' '.repeat(INDENT) + line),
  ];
}

/** The widest form that fits: all of it; times without the day; no tools, and `!` for what holds. */
function table(rule: string, conditions: readonly Condition[], rows: readonly TimelineRow[], width: number): string[] {
  const measures = Object.keys(rows[0]?.measures ?? {});
  const tools = ['tool', ...rows.map(({ tool }) => plainText(tool, TOOL_MAX))];
  const levels = ['level', ...rows.map(({ level }) => level)];
  const numbers = measures.map((name) => [name, ...rows.map((row) => shortNumber(row.measures[name]!))]);
  const bounds = conditions.map((condition) => [
    `${condition} at`,
    ...rows.map((row) => boundCell({ ...row, rule, values: [] }, condition)),
  ]);
  const marks = bounds.map((column, index) => [conditions[index]!, ...column.slice(1).map(holdsAsMark)]);
  const actions = ['action', ...rows.map(({ number }) => String(number))];
  const times = ['time', ...rows.map(({ time }) => time)];
  const shortTimes = ['UTC', ...shortened(rows)];
  const forms = [
    [actions, times, tools, levels, ...numbers, ...bounds],
    [actions, shortTimes, tools, levels, ...numbers, ...bounds],
    [actions, shortTimes, levels, ...numbers, ...marks],
  ];
  const form = forms.find((columns) => columnsWidth(columns) <= width) ?? forms.at(-1)!;
  const room = Math.min(width - columnsWidth(form) - GAP, BAR_MAX);
  const columns = room < BAR_MIN ? form : [...form, ['', ...barsOf(rows, measures[0], room)]];
  return alignedWithin(
    actions.map((_, index) => columns.map((column) => column[index]!)),
    width,
    [],
  );
}

function holdsAsMark(cell: string): string {
  return cell.replace(/ ?holds$/, '!');
}

function columnsWidth(columns: readonly (readonly string[])[]): number {
  return columns.reduce((sum, cells) => sum + Math.max(...cells.map((cell) => cell.length)) + GAP, -GAP);
}

/** Without the day where it is the same for all. */
function shortened(rows: readonly TimelineRow[]): string[] {
  const times = rows.map(({ time }) => formatInstant(parseInstant(time)));
  const days = new Set(times.map((time) => time.slice(0, 10)));
  return times.map((time) => time.slice(days.size === 1 ? 11 : 5, 19).replace('T', ' '));
}

function barsOf(rows: readonly TimelineRow[], measure: string | undefined, longest: number): string[] {
  const values = rows.map(({ measures }) => (measure === undefined ? 0 : (measures[measure] ?? 0)));
  const most = Math.max(...values);
  return values.map((value) => '▇'.repeat(most > 0 ? Math.round((value / most) * longest) : 0));
}

/** Where the level or a condition changes, and an even choice of the others. */
function picked(rows: readonly TimelineRow[]): TimelineRow[] {
  const turns = rows.flatMap((row, index) =>
    index === 0 || stateOf(row) !== stateOf(rows[index - 1]!) ? [index - 1, index] : [],
  );
  const chosen = new Set([...turns, rows.length - 1].filter((index) => index >= 0));
  const room = Math.max(ROWS_MAX - chosen.size, 0);
  for (let i = 0; i < room; i++) chosen.add(Math.floor((i * rows.length) / room));
  return rows.filter((_, index) => chosen.has(index));
}

function stateOf({ level, bounds }: TimelineRow): string {
  return `${level} ${bounds.map(({ holds }) => holds).join(' ')}`;
}
