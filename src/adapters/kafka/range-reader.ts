import type { RawRecord } from '../../domain/record.ts';
import { LogGap } from '../../ports.ts';
import type { PartitionClient } from './partition-client.ts';

/** Offsets of one partition: from the first inclusive to the second exclusive. */
export interface Range {
  partition: number;
  from: number;
  to: number;
}

export interface RangeRecord {
  partition: number;
  record: RawRecord;
}

export interface RangeProgress {
  partition: number;
  /** Offsets of the partition that are done, and how many there are. */
  done: number;
  total: number;
}

const FETCH_BYTES = 1024 * 1024;

/** What the log holds now, partition by partition. */
export async function wholeTopic(client: PartitionClient, topic: string): Promise<Range[]> {
  const ranges: Range[] = [];
  for (const partition of await client.partitions(topic)) {
    const { low, high } = await client.bounds(topic, partition);
    ranges.push({ partition, from: low, to: high });
  }
  return ranges;
}

/**
 * The records of the ranges, one range after the other, in offset order. Throws `LogGap` when the log no longer holds
 * the range; offsets that compaction or transactions left empty are passed over.
 */
export async function* readRanges(
  client: PartitionClient,
  topic: string,
  ranges: readonly Range[],
  onProgress?: (progress: RangeProgress) => void,
): AsyncGenerator<RangeRecord, void, undefined> {
  for (const { partition, from, to } of ranges) {
    for (let next = from; next < to; ) {
      const fetched = await client.fetch(topic, partition, next, FETCH_BYTES);
      if (fetched === undefined || fetched.high < to) {
        throw new LogGap(topic, partition, next, fetched ?? (await client.bounds(topic, partition)));
      }
      for (const record of fetched.records) {
        if (record.offset < to) yield { partition, record };
      }
      next = fetched.next;
      onProgress?.({ partition, done: Math.min(next, to) - from, total: to - from });
    }
  }
}

/** What the log holds of the records appended from `sinceMs` inclusive to `untilMs` exclusive; undefined: no bound. */
export async function rangesBetween(
  client: PartitionClient,
  topic: string,
  sinceMs: number | undefined,
  untilMs: number | undefined,
): Promise<Range[]> {
  const ranges: Range[] = [];
  for (const { partition, from, to } of await wholeTopic(client, topic)) {
    const since = sinceMs === undefined ? from : Math.max(from, await client.offsetAt(topic, partition, sinceMs));
    const until = untilMs === undefined ? to : Math.min(to, await client.offsetAt(topic, partition, untilMs));
    ranges.push({ partition, from: since, to: Math.max(since, until) });
  }
  return ranges;
}

/** All partitions merged by append time: a replay that takes its time shows what happened together, together. */
export async function* inOrderOfTime(
  client: PartitionClient,
  topic: string,
  ranges: readonly Range[],
): AsyncGenerator<RangeRecord> {
  const readers = ranges.map((range) => readRanges(client, topic, [range]));
  // One after the other: the client's cluster opens a connection for each caller that comes before the first is open.
  const heads: IteratorResult<RangeRecord, void>[] = [];
  for (const reader of readers) heads.push(await reader.next());
  for (;;) {
    let earliest = -1;
    for (const [i, head] of heads.entries()) {
      if (head.done === true) continue;
      const best = heads[earliest];
      if (best === undefined || best.done === true || head.value.record.appendMs < best.value.record.appendMs)
        earliest = i;
    }
    const head = heads[earliest];
    if (head === undefined || head.done === true) return;
    yield head.value;
    heads[earliest] = await readers[earliest]!.next();
  }
}
