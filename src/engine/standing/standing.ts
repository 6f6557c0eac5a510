import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import { Issued } from './issued.ts';
import { NEVER, Pause } from './pause.ts';
import { Release } from './release.ts';

/** Answered requests that are remembered, so that a late answer hears why it changes nothing. */
const ANSWERED_MAX = 4;

/** What stands between a session and people: most sessions have none of it, all their life. */
export class Standing {
  /** The request that it waits on. Absent while only an order pauses it. */
  pause: Pause | undefined;
  release: Release | undefined;
  issued: Issued | undefined;
  /** Scope of the standing order that holds it. */
  order: string | undefined;
  /** The newest last. */
  answered: { command: string; decision: string }[] = [];

  noteAnswer(command: string, decision: string): void {
    this.answered = [...this.answered, { command, decision }].slice(-ANSWERED_MAX);
  }

  /** When the partition has to look at it although nothing comes; NEVER while nothing is pending. */
  get dueMs(): number {
    return Math.min(this.pause?.dueMs ?? NEVER, this.release?.untilMs ?? NEVER, this.issued?.dueMs ?? NEVER);
  }

  write(to: ByteWriter): void {
    for (const part of [this.pause, this.release, this.issued]) {
      to.flag(part !== undefined);
      part?.write(to);
    }
    to.optionalText(this.order);
    to.count(this.answered.length);
    for (const { command, decision } of this.answered) {
      to.text(command);
      to.text(decision);
    }
  }

  static read(from: ByteReader): Standing {
    const standing = new Standing();
    if (from.flag()) standing.pause = Pause.read(from);
    if (from.flag()) standing.release = Release.read(from);
    if (from.flag()) standing.issued = Issued.read(from);
    standing.order = from.optionalText();
    standing.answered = Array.from({ length: from.length() }, () => ({ command: from.text(), decision: from.text() }));
    return standing;
  }
}
