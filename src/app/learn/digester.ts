import type { ActionEvent } from '../../domain/event.ts';
import { ACTION_BYTES_MAX, isPlaceholderSession } from '../../domain/event.ts';
import { fieldOf } from '../../domain/fields.ts';
import { parseInstant } from '../../domain/instant.ts';
import type { RecordBody } from '../../domain/record.ts';
import { cohortKeys } from '../../engine/evidence/plan.ts';
import { decodeRecord } from '../../formats/log-record.ts';
import { type Frame, recordsOf } from '../backtest/frame.ts';
import { type Head, headOf } from '../recording.ts';
import { verdictOf } from './cut-sessions.ts';
import { type Digest, DigestWriter, NO_ACTION, NOT_LEARNED, NOTE } from './digest.ts';
import { Projection } from './projection.ts';
import type { Subject } from './subject.ts';

/** The append time of a line of bare events, which only whoever reads all of them knows. */
export const UNKNOWN_MS = Number.NaN;

/** Decodes a stretch of a log to what learning needs of it. It remembers nothing: any thread can do any stretch. */
export class Digester {
  readonly #subject: Subject;
  readonly #isLearned: (session: string) => boolean;
  readonly #projection: Projection;
  readonly #cohortFields: readonly ((event: ActionEvent) => unknown)[];

  constructor(subject: Subject, isLearned: (session: string) => boolean) {
    this.#subject = subject;
    this.#isLearned = isLearned;
    const { intents, numbers, cohortBy } = subject;
    this.#projection = new Projection(
      intents.map(({ intent }) => intent),
      numbers.rules,
    );
    this.#cohortFields = [...new Set(cohortBy.flat())].map((name) => fieldOf(name)?.read ?? (() => ''));
  }

  digest(frame: Frame): Digest {
    const writer = new DigestWriter();
    for (const { log, offset, appendMs, place, own } of recordsOf(frame)) {
      const { key, value, headers } = own!;
      const bare = Number.isNaN(appendMs);
      const head = bare ? headOf(value!) : undefined;
      const raw = { offset, appendMs, headers, value, key: head === undefined ? key : Buffer.from(head.event.session) };
      const body: RecordBody =
        head !== undefined && isSimple(head, value!)
          ? { type: 'action', event: head.event }
          : decodeRecord(raw, undefined).body;
      const timeMs = head?.timeMs ?? (body.type === 'action' ? parseInstant(body.event.time) : UNKNOWN_MS);
      const { name, text } = this.#told(body, writer);
      writer.row(name, timeMs, appendMs, log, place.source, place.at, text);
    }
    return writer.done();
  }

  #told(body: RecordBody, writer: DigestWriter): { name: number; text: string } {
    if (body.type !== 'action') {
      const verdict = verdictOf(body);
      return verdict === undefined ? { name: NO_ACTION, text: '' } : { name: NOTE, text: JSON.stringify(verdict) };
    }
    const { event } = body;
    if (!this.#isLearned(event.session)) return { name: NOT_LEARNED, text: '' };
    const { session, agent, principal } = event;
    const fields = this.#cohortFields.map((read) => read(event) ?? '');
    const name = writer.name([session, agent.id, principal?.id ?? '', ...fields].join('\n'), () => {
      const keys = cohortKeys(this.#subject.cohortBy, event).map((key) => key ?? null);
      return { session, cohortKeys: keys, agent: agent.id, principal: principal?.id };
    });
    return { name, text: this.#subject.looksAt(event) ? JSON.stringify(this.#projection.of(event)) : '' };
  }
}

/** A bare action that needs no second reading: what `decodeRecord` would ask of it is so. */
function isSimple({ event, structured }: Head, value: Uint8Array): boolean {
  return !structured && value.length <= ACTION_BYTES_MAX && !isPlaceholderSession(event.session);
}
