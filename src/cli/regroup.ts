import type { Command } from 'commander';
import { NdjsonWriter } from '../adapters/files/ndjson-writer.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { crowdCopy } from '../app/crowd-copies.ts';
import { DEFAULT_SETTINGS } from '../domain/rule.ts';
import { decodeRecord } from '../formats/log-record.ts';
import { openSource, type SourceOptions, sourceOptions } from './event-source.ts';
import { Progress } from './progress.ts';
import { configOptions } from './settings.ts';

export function registerRegroup(program: Command): void {
  const command = sourceOptions(program.command('regroup'))
    .description('write recorded actions anew, all sessions of an agent as one crowd: to learn and to judge by agent')
    .requiredOption('--out <file>', 'NDJSON, gzip where the name ends in .gz; - is standard output')
    .addHelpText(
      'after',
      '\nWhat is spread over the sessions of an agent, a little in each, no sum over one session sees. A second Firebreak' +
        '\njudges the crowds of agents: `firebreak run --topic-prefix firebreak.crowds. --regroup-from firebreak.` copies the' +
        '\nactions of the first as they come; this verb does the same with what was recorded. See rules/README.md.' +
        '\n\nExample:' +
        '\n  firebreak regroup october.ndjson.gz --out crowds.ndjson.gz' +
        '\n  firebreak learn crowds.ndjson.gz --rules crowd-rules',
    );
  configOptions(command, (path) => path.startsWith('kafka.')).action(regroup);
}

async function regroup(files: string[], options: SourceOptions & { out: string }): Promise<void> {
  const { source, close } = await openSource(files, DEFAULT_SETTINGS.delayMs, options);
  const writer = await NdjsonWriter.open(options.out);
  const progress = new Progress(process.stderr, systemClock);
  const crowds = new Set<string>();
  let [copied, left] = [0, 0];
  try {
    for await (const item of source.items(new AbortController().signal)) {
      if (item.type === 'end') continue;
      const body = item.type === 'record' ? decodeRecord(item.raw, undefined).body : undefined;
      if (body?.type === 'action') {
        const copy = crowdCopy(body.event);
        crowds.add(copy.session);
        await writer.write(JSON.stringify(copy));
        copied++;
      } else if (body === undefined || body.type === 'refused') left++;
      progress.at(source.shareRead() ?? 0, () => `${copied.toLocaleString('en')} actions`);
    }
    progress.done();
    const unusable = left === 0 ? '' : `, ${left} lines or records left out that are no action events`;
    process.stderr.write(`${copied} actions of ${crowds.size} agents${unusable}: ${options.out}\n`);
  } finally {
    progress.done();
    await Promise.all([writer.close(), close()]);
  }
}
