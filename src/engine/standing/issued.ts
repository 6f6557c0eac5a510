import { Command } from '../../domain/command.ts';
import { ACKNOWLEDGEMENTS, type Acknowledgement } from '../../domain/record.ts';
import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import { NEVER } from './pause.ts';

function bitOf(status: Acknowledgement['status']): number {
  return 1 << ACKNOWLEDGEMENTS.indexOf(status);
}
const ENFORCED = bitOf('enforced');

/** The last command of a session, and what became of it. All times are append times. */
export class Issued {
  readonly id: string;
  readonly atMs: number;
  /** What is published again, as JSON: its bytes must not depend on where it was kept. Absent once nothing is due. */
  text: string | undefined;
  /** Of the first record that says it is out; -1 before. */
  publishedMs = -1;
  attempts = 1;
  /** Of these, those to the last class of enforcers that it has reached. */
  tries = 1;
  /** So many classes of enforcers are to act, in the order of the policy. Never fewer for a later command. */
  reach = 1;
  /** When it is published again, or escalated. */
  dueMs = NEVER;
  /** Kinds of acknowledgement that came, as bits in the order of ACKNOWLEDGEMENTS. */
  acknowledged = 0;
  /** Actions of the session since, although it was to stop. */
  against = 0;
  lastAgainstMs = -1;

  constructor(id: string, atMs: number, text: string | undefined) {
    this.id = id;
    this.atMs = atMs;
    this.text = text;
  }

  /** Answers whether it is the first of its kind. */
  acknowledge(status: Acknowledgement['status']): boolean {
    const bit = bitOf(status);
    const first = (this.acknowledged & bit) === 0;
    this.acknowledged |= bit;
    return first;
  }

  /** Kinds of acknowledgement that came. */
  get statuses(): Acknowledgement['status'][] {
    return ACKNOWLEDGEMENTS.filter((status) => (this.acknowledged & bitOf(status)) !== 0);
  }

  /** Somebody is to confirm it still: it is published again when nobody does. */
  get isAwaited(): boolean {
    return this.text !== undefined;
  }

  /** An enforcer says that the command is done. */
  get isConfirmed(): boolean {
    return (this.acknowledged & ENFORCED) !== 0;
  }

  /** What is published again, but for who waits with it. Throws a RangeError where the text is no command: state that cannot be trusted. */
  republished(): Command {
    try {
      const command: unknown = JSON.parse(this.text ?? '');
      Command.parse(command);
      const { standby: _, ...repeated } = command as Command;
      return repeated;
    } catch (error) {
      throw new RangeError(`the stored command ${this.id} is none`, { cause: error });
    }
  }

  /** The next class is to act too: whether it confirms, is able or fails has to be heard anew. */
  reachNext(): void {
    this.reach++;
    this.tries = 0;
    this.acknowledged = 0;
  }

  /** Nothing is waited for any more. */
  settle(): void {
    this.dueMs = NEVER;
    this.text = undefined;
  }

  write(to: ByteWriter): void {
    to.text(this.id);
    to.optionalText(this.text);
    for (const value of [this.atMs, this.publishedMs, this.dueMs, this.lastAgainstMs]) to.number(value);
    to.count(this.attempts);
    to.count(this.tries);
    to.count(this.reach);
    to.count(this.acknowledged);
    to.count(this.against);
  }

  static read(from: ByteReader): Issued {
    const id = from.text();
    const text = from.optionalText();
    const issued = new Issued(id, from.number(), text);
    if (text !== undefined) issued.republished();
    issued.publishedMs = from.number();
    issued.dueMs = from.number();
    issued.lastAgainstMs = from.number();
    issued.attempts = from.count();
    issued.tries = from.count();
    issued.reach = from.count();
    issued.acknowledged = from.count();
    issued.against = from.count();
    return issued;
  }
}
