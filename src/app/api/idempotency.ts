import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/canonical-json.ts';

/** What was answered to a request. */
export interface Answer {
  status: number;
  body: unknown;
}

interface Remembered {
  digest: string;
  answer: Promise<Answer>;
}

const REMEMBERED_MAX = 10_000;

/** The key was used for something else. */
export class KeyReused extends Error {
  override readonly name = 'KeyReused';
}

/**
 * One answer for one (subject, key), however often it is asked for, also at once. The id of the decision derives from the
 * two, so a repetition that reaches another process, or this one after a restart, changes nothing in the log either.
 */
export class Idempotency {
  readonly #remembered = new Map<string, Remembered>();

  static decisionId(subject: string, key: string): string {
    return `api-${createHash('sha256').update(`${subject}\n${key}`).digest('hex').slice(0, 32)}`;
  }

  /** `replayed`: it was answered before. Throws `KeyReused` when the key was used for another request. */
  async once(id: string, request: unknown, act: () => Promise<Answer>): Promise<Answer & { replayed: boolean }> {
    const digest = createHash('sha256').update(canonicalJson(request)).digest('hex');
    const known = this.#remembered.get(id);
    if (known !== undefined) {
      if (known.digest !== digest) throw new KeyReused('the idempotency key was used for another request');
      return { ...(await known.answer), replayed: true };
    }
    const answer = act();
    this.#remembered.set(id, { digest, answer });
    if (this.#remembered.size > REMEMBERED_MAX) this.#remembered.delete(this.#remembered.keys().next().value!);
    // What failed is not an answer: the same request may be tried again.
    answer.catch(() => this.#remembered.delete(id));
    return { ...(await answer), replayed: false };
  }
}
