import { realpath } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import type { ActionEvent } from '../domain/event.ts';
import { DEFAULT_SETTINGS } from '../domain/rule.ts';
import type { RecordedEvents, RuleTest } from '../domain/rule-test.ts';
import { hint } from '../engine/expression/names.ts';
import { type RecordedSources, sourcesOf } from '../formats/event-generator.ts';
import type { SchemaProblem } from '../formats/schema-problems.ts';
import { openRecording } from './recording.ts';

/** A test is read by people: who needs more cuts the recording. */
const LINES_MAX = 200_000;
/** So many sessions are remembered for the suggestion. */
const SESSIONS_MAX = 1000;

/**
 * Reads the recordings that a test names. A rule file may come from anywhere, so it reaches nothing outside its own
 * folder, symbolic links followed. Problems have paths from the test.
 */
export async function recordedSources(
  file: string,
  test: RuleTest,
): Promise<{ recorded: RecordedSources; problems: SchemaProblem[] }> {
  const recorded = new Map<RecordedEvents, readonly ActionEvent[]>();
  const problems: SchemaProblem[] = [];
  for (const { source, path } of sourcesOf(test)) {
    if (!('file' in source)) continue;
    const read = await readSource(dirname(file), source);
    if ('events' in read) recorded.set(source, read.events);
    else problems.push({ path: [...path, read.field], message: read.problem });
  }
  return { recorded, problems };
}

type Read = { events: ActionEvent[] } | { field: keyof RecordedEvents; problem: string };

async function readSource(folder: string, { file, session }: RecordedEvents): Promise<Read> {
  const refuse = (problem: string): Read => ({ field: 'file', problem: `file: found "${file}"; ${problem}` });
  const home = await realpath(folder);
  let path: string;
  try {
    path = await realpath(resolve(home, file));
  } catch (error) {
    return refuse((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(error));
  }
  if (!path.startsWith(home + sep)) return refuse('allowed: a file below the folder of the test');
  const events: ActionEvent[] = [];
  const sessions = new Set<string>();
  try {
    const recording = await openRecording(path, DEFAULT_SETTINGS.delayMs);
    for await (const item of recording.items()) {
      if (item.line > LINES_MAX) return refuse(`it has more than ${LINES_MAX} lines; cut out what the test needs`);
      if (item.type !== 'record' || item.record.body.type !== 'action') continue;
      const { event } = item.record.body;
      if (event.session === session) events.push(event);
      else if (sessions.size < SESSIONS_MAX) sessions.add(event.session);
    }
  } catch (error) {
    return refuse(`it cannot be read: ${(error as Error).message}`);
  }
  if (events.length > 0) return { events };
  return { field: 'session', problem: `session: the recording has no "${session}"${hint(session, [...sessions])}` };
}
