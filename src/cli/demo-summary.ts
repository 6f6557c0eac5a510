import type { Colors } from 'picocolors/types.js';
import type { Action } from '../domain/event.ts';
import { wrapped } from './columns.ts';
import { type Board, type Change, isStopped, type Row } from './demo-board.ts';
import { LEVEL_NAMES, timeOfDay } from './demo-view.ts';

const NOUNS: Record<Action, [one: string, more: string]> = {
  read: ['read', 'reads'],
  list: ['listing', 'listings'],
  secret_read: ['secret read', 'secrets read'],
  create: ['object made', 'objects made'],
  update: ['change', 'changes'],
  delete: ['deletion', 'deletions'],
  send: ['message sent', 'messages sent'],
  pay: ['payment', 'payments'],
  admin: ['right changed', 'rights changed'],
  auth: ['login', 'logins'],
  execute: ['command run', 'commands run'],
  other: ['other step', 'other steps'],
};
const INDENT = 5;

/** The day for somebody who was not there: what happened, what was stopped, what that saved, who was left alone. */
export function demoSummary(board: Board, titles: ReadonlyMap<string, string>, width: number, colors: Colors): string {
  const rows = [...board.rows.values()];
  const stopped = rows.filter(isStopped).sort((a, b) => stopOf(a).atMs - stopOf(b).atMs);
  const alone = rows.filter((row) => !isStopped(row));
  const people = new Set(rows.flatMap(({ principal }) => principal ?? [])).size;
  const paragraph = (text: string, indent = 1) => wrapped(text, width, indent);
  const headed = (paint: (text: string) => string, { agent }: Row, text: string) =>
    paragraph(`■ ${agent}, ${text}`).map((line, index) =>
      index > 0 ? `  ${line}` : line.replace('■', paint('■')).replace(agent, colors.bold(agent)),
    );
  const lines = [
    colors.bold(' What happened'),
    ...paragraph(
      `${rows.length} agents took ${number(board.actions)} actions for ${people} people. Every single one of them was ` +
        `something that the agent may do, or was refused on the spot. ${upper(counted(stopped.length, 'agent'))} had to be ` +
        'stopped for what the actions added up to.',
    ),
    '',
    colors.bold(' What was stopped'),
    ...stopped.flatMap((row) => [
      ...headed(colors.red, row, stops(row)),
      ...paragraph(reasonOf(row, titles), INDENT),
      ...paragraph(savedOf(row), INDENT),
    ]),
    '',
    colors.bold(' What was left alone'),
    ...alone.flatMap((row) => headed(colors.green, row, `${number(row.actions)} actions${watchedOf(row)}`)),
    '',
    ...paragraph(savings(stopped)),
  ];
  return `${lines.join('\n')}\n`;
}

function stops({ changes }: Row): string {
  return changes
    .filter(({ to }) => isStopped({ level: to }))
    .map(({ to, atMs }) => `${LEVEL_NAMES[to].toLowerCase()} at ${timeOfDay(atMs)}`)
    .join(', ');
}

function stopOf({ changes }: Row): Change {
  return changes.find(({ to }) => isStopped({ level: to }))!;
}

function reasonOf(row: Row, titles: ReadonlyMap<string, string>): string {
  const { rule, reason } = stopOf(row);
  return `${titles.get(rule ?? '') ?? rule}: ${reason}.`;
}

function savedOf({ actionsUntilStop, afterwards }: Row): string {
  const until = `Stopped after ${number(actionsUntilStop!)} actions.`;
  if (afterwards.actions === 0) return until;
  return `${until} In the recording nobody did, and it went on: ${listed(afterwards.done, afterwards.refused)}.`;
}

function listed(done: ReadonlyMap<Action, number>, refused: number): string {
  const parts = [...done]
    .sort((a, b) => b[1] - a[1])
    .map(([action, count]) => `${number(count)} ${noun(action, count)}`);
  if (refused > 0) parts.push(`${number(refused)} refused or failed`);
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function watchedOf({ changes }: Row): string {
  const from = changes.find(({ to }) => to === 'watch');
  if (from === undefined) return '';
  const to = changes.find((change) => change.to === 'clear' && change.atMs > from.atMs);
  return `, watched from ${timeOfDay(from.atMs)}${to === undefined ? '' : ` to ${timeOfDay(to.atMs)}`}, never held up`;
}

function savings(stopped: readonly Row[]): string {
  const done = new Map<Action, number>();
  let actions = 0;
  let refused = 0;
  for (const { afterwards } of stopped) {
    actions += afterwards.actions;
    refused += afterwards.refused;
    for (const [action, count] of afterwards.done) done.set(action, (done.get(action) ?? 0) + count);
  }
  if (actions === 0) return 'Nothing came after the stops.';
  return `Stopping saved ${number(actions)} actions in all: ${listed(done, refused)}.`;
}

function noun(action: Action, count: number): string {
  return NOUNS[action][count === 1 ? 0 : 1];
}

function counted(count: number, what: string): string {
  const names = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
  return `${names[count] ?? number(count)} ${what}${count === 1 ? '' : 's'}`;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function number(value: number): string {
  return value.toLocaleString('en');
}
