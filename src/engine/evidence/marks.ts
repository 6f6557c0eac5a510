import type { ActionEvent } from '../../domain/event.ts';
import { fingerprint } from '../fingerprint.ts';
import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { CheckedIntent } from './intent.ts';
import type { Touch } from './session-evidence.ts';

/** Values of one session told apart for one intent. Beyond, every value counts as new: the bound errs to more. */
const SEEN_MAX = 64;

/** What an intent has to remember of a session besides its evidence: which values were marked, and if it is staged. */
export class MarkMemory {
  staged = false;
  readonly #seen: number[] = [];

  /** Whether the value is new in this session; it is not any more afterwards. */
  admit(value: string): boolean {
    const mark = fingerprint(value);
    if (this.#seen.includes(mark)) return false;
    if (this.#seen.length < SEEN_MAX) this.#seen.push(mark);
    return true;
  }

  write(to: ByteWriter): void {
    to.flag(this.staged);
    to.count(this.#seen.length);
    for (const value of this.#seen) to.count(value);
  }

  static read(from: ByteReader): MarkMemory {
    const memory = new MarkMemory();
    memory.staged = from.flag();
    const size = from.length();
    for (let i = 0; i < size; i++) memory.#seen.push(from.count());
    return memory;
  }
}

/** Whether benign sessions of the session's cohort were seen with a value, for the intent at this place. */
export type IsKnown = (intent: number, value: string) => boolean;

/**
 * The marks of one action, in the order of the intents. A function of the event and of what this session did before:
 * `memories` are changed. An action cannot stage itself.
 */
export function marksOf(
  intents: readonly CheckedIntent[],
  memoryOf: (intent: number) => MarkMemory,
  event: ActionEvent,
  isKnown: IsKnown,
): Touch[] {
  const touches: Touch[] = [];
  for (let i = 0; i < intents.length; i++) {
    const { test, after, weight, mark } = intents[i]!;
    const staged = after === undefined || memoryOf(i).staged;
    if (staged && test(event)) {
      const value = markOf(mark, event, memoryOf, i, isKnown) * weight(event);
      if (value > 0) touches.push({ feature: i, mark: value });
    }
    if (!staged && after!(event)) memoryOf(i).staged = true;
  }
  return touches;
}

function markOf(
  mark: CheckedIntent['mark'],
  event: ActionEvent,
  memoryOf: (intent: number) => MarkMemory,
  intent: number,
  isKnown: IsKnown,
): number {
  switch (mark.kind) {
    case 'count':
      return 1;
    case 'amount': {
      const value = mark.value(event);
      return value > 0 ? Math.min(value / mark.cap, 1) : 0;
    }
    case 'distinct':
    case 'novel': {
      let found = 0;
      for (const value of mark.values(event)) {
        if (mark.kind === 'novel' && isKnown(intent, value)) continue;
        if (memoryOf(intent).admit(value)) found = 1;
      }
      return found;
    }
    default:
      return mark satisfies never;
  }
}
