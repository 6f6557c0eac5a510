import type { Kafka } from 'kafkajs';
import { PartitionClient } from '../adapters/kafka/partition-client.ts';
import { readRanges } from '../adapters/kafka/range-reader.ts';
import { Finding } from '../domain/finding.ts';
import { Verdict } from '../domain/output.ts';
import { partitionOf } from '../domain/partitioner.ts';
import type { RawRecord } from '../domain/record.ts';
import { SessionBoard, type SessionView } from './session-board.ts';

export interface SessionHistory {
  /** Undefined when nothing is known of it, or it is clear. */
  view: SessionView | undefined;
  /** Since the time that was asked for, oldest first. */
  findings: Finding[];
}

/** What is said of one session: only its partition is read. Throws when a topic is missing. */
export async function readSessionHistory(
  kafka: Kafka,
  topicPrefix: string,
  session: string,
  sinceMs: number,
): Promise<SessionHistory> {
  const client = new PartitionClient(kafka);
  const board = new SessionBoard();
  const findings: Finding[] = [];
  try {
    for await (const record of recordsOf(client, `${topicPrefix}verdicts`, session, undefined)) {
      const verdict = jsonOf(Verdict, record);
      if (verdict?.session === session) board.verdict(verdict);
    }
    for await (const record of recordsOf(client, `${topicPrefix}findings`, session, sinceMs)) {
      const finding = jsonOf(Finding, record);
      if (finding?.session !== session) continue;
      board.finding(finding);
      findings.push(finding);
    }
  } finally {
    await client.close();
  }
  return { view: board.of(session), findings };
}

async function* recordsOf(client: PartitionClient, topic: string, session: string, sinceMs: number | undefined) {
  const partition = partitionOf(session, (await client.partitions(topic)).length);
  const { low, high } = await client.bounds(topic, partition);
  const from = sinceMs === undefined ? low : Math.max(low, await client.offsetAt(topic, partition, sinceMs));
  for await (const { record } of readRanges(client, topic, [{ partition, from, to: high }])) yield record;
}

/** Undefined where the record is something else: others may know more of this topic than this version. */
export function jsonOf<T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } },
  { value }: RawRecord,
): T | undefined {
  if (value === null) return undefined;
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.from(value).toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // no JSON, and therefore nothing that could be shown
  }
}
