import type { Kafka } from 'kafkajs';
import { Verdict } from '../../domain/output.ts';
import { partitionOf } from '../../domain/partitioner.ts';
import { PartitionClient } from './partition-client.ts';
import { readRanges, wholeTopic } from './range-reader.ts';

/**
 * The verdicts that stand for the sessions of one partition of the log, from the compacted topic. A kill has a key of
 * its own (`session#killed`), so a later lesser level never hides it; it wins here too.
 */
export function verdictReader(kafka: Kafka, topic: string) {
  const client = new PartitionClient(kafka);
  return {
    close: () => client.close(),
    async read(partition: number, partitions: number): Promise<Verdict[]> {
      const standing = new Map<string, Verdict>();
      for await (const { record } of readRanges(client, topic, await wholeTopic(client, topic))) {
        if (record.value === null) continue;
        const verdict = Verdict.parse(JSON.parse(Buffer.from(record.value).toString('utf8')));
        if (partitionOf(verdict.session, partitions) !== partition) continue;
        if (standing.get(verdict.session)?.level !== 'killed') standing.set(verdict.session, verdict);
      }
      return [...standing.values()];
    },
  };
}
