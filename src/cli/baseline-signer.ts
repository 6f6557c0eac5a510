import { systemClock } from '../adapters/system-clock.ts';
import { readKeyFile } from '../app/keys.ts';
import type { Baseline, BaselineDocument } from '../domain/baseline.ts';
import { LEARNER, signBaseline } from '../formats/baseline-signature.ts';
import { signingKeyOf } from '../formats/signature.ts';

/** Throws where the key of the file may not sign baselines: nobody would believe it. */
export async function baselineSigner(file: string): Promise<(baseline: Baseline) => BaselineDocument> {
  const { key } = await readKeyFile(file);
  if (!key.roles.includes(LEARNER)) {
    const make = `firebreak keys make FILE --roles ${LEARNER}`;
    throw new Error(`${file}: its key has the role ${key.roles.join(', ')}; a baseline needs ${LEARNER} (${make})`);
  }
  const signing = signingKeyOf(key);
  return (baseline) => signBaseline(baseline, signing, systemClock.nowMs());
}
