import type { Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { Clock, LogReader, LogSource } from '../../ports.ts';
import { DeliveryRoom } from './delivery.ts';
import { PartitionClient } from './partition-client.ts';
import { SourceFailed, watchProgress } from './source-failed.ts';

export interface KafkaLogSourceOptions {
  /** Must not be shared with another consumer of the same group: kafkajs keeps the group's offsets in it. */
  kafka: Kafka;
  groupId: string;
  topic: string;
  /** Id of this incarnation of the topic. */
  topicId: string;
  partitions: number;
  clock: Clock;
  logger: Logger;
  /** How long the consumer may show no sign of life before `run` rejects. */
  stallMs?: number;
}

/** How much is fetched at once, and how long an empty fetch waits. The benchmark's null consumer fetches the same. */
export const FETCHING = { maxWaitTimeInMs: 250, maxBytesPerPartition: 256 * 1024, maxBytes: 2 * 1024 * 1024 };

const STALL_MS = 60_000;
const STOP_MS = 10_000;
const DRAIN_MS = 5000;

/**
 * `LogSource` on a kafkajs consumer group. kafkajs does the membership and the fetching and is believed in nothing
 * else: where to read, what was read, and who may still act is decided here and in `DeliveryRoom`.
 *
 *   GROUP_JOIN: old assignments lost, all partitions paused ──► per partition: reader.assigned ──► verify ──► seek,
 *   resume ──► eachBatch: begins where it must? ──► reader.batch, piece by piece ──► resolve
 */
export class KafkaLogSource implements LogSource {
  readonly #options: KafkaLogSourceOptions;
  readonly #consumer: Consumer;
  readonly #client: PartitionClient;
  readonly #ended: Promise<void>;
  #end!: { resolve: () => void; reject: (error: Error) => void };
  #room: DeliveryRoom | undefined;
  #finished: Promise<void> | undefined;

  constructor(options: KafkaLogSourceOptions) {
    this.#options = options;
    this.#ended = new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    this.#ended.catch(() => undefined); // `run` tells it; it may fail before `run` waits for it
    this.#client = new PartitionClient(options.kafka);
    this.#consumer = options.kafka.consumer({
      groupId: options.groupId,
      allowAutoTopicCreation: false,
      readUncommitted: true,
      ...FETCHING,
      sessionTimeout: 10_000,
      heartbeatInterval: 1000,
      rebalanceTimeout: 15_000,
      metadataMaxAge: 30_000,
    });
  }

  run(reader: LogReader): Promise<void> {
    if (this.#finished !== undefined) throw new Error('a source runs once');
    this.#finished = this.#run(reader);
    return this.#finished;
  }

  async commit(partition: number, next: number): Promise<void> {
    const { topic, logger } = this.#options;
    if (!this.#room?.holds(partition)) {
      logger.debug({ partition, next }, 'offset not committed: the partition is not held');
      return;
    }
    try {
      await this.#consumer.commitOffsets([{ topic, partition, offset: String(next) }]);
    } catch (error) {
      // Only lag monitoring sees less; who owns the partition is decided by the state store.
      logger.warn({ partition, next, err: error }, 'offset not committed');
    }
  }

  reassign(partition: number): void {
    this.#room?.reassign(partition);
  }

  async stop(): Promise<void> {
    this.#end.resolve();
    await this.#finished?.catch(() => undefined); // told by `run`
  }

  async #run(reader: LogReader): Promise<void> {
    const { topic, partitions, clock, stallMs = STALL_MS } = this.#options;
    const consumer = this.#consumer;
    const watch = watchProgress(clock, stallMs, (error) => this.#end.reject(error));
    const room = new DeliveryRoom({
      ...this.#options,
      consumer,
      client: this.#client,
      reader,
      onProgress: watch.sign,
      fail: (error) => this.#end.reject(error),
    });
    this.#room = room;
    const { GROUP_JOIN, FETCH, START_BATCH_PROCESS, END_BATCH_PROCESS, CRASH } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }: ConsumerGroupJoinEvent) => {
      watch.sign();
      room.joined(payload.memberAssignment[topic] ?? []);
    });
    consumer.on(FETCH, watch.sign);
    consumer.on(START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) room.passedOver(payload);
    });
    consumer.on(END_BATCH_PROCESS, watch.sign);
    consumer.on(CRASH, ({ payload }: ConsumerCrashEvent) => {
      room.endAll();
      if (!payload.restart) this.#end.reject(new SourceFailed('crashed', payload.error.message, payload.error));
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: Math.min(8, partitions),
        eachBatch: (payload: EachBatchPayload) => room.deliver(payload),
      });
      await this.#ended;
    } catch (error) {
      watch.end();
      await this.#shutDown(room, 0).catch((late: Error) => this.#options.logger.error({ err: late }, 'not shut down'));
      throw error;
    }
    watch.end();
    await this.#shutDown(room, DRAIN_MS);
  }

  /** Lets running batches finish for a while, then ends what is left. */
  async #shutDown(room: DeliveryRoom, drainMs: number): Promise<void> {
    const { clock, topic } = this.#options;
    const late = new AbortController();
    const within = (durationMs: number, work: Promise<unknown>) =>
      Promise.race([
        work.then(() => 'done' as const),
        clock.sleep(durationMs, late.signal).then(() => 'late' as const),
      ]);
    try {
      const startedMs = clock.monotonicMs();
      room.close();
      await within(drainMs, room.idle());
      room.endAll();
      const leftMs = STOP_MS - (clock.monotonicMs() - startedMs);
      const left = await within(leftMs, Promise.all([this.#consumer.disconnect(), room.idle()]));
      if (left === 'late') {
        const busy = room.busy().map((partition) => `${topic}/${partition}`);
        throw new SourceFailed(
          'stop_late',
          `not ended after ${STOP_MS} ms; still busy: ${busy.join(', ') || 'kafkajs'}`,
        );
      }
    } finally {
      late.abort();
      await this.#client.close();
    }
  }
}
