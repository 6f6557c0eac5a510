import type { Activation, ActivationHistory } from '../adapters/kafka/activation-history.ts';
import { formatInstant } from '../domain/instant.ts';
import type { Output } from '../domain/output.ts';
import { controlKey } from '../domain/partitioner.ts';
import type { PolicyActivated } from '../domain/record.ts';
import type { PolicyBody } from '../domain/rule.ts';
import type { Clock, Outlet, PolicyLibrary } from '../ports.ts';
import { policyBytes } from './rule-folder.ts';

export interface ActivationParts {
  library: PolicyLibrary;
  outlet: Outlet;
  history: Pick<ActivationHistory, 'add'>;
  clock: Clock;
  partitions: number;
}

/**
 * Makes a policy judge: first its body, then one record in every partition. Each partition changes over at its own
 * record; a crash in between leaves the rest to whoever repeats the call, which changes nothing where it took effect.
 * Partition 0 comes last: where it follows a policy, all do, and so its owner knows whether to repeat. The history says
 * the same to everybody else.
 *
 *   body ──► history: begun ──► partitions 1 … n ──► partition 0 ──► history: complete
 */
export async function activate(body: PolicyBody, by: string, parts: ActivationParts): Promise<PolicyActivated> {
  const { library, outlet, history, clock, partitions } = parts;
  const stored = await library.put(policyBytes(body));
  const policy = { ...stored, by };
  const { hash, chunks, engine } = stored;
  const activation = { hash, chunks, engine, by, at: formatInstant(clock.nowMs()) };
  await history.add({ ...activation, state: 'begun' });
  const [first, ...others] = Array.from({ length: partitions }, (_, partition): Output => {
    const record = { type: 'policy.activated.v1', body: policy } as const;
    return { topic: 'actions', key: controlKey(partition), partition, record };
  });
  if (others.length > 0) await outlet.publish(others);
  await outlet.publish([first!]);
  await history.add({ ...activation, state: 'complete' });
  return policy;
}

/** Why a policy is, or is not, to be activated over those that were in force, the newest last. A closed set. */
export type ActivationAdvice = 'new' | 'in_force' | 'superseded';

/** An old folder on a restarted machine must not bring back a policy that people have replaced. */
export function adviseActivation(hash: string, past: readonly Pick<Activation, 'hash' | 'state'>[]): ActivationAdvice {
  const last = past.at(-1);
  // What was begun reached some partitions: it is repeated.
  if (last?.hash === hash) return last.state === 'complete' ? 'in_force' : 'new';
  return past.some((one) => one.hash === hash) ? 'superseded' : 'new';
}

/**
 * The same for the owner of a partition that has read its log to the end. What the partition follows counts; the
 * history knows what the log has lost.
 */
export function adviseOwner(
  hash: string,
  { policy, superseded }: { policy?: PolicyActivated | undefined; superseded: readonly string[] },
  history: readonly Activation[],
): ActivationAdvice {
  const past = adviseActivation(hash, history);
  if (policy === undefined) {
    // The log has forgotten the policy that is in force: it has to be said again.
    return past === 'in_force' ? 'new' : past;
  }
  if (policy.hash === hash) return 'in_force';
  const last = history.at(-1);
  if (last?.hash === hash && last.state === 'begun') return 'new';
  return past !== 'new' || superseded.includes(hash) ? 'superseded' : 'new';
}
