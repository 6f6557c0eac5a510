import { randomInt } from 'node:crypto';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { Logger } from 'pino';
import { type Clock, LogGap, type LogReader } from '../../ports.ts';
import { assignmentOf, type LogPlace, repartitionedBy, verifyHeld } from './assignment.ts';
import { Gate, Holding } from './holding.ts';
import type { PartitionClient } from './partition-client.ts';
import { ReaderCalls } from './reader-calls.ts';
import { subBatches } from './sub-batches.ts';

export interface DeliveryOptions extends LogPlace {
  consumer: Consumer;
  client: PartitionClient;
  reader: LogReader;
  clock: Clock;
  logger: Logger;
  /** The reader has fulfilled a piece. */
  onProgress: () => void;
  fail: (error: Error) => void;
}

/** What START_BATCH_PROCESS says of a fetch that held control records only. */
export interface PassedOver {
  partition: number;
  firstOffset: string | null;
  lastOffset: string;
}

const ASSIGNED_AT_ONCE = 4;
const DELAY_MIN_MS = 50;
const DELAY_MAX_MS = 5000;
const STRIKES_MAX = 5;
const MEMBERSHIP_ENDED = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);

/** Partitions that failed together, in all processes, do not come back together. */
function jittered(delayMs: number): number {
  return randomInt(Math.ceil(delayMs / 2), delayMs + 1);
}

