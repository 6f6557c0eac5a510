import type { Command } from '../../domain/command.ts';
import type { ActionEvent } from '../../domain/event.ts';
import type { Finding } from '../../domain/finding.ts';
import { type Level, levelRank } from '../../domain/level.ts';
import type { Output } from '../../domain/output.ts';
import type { LogRecord } from '../../domain/record.ts';
import type { Plan } from '../../engine/plan/policy.ts';
import { Gauge, type Reading } from '../gauge.ts';
import type { RecordedLog } from '../recording.ts';
import { type ReplayOptions, replay } from '../replay.ts';

/** One action of the session, as the log holds it. */
export interface StoryAction {
  /** From 1, over all actions of the session that the recording holds. */
  number: number;
  file: string;
  /** In a file its line, in a topic its offset. */
  line: number;
  record: LogRecord;
  event: ActionEvent;
  plan: Plan | undefined;
  /** Partition clock when it was judged, ms. */
  clockMs: number;
  level: Level;
  readings: Reading[];
}

/** One rise of the session's level, with the command that went out where there is one. */
export interface Rise {
  /** Number of the action. */
  number: number;
  level: Level;
  rule: string;
  finding: Finding;
  command: Command | undefined;
}

/** All that a recording holds of one session, judged. */
export interface Story {
  session: string;
  topicId: string;
  partition: number;
  actions: StoryAction[];
  rises: Rise[];
}

/** Near names are looked for among so many. */
const KNOWN_MAX = 10_000;

/** Replays the recordings, and answers the session's story, or which sessions there are. */
export async function storyOf(
  recordings: readonly RecordedLog[],
  options: ReplayOptions,
  session: string,
): Promise<{ story: Story } | { known: string[] }> {
  const known = new Set<string>();
  let gauge: Gauge | undefined;
  let story: Story | undefined;
  for await (const { recording, line, partition, record, outputs } of replay(recordings, options)) {
    if (record.body.type !== 'action' || line === undefined) continue;
    const { event } = record.body;
    if (event.session !== session) {
      if (known.size < KNOWN_MAX) known.add(event.session);
      continue;
    }
    const { topicId } = partition;
    story ??= { session, topicId, partition: partition.partition, actions: [], rises: [] };
    gauge ??= new Gauge(topicId, partition.partition);
    const { clockMs } = partition.state;
    const before = story.actions.at(-1)?.level ?? 'clear';
    const number = story.actions.length + 1;
    const readings = gauge.read({ ...record, appendMs: clockMs }, partition.plan, before);
    const level = partition.find(session)?.level ?? 'clear';
    story.actions.push({
      number,
      file: recording.file,
      line,
      record,
      event,
      plan: partition.plan,
      clockMs,
      level,
      readings,
    });
    story.rises.push(...riseIn(outputs, number));
  }
  return story === undefined ? { known: [...known] } : { story };
}

/** The session that a command stops; else the ids of the commands that the recordings lead to. */
export async function sessionOfCommand(
  recordings: readonly RecordedLog[],
  options: ReplayOptions,
  id: string,
): Promise<{ session: string } | { known: string[] }> {
  const known: string[] = [];
  for await (const { outputs } of replay(recordings, options)) {
    for (const output of outputs) {
      if (output.topic !== 'commands') continue;
      if (output.command.id === id && output.command.session !== undefined) return { session: output.command.session };
      if (known.length < KNOWN_MAX) known.push(output.command.id);
    }
  }
  return { known };
}

/** The rise that one action caused: one or none. */
export function riseIn(outputs: readonly Output[], number: number): Rise[] {
  return outputs.flatMap((output) => {
    if (output.topic !== 'findings' || output.finding.code !== 'level_changed') return [];
    const { finding } = output;
    const { from, to } = finding.level!;
    if (levelRank(to) <= levelRank(from)) return [];
    const sent = outputs.find((one) => one.topic === 'commands');
    return [{ number, level: to, rule: finding.rule!, finding, command: sent?.command }];
  });
}
