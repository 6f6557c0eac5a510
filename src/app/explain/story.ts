import type { Command } from '../../domain/command.ts';
import type { ActionEvent } from '../../domain/event.ts';
import type { Finding } from '../../domain/finding.ts';
import { type Level, levelRank } from '../../domain/level.ts';
import type { Output } from '../../domain/output.ts';
import type { LogRecord } from '../../domain/record.ts';
import type { Partition } from '../../engine/partition.ts';
import type { Plan } from '../../engine/plan/policy.ts';
import { Gauge, type Reading } from '../gauge.ts';
import type { RecordedLog } from '../recording.ts';
import { type Replayed, type ReplayOptions, replay } from '../replay.ts';

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
  /** Of that clock, since the action before. */
  jumps: readonly Jump[];
  level: Level;
  readings: Reading[];
}

/** The clock of the partition went from one time to another, and nobody could say what was over in between. */
export interface Jump {
  fromMs: number;
  toMs: number;
}

/** A moment at which no action came, and the session rose for what was missing. */
export interface Silence {
  /** Partition clock, ms. */
  clockMs: number;
  /** Of that clock, since the action before. */
  jumps: readonly Jump[];
  readings: Reading[];
}

/** One rise of the session's level, with the command that went out where there is one. */
export interface Rise {
  /** Number of the action; of a silence, that of the action before it. */
  number: number;
  silence: Silence | undefined;
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
  /** The clock at the end of the recordings. */
  end: Pick<Silence, 'clockMs' | 'jumps'>;
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
  let told: Telling | undefined;
  for await (const replayed of replay(recordings, options)) {
    const { partition, record, line } = replayed;
    const { body } = record;
    const event = body.type === 'action' && line !== undefined ? body.event : undefined;
    const own = event?.session === session ? event : undefined;
    if (own !== undefined) told ??= new Telling(session, partition);
    else if (event !== undefined && known.size < KNOWN_MAX) known.add(event.session);
    told?.hear(replayed, own);
  }
  return told === undefined ? { known: [...known] } : { story: told.story };
}

/** Makes the story from the records of its partition. */
class Telling {
  readonly story: Story;
  readonly #gauge: Gauge;
  #level: Level = 'clear';
  #jumpedMs: number;
  #jumps: readonly Jump[] = [];

  constructor(session: string, { topicId, partition, state: { clockMs, jumpedMs } }: Partition) {
    this.story = { session, topicId, partition, actions: [], rises: [], end: { clockMs, jumps: [] } };
    this.#jumpedMs = jumpedMs;
    this.#gauge = new Gauge(topicId, partition);
  }

  /** `own`: the action of the session, where the record is one. */
  hear({ recording, line, partition, record, outputs }: Replayed, own: ActionEvent | undefined): void {
    const { session, topicId, actions, rises } = this.story;
    if (partition.topicId !== topicId || partition.partition !== this.story.partition) return;
    const { clockMs, jumpedMs } = partition.state;
    const { clockMs: fromMs } = this.story.end;
    if (jumpedMs !== this.#jumpedMs) this.#jumps = [...this.#jumps, { fromMs, toMs: jumpedMs }];
    this.#jumpedMs = jumpedMs;
    const jumps = this.#jumps;
    this.story.end = { clockMs, jumps };
    if (own === undefined) this.#gauge.pass(record, partition);
    const silent = silentRisesIn(outputs, { session, number: actions.length, own: own?.id });
    if (silent.length > 0) {
      const readings = this.#gauge.readSilence(session, partition);
      const silence = { clockMs, jumps, readings };
      for (const rise of silent) rises.push({ ...rise, silence });
      this.#level = silent.at(-1)!.level;
    }
    const level = partition.find(session)?.level ?? 'clear';
    if (own !== undefined) {
      const number = actions.length + 1;
      const readings = this.#gauge.read(record, partition, this.#level);
      const told = { number, file: recording.file, line: line!, record, event: own };
      actions.push({ ...told, plan: partition.plan, clockMs, jumps, level, readings });
      this.#jumps = [];
      rises.push(...riseIn(outputs, { session, number, own: own.id }));
    }
    this.#level = level;
  }
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

interface Told {
  session: string;
  number: number;
  /** Id of the action, where the record is one of the session. */
  own: string | undefined;
}

/** The rise that one action caused: one or none. */
export function riseIn(outputs: readonly Output[], told: Told): Rise[] {
  return risesIn(outputs, told, (finding) => !isSilent(finding, told));
}

/** The rise that was caused because nothing came until then: one or none. */
export function silentRisesIn(outputs: readonly Output[], told: Told): Rise[] {
  return risesIn(outputs, told, (finding) => isSilent(finding, told));
}

/** A rule that speaks of an earlier action: the one that still waits for something. */
function isSilent({ measures, triggerEventId }: Finding, { own }: Told): boolean {
  return triggerEventId !== own && Object.keys(measures ?? {}).length > 0;
}

function risesIn(outputs: readonly Output[], { session, number }: Told, isMeant: (one: Finding) => boolean): Rise[] {
  return outputs.flatMap((output) => {
    if (output.topic !== 'findings' || output.finding.code !== 'level_changed') return [];
    const { finding } = output;
    const { from, to } = finding.level!;
    if (finding.session !== session || levelRank(to) <= levelRank(from) || !isMeant(finding)) return [];
    const { rule, triggerEventId } = finding;
    const sent = outputs.find(
      (one) => one.topic === 'commands' && one.command.rule === rule && one.command.triggerEventId === triggerEventId,
    );
    const command = sent?.topic === 'commands' ? sent.command : undefined;
    return [{ number, level: to, rule: rule!, finding, command, silence: undefined }];
  });
}
