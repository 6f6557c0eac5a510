import { NdjsonReader } from '../../adapters/files/ndjson-reader.ts';
import type { PartitionClient } from '../../adapters/kafka/partition-client.ts';
import { readRanges, wholeTopic } from '../../adapters/kafka/range-reader.ts';

/** One record of a topic or one line of a file, and where it stands: `firebreak.audit/3/42`, `audit.ndjson:7`. */
export interface Placed {
  place: string;
  bytes: Uint8Array;
}

/** Largest line of a file: an output has 64 KiB, and its topics take 512. */
const LINE_BYTES_MAX = 1024 * 1024;

export async function* linesOf(file: string): AsyncGenerator<Placed> {
  const reader = await NdjsonReader.open(file, LINE_BYTES_MAX);
  for await (const lines of reader.lines()) {
    for (const line of lines) {
      // What is too long to be one of ours is no JSON to whoever reads it.
      yield { place: `${file}:${line.number}`, bytes: 'bytes' in line ? line.bytes : new Uint8Array() };
    }
  }
}

/** All that the topic holds now, partition by partition. */
export async function* recordsOf(client: PartitionClient, topic: string): AsyncGenerator<Placed> {
  for await (const { partition, record } of readRanges(client, topic, await wholeTopic(client, topic))) {
    yield { place: `${topic}/${partition}/${record.offset}`, bytes: record.value ?? new Uint8Array() };
  }
}
