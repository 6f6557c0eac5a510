import type { Grant } from '../../domain/decision.ts';
import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import { readGrant, writeGrant } from './grant.ts';

/**
 * More conditions than this no request names, so that the state stays small. What is not named is not suspended: the
 * session pauses again for it, which errs towards asking once more.
 */
export const CONDITIONS_MAX = 8;

/** A pause condition that a request names. `kill`: the kill condition held, and was capped for want of certainty. */
export interface NamedCondition {
  /** Of the rule, or EVIDENCE for the intents together. */
  id: number;
  rule: string;
  condition: 'pause' | 'kill';
  /** As they were when the condition held last. */
  score: number;
  threshold: number;
}

/** A time that never comes. */
export const NEVER = Number.POSITIVE_INFINITY;

/** The request that a paused session waits on. All times are append times. */
export class Pause {
  readonly command: string;
  readonly rule: string;
  readonly triggerEventId: string;
  score = 0;
  threshold = 0;
  conditions: NamedCondition[] = [];
  /** At least so many conditions held beside those. */
  omitted = 0;
  /** Digest of the request in force. Empty: nobody was asked yet, because the state was made from a verdict alone. */
  view = '';
  /** How long an answer may take, as the request says; NEVER where it waits for a person. */
  answerWithinMs = NEVER;
  approvals = 1;
  approvedBy: string[] = [];
  /** What those who approved have in common. */
  approvedGrant: Grant | undefined;
  /** Append time and offset of the first record that says the pause is out; -1 before. */
  publishedMs = -1;
  publishedOffset = -1;
  remindMs = NEVER;
  /** End of the time for an answer and of the grace. */
  killMs = NEVER;

  constructor(command: string, rule: string, triggerEventId: string) {
    this.command = command;
    this.rule = rule;
    this.triggerEventId = triggerEventId;
  }

  /** Takes in that a condition holds. Answers whether people have to be asked anew: it is more than they saw. */
  name(condition: NamedCondition): 'known' | 'more' {
    const known = this.conditions.find(({ id }) => id === condition.id);
    if (known === undefined) {
      if (this.conditions.length < CONDITIONS_MAX) this.conditions.push(condition);
      else if (this.omitted > 0) return 'known';
      else this.omitted = 1;
      return 'more';
    }
    known.score = condition.score;
    known.threshold = condition.threshold;
    if (known.condition === 'kill' || condition.condition === 'pause') return 'known';
    known.condition = 'kill';
    return 'more';
  }

  /** When the partition has to look at it again. */
  get dueMs(): number {
    return this.view === '' ? 0 : Math.min(this.remindMs, this.killMs);
  }

  write(to: ByteWriter): void {
    to.text(this.command);
    to.text(this.rule);
    to.text(this.triggerEventId);
    for (const value of [this.score, this.threshold, this.answerWithinMs, this.publishedMs]) to.number(value);
    for (const value of [this.publishedOffset, this.remindMs, this.killMs]) to.number(value);
    writeConditions(to, this.conditions);
    to.count(this.omitted);
    to.text(this.view);
    to.count(this.approvals);
    to.count(this.approvedBy.length);
    for (const person of this.approvedBy) to.text(person);
    to.flag(this.approvedGrant !== undefined);
    if (this.approvedGrant !== undefined) writeGrant(to, this.approvedGrant);
  }

  static read(from: ByteReader): Pause {
    const pause = new Pause(from.text(), from.text(), from.text());
    pause.score = from.number();
    pause.threshold = from.number();
    pause.answerWithinMs = from.number();
    pause.publishedMs = from.number();
    pause.publishedOffset = from.number();
    pause.remindMs = from.number();
    pause.killMs = from.number();
    pause.conditions = readConditions(from);
    pause.omitted = from.count();
    pause.view = from.text();
    pause.approvals = from.count();
    pause.approvedBy = Array.from({ length: from.length() }, () => from.text());
    if (from.flag()) pause.approvedGrant = readGrant(from);
    return pause;
  }
}

export function writeConditions(to: ByteWriter, conditions: readonly NamedCondition[]): void {
  to.count(conditions.length);
  for (const { id, rule, condition, score, threshold } of conditions) {
    to.uint32(id);
    to.text(rule);
    to.flag(condition === 'kill');
    to.number(score);
    to.number(threshold);
  }
}

export function readConditions(from: ByteReader): NamedCondition[] {
  return Array.from({ length: from.length() }, () => ({
    id: from.uint32(),
    rule: from.text(),
    condition: from.flag() ? 'kill' : 'pause',
    score: from.number(),
    threshold: from.number(),
  }));
}
