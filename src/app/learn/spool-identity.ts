import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { PolicyBody } from '../../domain/rule.ts';
import { numbersMeaning } from '../../engine/plan/learned.ts';
import type { SpoolIdentity } from './spool.ts';
import { subjectOf } from './subject.ts';

/** The shape of what a spool holds: another one is another number. */
const FORMAT = 1;

/**
 * What decides what is kept of a log. Titles, modes, thresholds and budgets do not: a run may be resumed under others.
 * `input` says what is read, as whoever opened it tells inputs apart.
 */
export function spoolIdentity({
  body,
  benign,
  input,
  version,
}: {
  body: PolicyBody;
  benign: readonly string[] | undefined;
  input: unknown;
  version: string;
}): SpoolIdentity {
  const { intents, numbers, cohortBy, split } = subjectOf(body);
  const { idleEndMs, maxLifetimeMs, delayMs } = body.settings;
  return {
    version: { format: FORMAT, version },
    input,
    'set of rules': digest([
      intents.map(({ intent, meaning }) => [intent.id, meaning]),
      numbers.rules.map((rule) => [rule.id, numbersMeaning(rule)]),
    ]),
    'set of settings': { cohortBy, split, idleEndMs, maxLifetimeMs, delayMs },
    'set of labels': benign === undefined ? null : digest([...benign].sort()),
  };
}

function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
