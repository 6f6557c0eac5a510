import { goesBack } from '../recording.ts';
import { APPEND, AT, COLUMNS, type Digest, LOG, NAME, NOT_LEARNED, NOTE, SOURCE, TIME } from './digest.ts';

/**
 * Gives the lines of bare events their time of the log, which is never back in time. This cannot be done in parts: only
 * whoever sees all lines in their order knows it.
 */
export class LogClocks {
  readonly #names: readonly string[];
  readonly #delayMs: number;
  readonly #clocks = new Map<number, number>();

  /** An event may be late by `delayMs`; `names` are those of the sources. */
  constructor(names: readonly string[], delayMs: number) {
    this.#names = names;
    this.#delayMs = delayMs;
  }

  /** Whether the log had any event with a time. */
  has(log: number): boolean {
    return this.#clocks.has(log);
  }

  /** Writes the times into the rows. Answers how many of them are actions, and which are notes. */
  settle({ rows }: Digest): { actions: number; notes: number[] } {
    let actions = 0;
    const notes: number[] = [];
    for (let at = 0; at < rows.length; at += COLUMNS) {
      if (Number.isNaN(rows[at + APPEND])) rows[at + APPEND] = this.#timeOf(rows, at);
      const name = rows[at + NAME]!;
      if (name >= 0 || name === NOT_LEARNED) actions++;
      else if (name === NOTE) notes.push(at);
    }
    return { actions, notes };
  }

  #timeOf(rows: Float64Array, at: number): number {
    const log = rows[at + LOG]!;
    const timeMs = rows[at + TIME]!;
    const clockMs = this.#clocks.get(log);
    // Before the first event no session can wait for the time, so what time it is makes no difference.
    if (Number.isNaN(timeMs)) return clockMs ?? 0;
    if (clockMs !== undefined && clockMs - timeMs > this.#delayMs)
      throw goesBack(this.#names[rows[at + SOURCE]!]!, rows[at + AT]!, timeMs, clockMs, this.#delayMs);
    const now = Math.max(clockMs ?? timeMs, timeMs);
    this.#clocks.set(log, now);
    return now;
  }
}
