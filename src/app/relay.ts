import type { Logger } from 'pino';
import type { Stats } from '../adapters/telemetry/stats.ts';
import type { RawRecord } from '../domain/record.ts';
import type { Assignment, Batch, Clock, LogReader, LogSource } from '../ports.ts';

export type CopiedFrom = Pick<Assignment, 'partition' | 'topicId'>;

/**
 * Publishes what the records of one partition become, in their order, and answers how many were copied and refused. Called
 * again with the same records after a failure or a crash: its copies must be such that a repeated one changes nothing.
 */
export type Copier = (from: CopiedFrom, records: readonly RawRecord[]) => Promise<{ copied: number; refused: number }>;

export interface RelayParts {
  from: keyof Stats['relayed'];
  /** Where a group begins that has committed nothing. */
  beginOf(assignment: Assignment): number | Promise<number>;
  /** A new reader of the topic: each one runs once. */
  open(): LogSource;
  copier: Copier;
  stats: Stats;
  clock: Clock;
  logger: Logger;
}

const AGAIN_AFTER_MS = 5000;

/** Copies a topic into a log. The offset is committed after the copies are acknowledged, so a crash repeats copies. */
export class Relay implements LogReader {
  readonly #parts: RelayParts;
  readonly #topicIds = new Map<number, string>();
  readonly #stopped = new AbortController();
  #source: LogSource | undefined;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** Runs until `stop`, and never rejects: without what it copies sessions are judged all the same. */
  async run(): Promise<void> {
    const { open, clock, stats, logger, from } = this.#parts;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      this.#source = open();
      try {
        await this.#source.run(this);
      } catch (error) {
        stats.relayed[from].failed++;
        logger.error({ topic: from, err: error }, 'nothing is relayed: trying again');
        await clock.sleep(AGAIN_AFTER_MS, signal);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#source?.stop();
  }

  held(): void {}

  async assigned(assignment: Assignment): Promise<number> {
    const { beginOf, from, logger } = this.#parts;
    const { partition, topicId, committed, low, high } = assignment;
    this.#topicIds.set(partition, topicId);
    const next = committed ?? (await beginOf(assignment));
    if (next >= low && next <= high) return next;
    logger.error(
      { topic: from, partition, committed, low, high },
      'records were removed before they were relayed: passed over',
    );
    return low;
  }

  async batch({ partition, records, next }: Batch): Promise<void> {
    const { copier, stats, from } = this.#parts;
    const { copied, refused } = await copier({ partition, topicId: this.#topicIds.get(partition)! }, records);
    stats.relayed[from].copied += copied;
    stats.relayed[from].refused += refused;
    await this.#source?.commit(partition, next);
  }
}
