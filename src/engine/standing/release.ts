import type { Grant } from '../../domain/decision.ts';
import { type ActionEvent, affectedOf, targetsOf } from '../../domain/event.ts';
import type { LogRecord } from '../../domain/record.ts';
import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import { readGrant, writeGrant } from './grant.ts';
import { type NamedCondition, NEVER, readConditions, writeConditions } from './pause.ts';

const MINUTE_MS = 60_000;

/** A condition that the release suspends, as an action finds it: what its score is now. */
export interface Suspended {
  id: number;
  score: number;
}

/**
 * A release in use: which conditions it suspends, and how much of its grant is used up. What an action uses, it uses
 * whether or not it is a retry: it errs towards pausing again.
 */
export class Release {
  readonly grant: Grant;
  /** With their scores at the release. None: a person had paused, and every action counts. */
  readonly conditions: readonly NamedCondition[];
  /** Of the resume. */
  readonly command: string;
  /** Append time at which it ends. */
  readonly untilMs: number;
  /** Of the record that released. */
  readonly offset: number;
  /** Marks used up. */
  used = 0;

  constructor(
    grant: Grant,
    conditions: readonly NamedCondition[],
    command: string,
    { untilMs, offset }: Pick<Release, 'untilMs' | 'offset'>,
  ) {
    this.grant = grant;
    this.conditions = conditions;
    this.command = command;
    this.untilMs = untilMs;
    this.offset = offset;
  }

  static from(
    grant: Grant,
    conditions: readonly NamedCondition[],
    command: string,
    { nowMs, record: { offset } }: { nowMs: number; record: Pick<LogRecord, 'offset'> },
  ): Release {
    const untilMs = grant.minutes === undefined ? NEVER : nowMs + Math.floor(grant.minutes * MINUTE_MS);
    return new Release(grant, conditions, command, { untilMs, offset });
  }

  /** Whether it suspends what the condition asks for now. Never a kill condition that was no reason of the request. */
  suspends(id: number, condition: 'pause' | 'kill'): boolean {
    const named = this.conditions.find((one) => one.id === id);
    return named !== undefined && (named.condition === 'kill' || condition === 'pause');
  }

  /**
   * Takes an action that counts for the suspended conditions, with what their scores are now. Answers which bound it
   * passes; undefined while it stays inside.
   */
  use(event: ActionEvent, scores: readonly Suspended[]): string | undefined {
    const { marks, points, targets } = this.grant;
    this.used += affectedOf(event);
    if (targets !== undefined) {
      const touched = targetsOf(event);
      if (touched.length === 0) return 'a target was granted, and the action names none';
      if (touched.some((target) => !targets.includes(target)))
        return 'the action touches a target that was not granted';
    }
    if (marks !== undefined && this.used > marks) return `the granted ${marks} marks are used up`;
    if (points === undefined) return undefined;
    for (const { id, score } of scores) {
      const named = this.conditions.find((one) => one.id === id);
      if (named !== undefined && score > named.score + points) return `the granted ${points} points are used up`;
    }
    return undefined;
  }

  write(to: ByteWriter): void {
    writeGrant(to, this.grant);
    writeConditions(to, this.conditions);
    to.text(this.command);
    to.number(this.untilMs);
    to.number(this.offset);
    to.number(this.used);
  }

  static read(from: ByteReader): Release {
    const release = new Release(readGrant(from), readConditions(from), from.text(), {
      untilMs: from.number(),
      offset: from.number(),
    });
    release.used = from.number();
    return release;
  }
}
