import type { RecordBody } from '../../domain/record.ts';

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

  note(body: RecordBody): void {
    if (body.type === 'published') {
      const { session } = body.published;
      if (session !== undefined) this.#stopped.add(session);
      return;
    }
    if (body.type !== 'decision' || body.decision.session === undefined) return;
    const { kind, session } = body.decision;
    if (kind === 'release') this.#stopped.delete(session);
    else if (kind !== 'lift') this.#wrong.add(session);
  }

  has(session: string): boolean {
    return this.#stopped.has(session) || this.#wrong.has(session);
  }
}
