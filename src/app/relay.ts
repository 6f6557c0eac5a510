import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Stats } from '../adapters/telemetry/stats.ts';
import { formatInstant } from '../domain/instant.ts';
import type { Output, OwnerRecord, RelayedTopic } from '../domain/output.ts';
import { controlKey, partitionOf } from '../domain/partitioner.ts';
import type { RawRecord, RecordBody, Refusal } from '../domain/record.ts';
import { decodeRecord } from '../formats/log-record.ts';
import type { Keyring } from '../formats/signature.ts';
import type { Assignment, Batch, Clock, LogReader, LogSource, Outlet } from '../ports.ts';

export interface RelayParts {
  from: RelayedTopic;
  /** A new reader of the topic: each one runs once. */
  open(): LogSource;
  outlet: Outlet;
  keyring: Keyring;
  /** Partitions of the log. */
  partitions: number;
  stats: Stats;
  clock: Clock;
  logger: Logger;
}

const AGAIN_AFTER_MS = 5000;

/** What each topic may carry. Whoever may write acknowledgements must not decide with them. */
const CARRIES: Record<RelayedTopic, RecordBody['type']> = { acks: 'acknowledgement', decisions: 'decision' };

/**
 * Copies what others write to a topic of their own into the log, where everything stands that can change a decision.
 * Their signature is looked at here; the copy is signed by the owner, and says where and when the original came. The
 * offset is committed after the copy is acknowledged, so a crash repeats copies, with the same ids: a control record
 * changes nothing when it is repeated.
 */
export class Relay implements LogReader {
  readonly #parts: RelayParts;
  readonly #topicIds = new Map<number, string>();
  readonly #stopped = new AbortController();
  #source: LogSource | undefined;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** Runs until `stop`, and never rejects: without acknowledgements sessions are judged all the same. */
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

  async assigned({ partition, topicId, committed, low, high }: Assignment): Promise<number> {
    this.#topicIds.set(partition, topicId);
    const next = committed ?? low;
    if (next >= low && next <= high) return next;
    this.#parts.logger.error(
      { topic: this.#parts.from, partition, committed, low, high },
      'records were removed before they were relayed: passed over',
    );
    return low;
  }

  async batch({ partition, records, next }: Batch): Promise<void> {
    const { outlet, stats, from } = this.#parts;
    const outputs = records.flatMap((record) => this.#copies(partition, record));
    await outlet.publish(outputs);
    for (const { topic } of outputs) stats.relayed[from][topic === 'quarantine' ? 'refused' : 'copied']++;
    await this.#source?.commit(partition, next);
  }

  #copies(partition: number, raw: RawRecord): Output[] {
    const { from, keyring } = this.#parts;
    const { body } = decodeRecord(raw, keyring);
    const position = { topicId: this.#topicIds.get(partition)!, partition, offset: String(raw.offset) };
    const refused = (refusal: Refusal, reason: string): Output[] => {
      this.#parts.logger.warn({ topic: from, ...position, refusal, reason }, 'not relayed');
      return [{ topic: 'quarantine', key: raw.key, raw, refusal, reason, position, from }];
    };
    if (body.type === 'refused') return refused(body.refusal, body.reason);
    if (body.type !== CARRIES[from]) {
      return refused('unknown_type', `type: found ${body.type}, allowed in ${from}: ${CARRIES[from]}`);
    }
    const { topicId, offset } = position;
    const digest = createHash('sha256').update([topicId, partition, offset].join('\n')).digest('hex');
    const id = `${from}-${digest.slice(0, 32)}`;
    const relayed = { from, partition, offset, at: formatInstant(raw.appendMs) };
    switch (body.type) {
      case 'acknowledgement': {
        const { acknowledgement } = body;
        return this.#said(acknowledgement.session, {
          type: 'command.acknowledged.v1',
          body: { ...acknowledgement, id, relayed: { ...relayed, id: acknowledgement.id } },
        });
      }
      case 'decision': {
        const { decision } = body;
        return this.#said(decision.session, {
          type: 'decision.v1',
          body: { ...decision, id, relayed: { ...relayed, id: decision.id } },
        });
      }
      default:
        return refused('unknown_type', `type: found ${body.type}`);
    }
  }

  #said(session: string | undefined, record: OwnerRecord): Output[] {
    return saidTo(session, record, this.#parts.partitions);
  }
}

/** A control record to the partition of its session; without one to every partition. */
export function saidTo(session: string | undefined, record: OwnerRecord, partitions: number): Output[] {
  if (session !== undefined) {
    return [{ topic: 'actions', key: session, partition: partitionOf(session, partitions), record }];
  }
  return Array.from({ length: partitions }, (_, partition) => ({
    topic: 'actions',
    key: controlKey(partition),
    partition,
    record,
  }));
}
