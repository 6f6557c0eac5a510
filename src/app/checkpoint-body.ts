import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../domain/canonical-json.ts';
import { Verdict } from '../domain/output.ts';
import type { RawRecord } from '../domain/record.ts';
import { PartitionState } from '../engine/partition-state.ts';

/**
 * What a checkpoint says of a partition besides its sessions: the engine's state, and what proves on the next start
 * that the log is still the one that was read.
 */
const CheckpointBody = z.strictObject({
  topicId: z.string(),
  partitions: z.int().positive(),
  /** The last record that was delivered: its offset and the SHA-256 of its value. */
  last: z.strictObject({ offset: z.int().nonnegative(), sha256: z.string() }).optional(),
  /** Only while the log is read again: how far somebody had read it, and the verdicts that are held back till there. */
  repetition: z.strictObject({ until: z.int().nonnegative(), held: z.array(Verdict) }).optional(),
  state: PartitionState,
});
export type CheckpointBody = z.infer<typeof CheckpointBody>;

/** Stored state that this program cannot go on from: it is thrown away, and the log makes it anew. */
export class StateUnusable extends Error {
  override readonly name = 'StateUnusable';
}

export function encodeCheckpointBody(body: CheckpointBody): Uint8Array {
  return Buffer.from(canonicalJson(body), 'utf8');
}

export function decodeCheckpointBody(bytes: Uint8Array): CheckpointBody {
  return usable('the state of the partition', () =>
    CheckpointBody.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))),
  );
}

/** What `read` makes of stored bytes. Whatever it throws means that they are damaged, or of another program. */
export function usable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new StateUnusable(`${what}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

export function digestOf({ value }: RawRecord): string {
  return createHash('sha256')
    .update(value ?? '')
    .digest('hex');
}