/** The partitions that this member holds now, and the only way from a fetch to the reader. Nothing here throws. */
export class DeliveryRoom {
  readonly #options: DeliveryOptions;
  readonly #calls: ReaderCalls;
  readonly #gate = new Gate(ASSIGNED_AT_ONCE);
  readonly #holdings = new Map<number, Holding>();
  /** Failures of the reader in a row, by partition: what the delay grows with. */
  readonly #failures = new Map<number, number>();
  #open = true;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#calls = new ReaderCalls(options.clock);
  }

  /** GROUP_JOIN. Synchronous to its end: kafkajs fetches right after, from wherever it believes the group to be. */
  joined(partitions: readonly number[]): void {
    this.endAll();
    this.#pause(...partitions);
    if (!this.#open) return;
    const repartitioned = repartitionedBy(this.#options, partitions);
    if (repartitioned !== undefined) {
      this.#options.fail(repartitioned);
      return;
    }
    this.#options.reader.held(partitions);
    for (const partition of partitions) this.#hold(partition);
  }

  holds(partition: number): boolean {
    return this.#holdings.get(partition)?.reading ?? false;
  }

  reassign(partition: number): void {
    const holding = this.#holdings.get(partition);
    if (holding === undefined || holding.ended || !this.#open) return;
    holding.end();
    this.#pause(partition);
    this.#hold(partition);
  }

  /** No new call of the reader begins from here. */
  close(): void {
    this.#open = false;
  }

  endAll(): void {
    for (const holding of this.#holdings.values()) holding.end();
    this.#holdings.clear();
  }

  idle(): Promise<void> {
    return this.#calls.allIdle();
  }

  busy(): number[] {
    return this.#calls.busy();
  }

  passedOver({ partition, firstOffset, lastOffset }: PassedOver): void {
    const holding = this.#holdings.get(partition);
    if (!holding?.reading) return;
    const end = Number(lastOffset) + 1;
    const first = firstOffset === null ? end - 1 : Number(firstOffset);
    // After a seek back, with the log known to hold the offset, only compaction explains a later beginning.
    if (first > holding.accounted && holding.strikes === 0) this.#doubt(holding);
    else if (end <= holding.accounted) this.#seek(holding);
    else {
      holding.strikes = 0;
      holding.passedOver(end);
    }
  }

  async deliver(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const holding = this.#holdings.get(batch.partition);
    if (!holding?.reading || !this.#open || payload.isStale()) return;
    const { fetchedOffset } = batch as unknown as { fetchedOffset: string };
    const end = Number(batch.lastOffset()) + 1;
    if (Number(fetchedOffset) > holding.accounted || Number(batch.highWatermark) < holding.accounted) {
      this.#doubt(holding);
    } else if (end <= holding.accounted) {
      this.#seek(holding);
    } else {
      holding.strikes = 0;
      await this.#hand(holding, payload, end);
    }
  }

  async #hand(holding: Holding, payload: EachBatchPayload, end: number): Promise<void> {
    const { partition } = holding;
    const { batch } = payload;
    let failed = false;
    const beat = () =>
      payload.heartbeat().catch((error: { type?: string }) => {
        // kafkajs sends its own heartbeat after the batch, gets the same answer, and joins again.
        failed = true;
        if (MEMBERSHIP_ENDED.has(error.type ?? '')) holding.end();
        this.#options.logger.debug({ partition, err: error }, 'heartbeat failed');
      });
    const heartbeat = async () => {
      if (!holding.ended) await payload.heartbeat();
      if (holding.ended) throw new Error(`partition ${partition}: the assignment has ended`);
    };
    for (const { records, next } of subBatches(batch.messages, holding.next, end)) {
      if (records.length === 0) {
        holding.passedOver(next);
      } else {
        const piece = { partition, first: holding.next, next, records, high: Number(batch.highWatermark), heartbeat };
        try {
          await this.#calls.runAlive(partition, () => this.#options.reader.batch(piece), beat);
        } catch (error) {
          this.#failed(holding, error);
          return;
        }
        if (holding.ended) return;
        this.#options.onProgress();
        holding.reached(next);
        this.#failures.delete(partition);
      }
      payload.resolveOffset(String(next - 1));
      await beat();
      if (failed || holding.ended || !this.#open || !payload.isRunning()) return;
    }
  }

  #failed(holding: Holding, error: unknown): void {
    const { partition } = holding;
    if (holding.ended) {
      this.#options.logger.debug({ partition, err: error }, 'batch ended after its assignment');
      return;
    }
    this.#options.logger.warn({ partition, next: holding.next, err: error }, 'batch failed: assigning again');
    this.#failures.set(partition, (this.#failures.get(partition) ?? 0) + 1);
    this.reassign(partition);
  }

  #hold(partition: number): void {
    const holding = new Holding(partition);
    this.#holdings.set(partition, holding);
    void this.#assign(holding);
  }

  async #assign(holding: Holding): Promise<void> {
    const { clock, logger, fail } = this.#options;
    const { partition, lost } = holding;
    for (;;) {
      const failures = this.#failures.get(partition) ?? 0;
      if (failures > 0) await clock.sleep(jittered(Math.min(DELAY_MIN_MS * 2 ** (failures - 1), DELAY_MAX_MS)), lost);
      await this.#calls.idle(partition);
      if (holding.ended || !this.#open) return;
      try {
        await this.#gate.run(() => this.#takeOver(holding));
        return;
      } catch (error) {
        if (error instanceof LogGap && !holding.ended) return fail(error);
        this.#failures.set(partition, failures + 1);
        if (!holding.ended) logger.warn({ partition, err: error }, 'assignment failed: assigning again');
      }
    }
  }

  async #takeOver(holding: Holding): Promise<void> {
    const { client, reader, topic } = this.#options;
    const { partition, lost } = holding;
    if (holding.ended || !this.#open) return;
    const assignment = await assignmentOf(client, this.#options, partition, lost);
    if (holding.ended || !this.#open) return;
    const next = await this.#calls.run(partition, () => reader.assigned(assignment));
    if (holding.ended || !this.#open) return;
    await verifyHeld(client, topic, partition, next);
    if (holding.ended || !this.#open) return;
    holding.reached(next);
    this.#seek(holding);
    this.#options.consumer.resume([{ topic, partitions: [partition] }]);
  }

  /**
   * A fetch began after the offset that was next, or the log ends before it. Either kafkajs moved the position (a lost
   * seek, an answer from before a seek, its silent reset), which a seek mends, or the log lost records, which nothing does.
   */
  #doubt(holding: Holding): void {
    const { client, consumer, fail, topic } = this.#options;
    const { partition } = holding;
    this.#pause(partition);
    holding.strikes++;
    const check = async () => {
      await verifyHeld(client, topic, partition, holding.accounted);
      if (holding.ended) return;
      if (holding.strikes > STRIKES_MAX) {
        fail(new Error(`${topic}/${partition}: offset ${holding.accounted} is held, but kafkajs does not deliver it`));
        return;
      }
      this.#seek(holding);
      consumer.resume([{ topic, partitions: [partition] }]);
    };
    check().catch((error: Error) => {
      if (holding.ended) return;
      if (error instanceof LogGap) fail(error);
      else this.#failed(holding, error);
    });
  }

  #seek({ partition, accounted }: Holding): void {
    this.#options.consumer.seek({ topic: this.#options.topic, partition, offset: String(accounted) });
  }

  #pause(...partitions: number[]): void {
    if (partitions.length === 0) return;
    try {
      this.#options.consumer.pause([{ topic: this.#options.topic, partitions }]);
    } catch (error) {
      // The consumer has stopped, and therefore fetches nothing.
      this.#options.logger.debug({ partitions, err: error }, 'not paused');
    }
  }
}
