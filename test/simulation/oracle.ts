import type { RawRecord } from '../../src/domain/record.ts';
import { Partition } from '../../src/engine/partition.ts';
import type { Plan } from '../../src/engine/plan/policy.ts';
import { encodeSession } from '../../src/engine/session/codec.ts';
import { step } from '../../src/engine/step.ts';
import { decodeRecord } from '../../src/formats/log-record.ts';
import type { Keyring } from '../../src/formats/signature.ts';

export interface PartitionOutcome {
  partition: string;
  sessions: Record<string, string>;
  commands: string[];
  /** The command that each session's latest verdict names. */
  verdicts: Record<string, string>;
}

/** What one partition's log comes to in a single process that never fails. States as hex, so that a diff shows. */
export function outcomeOf(
  topicId: string,
  home: { partition: number; partitions: number },
  records: readonly RawRecord[],
  plans: readonly Plan[],
  keyring?: Keyring,
): PartitionOutcome {
  const partition = new Partition(topicId, home.partition);
  for (const plan of plans) partition.plans.set(plan.hash, plan);
  const commands = new Set<string>();
  const verdicts: Record<string, string> = {};
  for (const raw of records) {
    for (const output of step(partition, decodeRecord(raw, keyring, home))) {
      if (output.topic === 'commands') commands.add(output.command.id);
      if (output.topic === 'verdicts') verdicts[output.verdict.session] = output.verdict.command;
    }
  }
  const sessions = [...partition.sessions.values()].map(
    (session) => [session.id, hex(encodeSession(session))] as const,
  );
  return {
    partition: JSON.stringify(partition.state),
    sessions: Object.fromEntries(sessions.sort(([a], [b]) => (a < b ? -1 : 1))),
    commands: [...commands].sort(),
    verdicts,
  };
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
