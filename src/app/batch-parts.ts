import type { Partition } from '../engine/partition.ts';
import { steppedAtOnce } from '../engine/step.ts';
import type { Batch } from '../ports.ts';

/** The part of a batch that may be judged at once, mostly all of it; and what is left then. */
export function cutBatch(batch: Batch, partition: Partition): { part: Batch; left: Batch | undefined } {
  const { records } = batch;
  const count = steppedAtOnce(
    partition,
    records.map(({ appendMs }) => appendMs),
  );
  const behind = records[count];
  if (behind === undefined) return { part: batch, left: undefined };
  const next = behind.offset;
  return {
    part: { ...batch, next, records: records.slice(0, count) },
    left: { ...batch, first: next, records: records.slice(count) },
  };
}
