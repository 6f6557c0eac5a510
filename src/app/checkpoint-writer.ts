import type { Checkpoint, Tenure } from '../ports.ts';

type Changes = ReadonlyMap<string, Uint8Array | null>;

/** Writes the changes in parts that the store takes at once; the last one moves the consistent point. */
export async function writeCheckpoint(tenure: Tenure, changes: Changes, checkpoint: Checkpoint): Promise<void> {
  const chunks = chunksOf(changes, tenure.chunkMax);
  const last = chunks.pop()!;
  for (const sessions of chunks) await tenure.write({ sessions });
  await tenure.write({ sessions: last, checkpoint });
}

/** At least one part, in the order of the changes. */
function chunksOf(changes: Changes, max: Tenure['chunkMax']): Changes[] {
  let chunk = new Map<string, Uint8Array | null>();
  const chunks = [chunk];
  let bytes = 0;
  for (const [id, state] of changes) {
    const size = id.length + (state?.length ?? 0);
    if (chunk.size >= max.sessions || (chunk.size > 0 && bytes + size > max.bytes)) {
      chunk = new Map();
      chunks.push(chunk);
      bytes = 0;
    }
    chunk.set(id, state);
    bytes += size;
  }
  return chunks;
}
