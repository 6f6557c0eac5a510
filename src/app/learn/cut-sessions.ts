import type { Decision } from '../../domain/decision.ts';
import type { RecordBody } from '../../domain/record.ts';

/** What a record says of who stopped a session or let it go on, and no more of it. */
export type Verdict = { session: string; by: 'firebreak' | Decision['kind'] };

export function verdictOf(body: RecordBody): Verdict | undefined {
  if (body.type === 'published') {
    const { session } = body.published;
    return session === undefined ? undefined : { session, by: 'firebreak' };
  }
  if (body.type !== 'decision' || body.decision.session === undefined) return undefined;
  return { session: body.decision.session, by: body.decision.kind };
}

/**
 * Sessions that do not show what honest work does: Firebreak cut them short, or a person found them wrong. A log says so
 * itself, by the records of its commands and of the decisions about them.
 *
 *   a command was published    cut short: how far it would have gone is not known
 *   a person released it       reviewed: it counts, it was let go on
 *   a person rejected it, or   wrong, whatever was said before or after
 *   ordered pause or kill
 */
export class CutSessions {
  readonly #stopped = new Set<string>();
  readonly #wrong = new Set<string>();

  note({ session, by }: Verdict): void {
    if (by === 'firebreak') this.#stopped.add(session);
    else if (by === 'release') this.#stopped.delete(session);
    else if (by !== 'lift') this.#wrong.add(session);
  }

  sessions(): Set<string> {
    return new Set([...this.#stopped, ...this.#wrong]);
  }
}
