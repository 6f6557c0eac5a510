import type { ActionEvent } from '../domain/event.ts';
import { NAME_MAX } from '../domain/event.ts';
import { crowdOf, isCrowdId } from '../engine/session/crowd-id.ts';
import { decodeRecord, type MustSign } from '../formats/log-record.ts';
import type { Keyring } from '../formats/signature.ts';
import type { Copier } from './relay.ts';

/**
 * The event as one of its agent's crowd: all sessions of the agent, judged together. Its session becomes the crowd, and so the
 * key of the log that it is copied to; the session it was is found as `rootSession`, unless that names another already.
 */
export function crowdCopy(event: ActionEvent): ActionEvent {
  const { session, rootSession, agent } = event;
  if (isCrowdId(session)) return event;
  return { ...event, session: crowdOf(agent.id).slice(0, NAME_MAX), rootSession: rootSession ?? session };
}

export interface CrowdCopyParts {
  /** Partitions of the log that is copied. */
  partitions: number;
  keyring: Keyring;
  mustSign: MustSign;
  /** In this order, each acknowledged before the answer. */
  write(copies: readonly ActionEvent[]): Promise<void>;
}

/**
 * Copies the actions of a log to that of the crowds. What is no action that the log's own analyzer would judge stays where it
 * is: it is quarantined there. `origin` makes a repeated copy known.
 */
export function crowdCopier({ partitions, keyring, mustSign, write }: CrowdCopyParts): Copier {
  return async ({ partition, topicId: log }, records) => {
    const copies: ActionEvent[] = [];
    let refused = 0;
    for (const raw of records) {
      const { body, offset } = decodeRecord(raw, keyring, { partition, partitions }, mustSign);
      if (body.type === 'action') copies.push({ ...crowdCopy(body.event), origin: { log, partition, offset } });
      else if (body.type === 'refused') refused++;
    }
    await write(copies);
    return { copied: copies.length, refused };
  };
}
