import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { Verdict } from '../../domain/output.ts';
import { partitionOf } from '../../domain/partitioner.ts';
import type { RawRecord } from '../../domain/record.ts';
import { PartitionClient } from './partition-client.ts';
import { readRanges, wholeTopic } from './range-reader.ts';

/**
 * The verdicts that stand, from the compacted topic. A kill has a key of its own (`session#killed`), so a later lesser
 * level never hides it; it wins here too. A record that is no verdict hides no other: it is told and passed over.
 */
export class VerdictReader {
  readonly #client: PartitionClient;
  readonly #topic: string;
  readonly #logger: Logger;
  #running: Promise<unknown> = Promise.resolve();
  #waiting: Promise<Verdict[]> | undefined;

  constructor(kafka: Kafka, topic: string, logger: Logger) {
    this.#client = new PartitionClient(kafka);
    this.#topic = topic;
    this.#logger = logger;
  }

  /** Those of the sessions of one partition of the log, as they stood after the call at the earliest. */
  async of(partition: number, partitions: number): Promise<Verdict[]> {
    // The topic is read whole; a rebuild of all partitions at once shares what begins after all of them have asked.
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = undefined;
      const reading = this.#readAll();
      this.#running = reading.catch(() => undefined); // told to those who wait for it
      return reading;
    });
    const standing = await this.#waiting;
    return standing.filter(({ session }) => partitionOf(session, partitions) === partition);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #readAll(): Promise<Verdict[]> {
    const standing = new Map<string, Verdict>();
    const ranges = await wholeTopic(this.#client, this.#topic);
    for await (const { partition, record } of readRanges(this.#client, this.#topic, ranges)) {
      if (record.value === null) continue;
      const verdict = verdictIn(record.value);
      if (verdict === undefined) {
        this.#logger.error({ topic: this.#topic, partition, offset: record.offset }, 'not a verdict: passed over');
      } else if (standing.get(verdict.session)?.level !== 'killed') {
        standing.set(verdict.session, verdict);
      }
    }
    return [...standing.values()];
  }
}

function verdictIn(value: NonNullable<RawRecord['value']>): Verdict | undefined {
  try {
    return Verdict.parse(JSON.parse(Buffer.from(value).toString('utf8')));
  } catch {
    return undefined; // and the caller says so
  }
}
