import type { Output } from '../domain/output.ts';
import { controlKey } from '../domain/partitioner.ts';

/** The log's own proof that a command is out. The time for an answer begins with it, not with our decision. */
export function publishedRecord(output: Output, partition: number): Output[] {
  if (output.topic !== 'commands') return [];
  const { id: command, session, scope } = output.command;
  const body = { command, ...(session === undefined ? {} : { session }), ...(scope === undefined ? {} : { scope }) };
  const record = { type: 'command.published.v1', body } as const;
  return [{ topic: 'actions', key: session ?? controlKey(partition), partition, record }];
}
