import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRecording, type Recording } from '../../src/app/recording.ts';
import { type Replayed, type ReplayOptions, replay } from '../../src/app/replay.ts';
import type { Command } from '../../src/domain/command.ts';
import { formatInstant } from '../../src/domain/instant.ts';
import type { PolicyBody } from '../../src/domain/rule.ts';
import { PolicySettings } from '../../src/domain/rule.ts';
import { ruleOf, START_MS } from '../engine/harness.ts';

export const DELAY_MS = 3_600_000;

/** Three deletions pause, five kill. */
export const BODY: PolicyBody = {
  format: 1,
  settings: PolicySettings.parse({}),
  rules: [ruleOf({ match: { action: 'delete' }, when: { pause: 'n >= 3', kill: 'n >= 5' } })],
};

export function eventLine(n: number, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    id: `e-${n}`,
    time: formatInstant(START_MS + n * 1000),
    session: 's-1',
    agent: { id: 'agent' },
    tool: 'delete_email',
    action: 'delete',
    outcome: 'ok',
    ...more,
  });
}

/** Runs with the lines as a file; takes the file away afterwards. */
export async function withFiles<T>(
  contents: readonly (string | Buffer)[],
  run: (paths: string[]) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'firebreak-recording-'));
  try {
    const paths = contents.map((_, index) => join(folder, `file-${index}.ndjson`));
    for (const [index, content] of contents.entries()) await writeFile(paths[index]!, content);
    return await run(paths);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export async function replayed(
  paths: readonly string[],
  options: ReplayOptions,
  note: (one: Replayed) => void = () => {},
): Promise<{ commands: Command[]; recordings: Recording[] }> {
  const recordings: Recording[] = [];
  for (const path of paths) recordings.push(await openRecording(path, DELAY_MS));
  const commands: Command[] = [];
  for await (const one of replay(recordings, options)) {
    note(one);
    for (const output of one.outputs) if (output.topic === 'commands') commands.push(output.command);
  }
  return { commands, recordings };
}
