import type { Output } from '../domain/output.ts';
import { controlKey } from '../domain/partitioner.ts';
import type { PolicyActivated } from '../domain/record.ts';
import type { PolicyBody } from '../domain/rule.ts';
import type { PartitionState } from '../engine/partition.ts';
import type { Outlet, PolicyLibrary } from '../ports.ts';
import { policyBytes } from './rule-folder.ts';

/**
 * Makes a policy judge: first its body, then one record in every partition. Each partition changes over at its own
 * record; a crash in between leaves the rest to whoever repeats the call, which changes nothing where it took effect.
 */
export async function activate(
  body: PolicyBody,
  by: string,
  { library, outlet, partitions }: { library: PolicyLibrary; outlet: Outlet; partitions: number },
): Promise<PolicyActivated> {
  const policy = { ...(await library.put(policyBytes(body))), by };
  const outputs = Array.from({ length: partitions }, (_, partition): Output => {
    return {
      topic: 'actions',
      key: controlKey(partition),
      partition,
      record: { type: 'policy.activated.v1', body: policy },
    };
  });
  await outlet.publish(outputs);
  return policy;
}

/** Why a policy is, or is not, to be activated over what a partition follows. A closed set. */
export type ActivationAdvice = 'new' | 'in_force' | 'superseded';

/** An old folder on a restarted machine must not bring back a policy that people have replaced. */
export function adviseActivation(hash: string, { policy, superseded }: PartitionState): ActivationAdvice {
  if (policy?.hash === hash) return 'in_force';
  return superseded.includes(hash) ? 'superseded' : 'new';
}
