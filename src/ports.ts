import type { Output } from './domain/output.ts';
import type { PolicyActivated, RawRecord } from './domain/record.ts';

/**
 * What the application needs from the outside, and nothing about who provides it. Every port has at least two
 * adapters (memory counts) and one contract suite in test/contracts that all of them run.
 *
 * Errors: an adapter throws `TenureLost` where ownership ended, and any other error where the world failed. What a
 * failed call did is then unknown, and the caller acquires again instead of guessing.
 */

/** A partition that this process may read, valid until `lost` aborts (reassignment, stop). */
export interface Assignment {
  /** Id of this incarnation of the topic: part of every command id, other after the topic was made anew. */
  topicId: string;
  partition: number;
  /** Partition count of the topic. */
  partitions: number;
  /** First offset that the log still holds, and the one after its last. */
  low: number;
  high: number;
  /** Offset that the group committed last, if it ever did. It says how far somebody once was, nothing else. */
  committed: number | undefined;
  lost: AbortSignal;
  /** The record at that offset; undefined when the log no longer holds one there. */
  read(offset: number): Promise<RawRecord | undefined>;
  /** First offset whose append time is at or after `timeMs`; `high` when there is none. */
  offsetAt(timeMs: number): Promise<number>;
}

/** Consecutive records of one partition, at most a few hundred. */
export interface Batch {
  partition: number;
  /** Offset of the first position that this batch accounts for; equals the `next` of the previous one. */
  first: number;
  /** Offset after the last position that this batch accounts for, records or not (aborted, compacted away). */
  next: number;
  records: readonly RawRecord[];
  /** One after the last record that the log holds, as far as the source knows: `high - next` is the lag. */
  high: number;
  /** Keeps the membership alive during long work. Throws when it has ended. */
  heartbeat(): Promise<void>;
}

/** What the application does with a log. The later two may throw: the source then assigns the partition again. */
export interface LogReader {
  /** What this process holds from here on, and nothing else; each of them is assigned next. */
  held(partitions: readonly number[]): void;
  /** Takes the partition over. Nothing of it is delivered until the answer: the offset to begin at. */
  assigned(assignment: Assignment): Promise<number>;
  /** Never called twice at once for one partition; the next batch comes after the promise is fulfilled. */
  batch(batch: Batch): Promise<void>;
}

export interface LogSource {
  /**
   * Reads until `stop` (fulfilled) or until the source cannot go on (rejected: the process must exit).
   * A partition whose reader threw is assigned again after a growing delay; a gap between what was asked for and
   * what the log delivers rejects with the offsets, it is never skipped.
   */
  run(reader: LogReader): Promise<void>;
  /** Tells the group how far the partition is. Advisory: lag monitoring, never a starting point. */
  commit(partition: number, next: number): Promise<void>;
  /** Assigns a held partition again, because its state turned out to be lost. Nothing happens when it is not held. */
  reassign(partition: number): void;
  /** Ends the running batches, leaves the group, fulfils `run`. */
  stop(): Promise<void>;
}

/** The log does not hold what is next: records were deleted, or the log was cut or made anew, before they were judged. */
export class LogGap extends Error {
  override readonly name = 'LogGap';
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for. */
  readonly next: number;

  constructor(topic: string, partition: number, next: number, held: { low: number; high: number }) {
    const lost =
      next < held.low
        ? `records ${next} to ${held.low - 1} were deleted before they were judged`
        : `it ends before that: the topic was cut or made anew`;
    super(
      `${topic}/${partition}: offset ${next} is next, but the log holds ${held.low} to ${held.high}: ${lost}. ` +
        'Nothing is skipped: find out why (retention, deleted records, a new topic), then clear the state of the ' +
        'partition, which rebuilds it from what the log still holds',
    );
    this.topic = topic;
    this.partition = partition;
    this.next = next;
  }
}

/** The consistent point from which a partition is resumed. */
export interface Checkpoint {
  /** Offset of the first record that is not in the state. */
  next: number;
  /** What the application keeps of the partition besides its sessions, as it encoded it. */
  partition: Uint8Array;
  /** Sessions that the store holds at `next`. A `write` that would make it hold another number is refused. */
  sessions: number;
}

/** One script's worth of a checkpoint: sessions to write (bytes) or to delete (null). */
export interface Chunk {
  sessions: ReadonlyMap<string, Uint8Array | null>;
  /** Only in the last chunk: moves the consistent point. */
  checkpoint?: Checkpoint;
}

export interface StateStore {
  /**
   * Takes the partition from whoever has it (all older tenures are fenced from here) and puts the rollback journal
   * back, so that what it holds is exactly the state at `checkpoint.next`. `checkpoint` is undefined for a partition
   * that was never saved or whose state was lost.
   */
  acquire(partition: number): Promise<Tenure>;
  /**
   * Acquires, and throws away what is stored of the partition: whoever read it could not use it, for that reason. The
   * tenure is as if the partition had never been saved.
   */
  discard(partition: number, reason: string): Promise<Tenure>;
  close(): Promise<void>;
}

/**
 * Ownership of one partition's state under one token. Each method throws `TenureLost` once another owner came. Calls
 * run one after another; after any that failed, all later ones throw `TenureLost`.
 */
export interface Tenure {
  readonly checkpoint: Checkpoint | undefined;
  /** Why what was found was thrown away (then `checkpoint` is undefined). For the log. */
  readonly discarded: string | undefined;
  /**
   * The first `headerBytes` of every stored session: what the timer index is derived from. Whoever has read it empties
   * it: a tenure lasts long, and there may be a million.
   */
  readonly headers: Map<string, Uint8Array>;
  /** What one `write` may carry: the store serves nobody else meanwhile. */
  readonly chunkMax: { sessions: number; bytes: number };
  /** Bytes of each session, in order; undefined where there is none. */
  load(sessions: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** Writes one chunk, in sequence. On any error the outcome is unknown: acquire again. */
  write(chunk: Chunk): Promise<void>;
  /** Compares token, sequence, `next` and number of sessions with what this tenure wrote; throws on a difference. */
  probe(): Promise<void>;
}

/**
 * The store has another owner, another sequence, or other sessions than it must; or an earlier call of the tenure
 * failed, so that what the store holds is `unknown`. This memory is to be dropped.
 */
export class TenureLost extends Error {
  override readonly name = 'TenureLost';
  readonly reason: 'fenced' | 'rolled_back' | 'state_lost' | 'unknown';

  constructor(reason: TenureLost['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export interface Outlet {
  /**
   * Fulfilled when every output is durable (all in-sync replicas). Rejected otherwise, and then any part of them may
   * have been written: publishing the same outputs again is always right. The order per key is kept.
   * An output that the other side refuses for good is answered once by its minimal form (see `minimalForm`).
   */
  publish(outputs: readonly Output[]): Promise<void>;
  close(): Promise<void>;
}

/** Policy bodies by content. Bodies are written before the record that names them. */
export interface PolicyLibrary {
  /** The verified body: its SHA-256 is the hash. Throws when it is not there or another. */
  get(policy: PolicyActivated): Promise<Uint8Array>;
  put(body: Uint8Array): Promise<PolicyActivated>;
}

/** The only door to time outside `domain`, `engine`, `learning` and `formats`, where there is none. */
export interface Clock {
  /** Wall clock, ms since 1970. For records that people read, never for decisions. */
  nowMs(): number;
  /** Monotonic, ms. For deadlines and intervals. */
  monotonicMs(): number;
  /** Fulfilled after `durationMs`, or early when the signal aborts. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}
