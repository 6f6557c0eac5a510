import { rename, rm, writeFile } from 'node:fs/promises';
import type { Baseline, BaselineDocument } from '../../domain/baseline.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { type Move, movesBeyond } from './moves.ts';

/**
 * Writes a learned baseline to `out`, or beside it where it moved further from the one before than one version may: that
 * one then stays in use until a person has looked. Without `previous` nothing holds it. Only what is taken over is signed:
 * a signature says that it may judge. Answers where it is written, the key that signed it, and the moves that held it back.
 */
export async function handOver(
  baseline: Baseline,
  out: string,
  previous: Baseline | undefined,
  sign: ((baseline: Baseline) => BaselineDocument) | undefined,
): Promise<{ file: string; signedBy: string | undefined; held: Move[] }> {
  const held = previous === undefined ? [] : movesBeyond(previous, baseline);
  const proposed = `${out}.proposed`;
  const file = held.length > 0 ? proposed : out;
  const document: BaselineDocument = held.length > 0 || sign === undefined ? baseline : sign(baseline);
  await writeBaseline(file, document);
  if (file === out) await rm(proposed, { force: true });
  return { file, signedBy: document.signature?.key, held };
}

/** A baseline that is half written is never taken for one. */
export async function writeBaseline(file: string, document: BaselineDocument): Promise<void> {
  await writeFile(`${file}.new`, `${canonicalJson(document)}\n`);
  await rename(`${file}.new`, file);
}
