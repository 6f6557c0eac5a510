import { rename, rm, writeFile } from 'node:fs/promises';
import type { Baseline } from '../../domain/baseline.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { type Move, movesBeyond } from './moves.ts';

/**
 * Writes a learned baseline to `out`, or beside it where it moved further from the one before than one version may: that
 * one then stays in use until a person has looked. Without `previous` nothing holds it. Answers where it is written, and the moves that held it back.
 */
export async function handOver(
  baseline: Baseline,
  out: string,
  previous: Baseline | undefined,
): Promise<{ file: string; held: Move[] }> {
  const held = previous === undefined ? [] : movesBeyond(previous, baseline);
  const proposed = `${out}.proposed`;
  const file = held.length > 0 ? proposed : out;
  // A baseline that is half written must not be taken for one.
  await writeFile(`${file}.new`, `${canonicalJson(baseline)}\n`);
  await rename(`${file}.new`, file);
  if (file === out) await rm(proposed, { force: true });
  return { file, held };
}
