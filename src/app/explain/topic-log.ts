import { z } from 'zod';
import type { PartitionClient } from '../../adapters/kafka/partition-client.ts';
import { type Range, type RangeProgress, readRanges, wholeTopic } from '../../adapters/kafka/range-reader.ts';
import { Command } from '../../domain/command.ts';
import { partitionOf } from '../../domain/partitioner.ts';
import { policyNamedBy } from '../../domain/record.ts';
import { decodeRecord } from '../../formats/log-record.ts';
import type { PolicyLibrary } from '../../ports.ts';
import type { RecordedLog, RecordingItem } from '../recording.ts';

export interface TopicLogOptions {
  client: PartitionClient;
  topic: string;
  topicId: string;
  /** Where the policies are that the records name; undefined where other rules judge. */
  library: PolicyLibrary | undefined;
  onProgress?(progress: RangeProgress): void;
}

/** The partition of one session as the topic holds it now, in the form in which a recording is replayed. */
export class TopicLog implements RecordedLog {
  /** `firebreak.actions/3`. */
  readonly file: string;
  readonly survey = undefined;
  /** Offset of the first record that the topic still holds: what was before it was deleted. */
  readonly low: number;
  readonly #options: TopicLogOptions;
  readonly #range: Range;

  private constructor(options: TopicLogOptions, range: Range) {
    this.file = `${options.topic}/${range.partition}`;
    this.low = range.from;
    this.#options = options;
    this.#range = range;
  }

  static async open(options: TopicLogOptions, session: string): Promise<TopicLog> {
    const ranges = await wholeTopic(options.client, options.topic);
    const partition = partitionOf(session, ranges.length);
    return new TopicLog(options, ranges.find((range) => range.partition === partition)!);
  }

  async *items(): AsyncGenerator<RecordingItem> {
    const { client, topic, topicId, library, onProgress } = this.#options;
    const range = this.#range;
    const { partition } = range;
    const known = new Set<string>();
    for await (const { record: raw } of readRanges(client, topic, [range], onProgress)) {
      const line = raw.offset;
      const record = decodeRecord(raw, undefined);
      const policy = policyNamedBy(record.body);
      if (library !== undefined && policy !== undefined && !known.has(policy.hash)) {
        known.add(policy.hash);
        yield { type: 'policy', hash: policy.hash, body: await library.get(policy), line };
      }
      yield { type: 'record', topicId, partition, line, record };
    }
  }
}

/** What is asked of a published command; whatever else it says is no matter here. */
const Published = z.looseObject(Command.pick({ id: true, session: true }).shape);

/** The session that a published command stops; else the ids of those that the topic holds. */
export async function sessionOfPublished(
  client: PartitionClient,
  topic: string,
  id: string,
): Promise<{ session: string } | { known: string[] }> {
  const known: string[] = [];
  for await (const { record } of readRanges(client, topic, await wholeTopic(client, topic))) {
    const published = publishedIn(record.value);
    if (published?.session === undefined) continue;
    if (published.id === id) return { session: published.session };
    known.push(published.id);
  }
  return { known };
}

function publishedIn(value: Uint8Array | null): z.infer<typeof Published> | undefined {
  try {
    return Published.safeParse(JSON.parse(Buffer.from(value ?? '').toString('utf8'))).data;
  } catch {
    return undefined; // not JSON: nothing that Firebreak wrote, and so not the command that is asked for
  }
}
