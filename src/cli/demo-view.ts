import type { Colors } from 'picocolors/types.js';
import { plainText } from '../domain/explain.ts';
import { formatInstant } from '../domain/instant.ts';
import type { Level } from '../domain/level.ts';
import type { Board, Change, Row } from './demo-board.ts';

const WIDEST = 120;
const NARROWEST = 40;
const NAME_MAX = 20;
const LEVEL_WIDTH = 6;
const BAR_MIN = 4;
const ACTIONS_WIDTH = 7;
/** Below this the column that says what a session does is left out. */
const DOES_MIN = 14;
/** A session without an action for so long of recorded time is shown as quiet. */
const QUIET_MS = 20 * 60_000;

export interface Screen {
  columns: number;
  rows: number;
}

export const LEVEL_NAMES: Record<Level, string> = {
  clear: 'clear',
  watch: 'watch',
  paused: 'PAUSED',
  killed: 'KILLED',
};

/** The lines of one picture, none wider than the screen, no more than fit. */
export function frame(board: Board, share: number, screen: Screen, colors: Colors): string[] {
  const width = widthOf(screen);
  const rows = [...board.rows.values()];
  const layout = layoutOf(width, rows);
  const head = [header(board, width, colors), progress(board, share, width, colors), ''];
  const table = [tableHead(layout, colors), ...rows.map((row) => tableRow(row, board.clockMs, layout, colors)), ''];
  const room = Math.max(screen.rows - 1 - head.length - table.length - 1, 3);
  const decisions = board.changes.slice(-room).map((change) => decision(change, width, colors));
  return [...head, ...table, colors.dim(' Decisions'), ...decisions].slice(0, Math.max(screen.rows - 1, 1));
}

export function widthOf({ columns }: Screen): number {
  return Math.min(Math.max(columns, NARROWEST), WIDEST);
}

export function timeOfDay(atMs: number): string {
  return formatInstant(atMs).slice(11, 16);
}

/** `10:44  PAUSED  mail-helper  21 objects deleted …`, cut at the width. */
export function decision({ atMs, to, agent, reason }: Change, width: number, colors: Colors): string {
  const head = ` ${timeOfDay(atMs)}  ${LEVEL_NAMES[to].padEnd(LEVEL_WIDTH)}  `;
  const name = fitted(agent, Math.min(NAME_MAX, Math.max(width - head.length, 0)));
  const rest = width - head.length - name.length - 2;
  const text = rest >= DOES_MIN ? `  ${colors.dim(cut(reason, rest))}` : '';
  return `${painted(head, to, colors)}${name.trimEnd()}${rest >= DOES_MIN ? ' '.repeat(name.length - name.trimEnd().length) : ''}${text}`;
}

function header({ clockMs }: Board, width: number, colors: Colors): string {
  const clock = clockMs === 0 ? '' : formatInstant(clockMs).slice(0, 16).replace('T', '  ');
  const title = ' Firebreak  a recorded working day';
  const short = title.length + clock.length + 2 > width ? ' Firebreak' : title;
  return `${colors.bold(short.slice(0, 10))}${short.slice(10)}${' '.repeat(Math.max(width - short.length - clock.length - 1, 1))}${colors.bold(clock)}`;
}

function progress({ actions }: Board, share: number, width: number, colors: Colors): string {
  const text = `${actions.toLocaleString('en')} actions`.padStart(14);
  const bar = Math.max(width - text.length - 3, 4);
  const full = Math.round(Math.min(share, 1) * bar);
  return ` ${colors.cyan('━'.repeat(full))}${colors.dim('─'.repeat(bar - full))} ${text}`;
}

interface Layout {
  name: number;
  does: number;
  bar: number;
}

/** ` NAME  DOES  ACTIONS  BAR 100%  LEVEL`: what is left after the fixed columns goes to the bar, then to DOES. */
function layoutOf(width: number, rows: readonly Row[]): Layout {
  const fixed = 1 + 2 + ACTIONS_WIDTH + 2 + 5 + 2 + LEVEL_WIDTH;
  const longest = Math.max(...rows.map(({ agent }) => agent.length));
  const name = Math.max(Math.min(longest, NAME_MAX, width - fixed - BAR_MIN), 'AGENT'.length);
  const left = Math.max(width - fixed - name, BAR_MIN);
  const bar = Math.min(Math.max(Math.floor(left / 3), 10), 20, left);
  const does = left - bar - 2;
  return does >= DOES_MIN ? { name, does, bar } : { name, does: 0, bar: Math.min(left, 20) };
}

function tableHead({ name, does, bar }: Layout, colors: Colors): string {
  const middle = does > 0 ? `${fitted('DOES', does)}  ` : '';
  return colors.dim(
    ` ${fitted('AGENT', name)}  ${middle}${'ACTIONS'.padStart(ACTIONS_WIDTH)}  ${fitted('RISK', bar + 5)}  LEVEL`,
  );
}

function tableRow(row: Row, clockMs: number, { name, does, bar }: Layout, colors: Colors): string {
  const quiet = clockMs - row.lastMs > QUIET_MS;
  const doing = does > 0 ? `${colors.dim(fitted(quiet ? 'quiet' : row.does, does))}  ` : '';
  const full = Math.min(Math.round(row.risk * bar), bar);
  const percent = `${Math.floor(row.risk * 100)}%`.padStart(5);
  const filled = riskPainted('█'.repeat(full), row, colors);
  const level = painted(LEVEL_NAMES[row.level].padEnd(LEVEL_WIDTH), row.level, colors);
  const actions = row.actions.toLocaleString('en').padStart(ACTIONS_WIDTH);
  return ` ${fitted(row.agent, name)}  ${doing}${actions}  ${filled}${colors.dim('·'.repeat(bar - full))}${percent}  ${level}`;
}

function riskPainted(text: string, { risk }: Row, colors: Colors): string {
  return risk >= 0.8 ? colors.red(text) : risk >= 0.5 ? colors.yellow(text) : colors.green(text);
}

function painted(text: string, level: Level, colors: Colors): string {
  switch (level) {
    case 'clear':
      return colors.green(text);
    case 'watch':
      return colors.yellow(text);
    case 'paused':
      return colors.magenta(colors.bold(text));
    case 'killed':
      return colors.red(colors.bold(text));
    default:
      return level satisfies never;
  }
}

function fitted(text: string, width: number): string {
  return cut(text, width).padEnd(width);
}

/** Texts of events are data: nothing in them may move the cursor. */
export function cut(text: string, width: number): string {
  const plain = plainText(text, 500);
  return plain.length <= width ? plain : `${plain.slice(0, Math.max(width - 1, 0))}…`;
}
