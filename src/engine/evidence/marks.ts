import type { ActionEvent } from '../../domain/event.ts';
import { fingerprint } from '../fingerprint.ts';
import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import type { CheckedIntent, Opening } from './intent.ts';
import type { Touch } from './session-evidence.ts';

/** Values of one session told apart for one intent. Beyond, every value counts as new: the bound errs to more. */
const SEEN_MAX = 64;

/** What an intent has to remember of a session besides its evidence: which values were marked, and what came before. */
export class MarkMemory {
  /** The action that has to come before a mark was there. */
  staged = false;
  /** An action passed the test of `after`, whether or not it counts as the one before. */
  #opened = false;
  /** Fingerprint of the tool of the first action that counts. */
  #tool = 0;
  /** Values that were new to the cohort in those actions. */
  readonly #strangers: number[] = [];
  readonly #seen: number[] = [];

  /** Takes in an action that may be the one before, for the intent at this place. Answers if it is. */
  stage({ test, novel, first }: Opening, event: ActionEvent, isKnown: IsKnown, intent: number): boolean {
    if (this.staged && novel === undefined) return false;
    if ((first && this.#opened) || !test(event)) return false;
    this.#opened = true;
    if (novel !== undefined) {
      const strangers = novel(event).filter((value) => !isKnown(intent, value));
      if (strangers.length === 0) return false;
      for (const value of strangers) {
        const stranger = fingerprint(value);
        if (this.#strangers.length < SEEN_MAX && !this.#strangers.includes(stranger)) this.#strangers.push(stranger);
      }
    }
    if (!this.staged) this.#tool = fingerprint(event.tool);
    this.staged = true;
    return true;
  }

  /** Whether an action before brought the value, new to the cohort. Beyond 64 of them, none is told apart: it did. */
  isStranger(value: string): boolean {
    return this.#strangers.length === SEEN_MAX || this.#strangers.includes(fingerprint(value));
  }

  /** Whether the tool is that of the first action that counts. */
  isSameTool({ tool }: ActionEvent): boolean {
    return this.#tool === fingerprint(tool);
  }

  /** Whether the value is new in this session; it is not any more afterwards. */
  admit(value: string): boolean {
    const mark = fingerprint(value);
    if (this.#seen.includes(mark)) return false;
    if (this.#seen.length < SEEN_MAX) this.#seen.push(mark);
    return true;
  }

  write(to: ByteWriter): void {
    to.flag(this.staged);
    to.flag(this.#opened);
    to.count(this.#tool);
    for (const values of [this.#strangers, this.#seen]) {
      to.count(values.length);
      for (const value of values) to.count(value);
    }
  }

  static read(from: ByteReader): MarkMemory {
    const memory = new MarkMemory();
    memory.staged = from.flag();
    memory.#opened = from.flag();
    memory.#tool = from.count();
    for (const values of [memory.#strangers, memory.#seen]) {
      const size = from.length();
      for (let i = 0; i < size; i++) values.push(from.count());
    }
    return memory;
  }
}

/** Whether benign sessions of the session's cohort were seen with a value, for the intent at this place. */
export type IsKnown = (intent: number, value: string) => boolean;

/**
 * The marks of one action, in the order of the intents. A function of the event and of what this session did before:
 * `memories` are changed. An action cannot stage itself. `onOpening` hears of which intents it is the action before.
 */
export function marksOf(
  intents: readonly CheckedIntent[],
  memoryOf: (intent: number) => MarkMemory,
  event: ActionEvent,
  isKnown: IsKnown,
  onOpening: (intent: number) => void = () => {},
): Touch[] {
  const touches: Touch[] = [];
  for (let i = 0; i < intents.length; i++) {
    const { test, after, weight, mark } = intents[i]!;
    const staged = after === undefined || memoryOf(i).staged;
    if (staged && test(event)) {
      const value = markOf(mark, event, memoryOf, i, isKnown) * weight(event);
      if (value > 0) touches.push({ feature: i, mark: value });
    }
    if (after !== undefined && memoryOf(i).stage(after, event, isKnown, i)) onOpening(i);
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
    case 'elsewhere':
      return memoryOf(intent).isSameTool(event) && mark.values(event).some((value) => !isKnown(intent, value)) ? 0 : 1;
    case 'again':
      return mark.values(event).some((value) => memoryOf(intent).isStranger(value)) ? 1 : 0;
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
