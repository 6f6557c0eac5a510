import type { Command } from 'commander';
import { systemClock } from '../adapters/system-clock.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import { kafkaOf } from '../app/kafka-parts.ts';
import { readKeptSession } from '../app/kept-session.ts';
import { readSessionHistory, type SessionHistory } from '../app/session-history.ts';
import type { Finding } from '../domain/finding.ts';
import { isAbout } from '../engine/orders.ts';
import { snapshotOf } from '../engine/session/snapshot.ts';
import { shown, title } from './explain-text.ts';
import { findingLines, requestText } from './request-text.ts';
import { configOf, configOptions } from './settings.ts';
import { SINCE_DEFAULT_MS, sinceOption } from './since.ts';
import { terminalWidth } from './terminal.ts';

const FINDINGS_MAX = 20;

interface Options extends Record<string, unknown> {
  kept?: true;
  since: number;
  json?: true;
}

export function registerShow(program: Command): void {
  const show = program
    .command('show')
    .description('how a session stands, what it waits for, and what has happened')
    .argument('<session>', 'its id')
    .option('--since <duration>', 'how far back findings are read; default 24h', sinceOption, SINCE_DEFAULT_MS)
    .option('--json', 'the same for a program')
    .option(
      '--kept',
      'instead: what the last checkpoint in Redis knows of it (windows, request, grant, last command, orders), as JSON',
    )
    .addHelpText(
      'after',
      '\nIt reads and changes nothing. What it shows of a request is what an answer refers to: release and reject send its' +
        '\ndigest along, and an answer to anything else is refused.',
    );
  configOptions(show, (path) => path.startsWith('kafka.') || path.startsWith('redis.')).action(run);
}

async function run(id: string, options: Options): Promise<void> {
  const { kept, json, since } = options;
  if (!kept && options['redis'] !== undefined) throw new Error('--redis goes with --kept');
  if (kept) {
    const { session, state } = await readKeptSession(configOf(options).redis, id);
    const orders = state.orders.filter((order) => isAbout(order, session));
    process.stdout.write(`${JSON.stringify(snapshotOf(session, orders), null, 2)}\n`);
    return;
  }
  const history = await historyOf(id, options, since);
  if (json) process.stdout.write(`${JSON.stringify(history, null, 2)}\n`);
  else process.stdout.write(`${historyText(id, history, terminalWidth()).join('\n')}\n`);
}

/** What the topics say of a session. Nothing at all is an error: it is most likely misspelt. */
export async function historyOf(
  id: string,
  options: Record<string, unknown>,
  sinceMs: number,
): Promise<SessionHistory> {
  const config = configOf(options);
  const kafka = kafkaOf(config, createLogger('error'));
  const history = await readSessionHistory(kafka, config.kafka.topicPrefix, id, systemClock.nowMs() - sinceMs);
  if (history.view === undefined && history.findings.length === 0) {
    throw new Error(
      `session "${id}": nothing was said of it; it is clear, or spelt otherwise: firebreak sessions lists them`,
    );
  }
  return history;
}

export function historyText(id: string, { view, findings }: SessionHistory, width: number): string[] {
  const nowMs = systemClock.nowMs();
  const head =
    view?.request === undefined
      ? title(
          `session ${shown(id)} is ${view?.level ?? 'clear'}${view === undefined ? '' : ` since ${view.since}`}`,
          width,
        )
      : requestText(view as typeof view & { request: Finding }, nowMs, width);
  const by = view?.request !== undefined || view?.rule === undefined ? [] : [`  by       ${view.rule}`];
  const latest = findings.slice(-FINDINGS_MAX);
  const left = findings.length - latest.length;
  return [
    ...head,
    ...by,
    ...(latest.length === 0 ? [] : ['', `what has happened${left === 0 ? '' : `, the last of ${findings.length}`}:`]),
    ...findingLines(latest, width),
  ];
}
