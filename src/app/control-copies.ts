import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { formatInstant } from '../domain/instant.ts';
import type { Output, OwnerRecord, RelayedTopic } from '../domain/output.ts';
import { controlKey, partitionOf } from '../domain/partitioner.ts';
import type { RawRecord, RecordBody, Refusal } from '../domain/record.ts';
import { decodeRecord } from '../formats/log-record.ts';
import type { Keyring } from '../formats/signature.ts';
import type { Outlet } from '../ports.ts';
import type { CopiedFrom, Copier } from './relay.ts';

export interface ControlCopyParts {
  from: RelayedTopic;
  outlet: Outlet;
  keyring: Keyring;
  /** Partitions of the log. */
  partitions: number;
  logger: Logger;
}

/** What each topic may carry. Whoever may write acknowledgements must not decide with them. */
const CARRIES: Record<RelayedTopic, RecordBody['type']> = { acks: 'acknowledgement', decisions: 'decision' };

/**
 * Copies what others say in a topic of their own into the log, where everything stands that can change a decision. Their
 * signature is looked at here; the copy is signed by the owner, and says where and when the original came. A crash repeats
 * copies, with the same ids: a control record changes nothing when it is repeated.
 */
export function controlCopier(parts: ControlCopyParts): Copier {
  return async (from, records) => {
    const outputs = records.flatMap((record) => copiesOf(from, record, parts));
    await parts.outlet.publish(outputs);
    const refused = outputs.filter(({ topic }) => topic === 'quarantine').length;
    return { copied: outputs.length - refused, refused };
  };
}

function copiesOf({ topicId, partition }: CopiedFrom, raw: RawRecord, parts: ControlCopyParts): Output[] {
  const { from, keyring, partitions, logger } = parts;
  const { body } = decodeRecord(raw, keyring);
  const offset = String(raw.offset);
  const position = { topicId, partition, offset };
  const refused = (refusal: Refusal, reason: string): Output[] => {
    logger.warn({ topic: from, ...position, refusal, reason }, 'not relayed');
    return [{ topic: 'quarantine', key: raw.key, raw, refusal, reason, position, from }];
  };
  if (body.type === 'refused') return refused(body.refusal, body.reason);
  if (body.type !== CARRIES[from]) {
    return refused('unknown_type', `type: found ${body.type}, allowed in ${from}: ${CARRIES[from]}`);
  }
  const digest = createHash('sha256').update([topicId, partition, offset].join('\n')).digest('hex');
  const id = `${from}-${digest.slice(0, 32)}`;
  const relayed = { from, partition, offset, at: formatInstant(raw.appendMs) };
  switch (body.type) {
    case 'acknowledgement': {
      const { acknowledgement } = body;
      const copy = { ...acknowledgement, id, relayed: { ...relayed, id: acknowledgement.id } };
      return saidTo(acknowledgement.session, { type: 'command.acknowledged.v1', body: copy }, partitions);
    }
    case 'decision': {
      const { decision } = body;
      const copy = { ...decision, id, relayed: { ...relayed, id: decision.id } };
      return saidTo(decision.session, { type: 'decision.v1', body: copy }, partitions);
    }
    default:
      return refused('unknown_type', `type: found ${body.type}`);
  }
}

/** A control record to the partition of its session; without one to every partition. */
export function saidTo(session: string | undefined, record: OwnerRecord, partitions: number): Output[] {
  if (session !== undefined) {
    return [{ topic: 'actions', key: session, partition: partitionOf(session, partitions), record }];
  }
  return Array.from({ length: partitions }, (_, partition) => ({
    topic: 'actions',
    key: controlKey(partition),
    partition,
    record,
  }));
}
