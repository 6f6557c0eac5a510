import type { Command } from 'commander';
import { readKeptSession } from '../app/kept-session.ts';
import { snapshotOf } from '../engine/session/snapshot.ts';
import { configOf, configOptions } from './settings.ts';

export function registerShow(program: Command): void {
  const show = program
    .command('show')
    .description('what the last checkpoint in Redis knows of a session, as JSON')
    .argument('<session>', 'its id')
    .addHelpText('after', '\nIt reads and changes nothing. A running analyzer may be up to a checkpoint ahead.');
  configOptions(show, (path) => path.startsWith('redis.')).action(run);
}

async function run(id: string, options: Record<string, unknown>): Promise<void> {
  const { session } = await readKeptSession(configOf(options).redis, id);
  process.stdout.write(`${JSON.stringify(snapshotOf(session), null, 2)}\n`);
}
