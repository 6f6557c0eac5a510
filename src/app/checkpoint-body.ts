import { z } from 'zod';
import { canonicalJson } from '../domain/canonical-json.ts';
import { PartitionState } from '../engine/partition.ts';

/**
 * What a checkpoint says of a partition besides its sessions: the engine's state, and what proves on the next start
 * that the log is still the one that was read.
 */
const CheckpointBody = z.strictObject({
  topicId: z.string(),
  partitions: z.int().positive(),
  /** The last record that was delivered: its offset and the SHA-256 of its value. */
  last: z.strictObject({ offset: z.int().nonnegative(), sha256: z.string() }).optional(),
  state: PartitionState,
});
export type CheckpointBody = z.infer<typeof CheckpointBody>;

export function encodeCheckpointBody(body: CheckpointBody): Uint8Array {
  return Buffer.from(canonicalJson(body), 'utf8');
}

/** Throws a ZodError or a SyntaxError for bytes of another program: state that cannot be trusted. */
export function decodeCheckpointBody(bytes: Uint8Array): CheckpointBody {
  return CheckpointBody.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
}
