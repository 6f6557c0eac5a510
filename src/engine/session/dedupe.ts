import { canonicalJson } from '../../domain/canonical-json.ts';
import type { ActionEvent } from '../../domain/event.ts';
import { fingerprint, fingerprintOf } from '../fingerprint.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Sources that are deduplicated by their rising number; events of further ones go by id. */
const SOURCES_MAX = 4;
const SEQ_WINDOW = 64;
const IDS_MAX = 32;
/** Partitions that copies come from; those of further ones go by source and id alone. */
const ORIGINS_MAX = 1024;
/** Copying that was broken off begins again at most so far back. What is further behind is of a topic made anew. */
const COPIED_AGAIN_MAX = 100_000;

interface SourceMark {
  source: string;
  high: number;
  /** Bit i of the pair says whether `high - i` was seen: 32 bits each, the newest first. */
  newer: number;
  older: number;
}

/** `reused`: the id was seen with other content; a new event, and somebody should know. */
export type Arrival = 'new' | 'repeated' | 'reused';

/**
 * Recognises an event that this session has counted already.
 *
 *   seq ──►   … 0 1 1 0 1 1 1 1 │high        one window of 64 numbers per source, exact inside
 *
 * Without `source` and `seq`: the last 32 ids with a digest of what the engine reads of the event. What is older than
 * either bound cannot be recognised and counts: the bound errs towards seeing more.
 *
 * Copies of another log come in the order of each of its partitions, and begin again at an earlier offset when the
 * copying was broken off: what is not above the highest offset of its partition was copied before.
 */
export class Dedupe {
  #sources: SourceMark[] = [];
  /** Highest offset by log and partition that copies came from. */
  #origins = new Map<string, number>();
  #ids: number[] = [];
  #digests: number[] = [];
  #cursor = 0;

  /** Notes the event and says whether it is new. */
  admit(event: ActionEvent): Arrival {
    if (event.origin !== undefined && !this.#admitCopy(event.origin)) return 'repeated';
    if (event.source !== undefined && event.seq !== undefined) {
      const mark = this.#sourceMark(event.source);
      if (mark) return admitSeq(mark, event.seq);
    }
    return this.#admitId(fingerprint(event.id), contentDigest(event));
  }

  #admitCopy({ log, partition, offset }: NonNullable<ActionEvent['origin']>): boolean {
    const place = `${partition} ${log}`;
    const high = this.#origins.get(place);
    if (high !== undefined && offset <= high && offset > high - COPIED_AGAIN_MAX) return false;
    if (high !== undefined || this.#origins.size < ORIGINS_MAX) this.#origins.set(place, offset);
    return true;
  }

  write(to: ByteWriter): void {
    to.count(this.#sources.length);
    for (const { source, high, newer, older } of this.#sources) {
      to.text(source);
      to.number(high);
      to.uint32(newer);
      to.uint32(older);
    }
    to.count(this.#origins.size);
    for (const [place, high] of this.#origins) {
      to.text(place);
      to.number(high);
    }
    to.count(this.#ids.length);
    for (let i = 0; i < this.#ids.length; i++) {
      to.count(this.#ids[i]!);
      to.count(this.#digests[i]!);
    }
    to.count(this.#cursor);
  }

  static read(from: ByteReader): Dedupe {
    const dedupe = new Dedupe();
    const sources = from.length();
    for (let i = 0; i < sources; i++) {
      dedupe.#sources.push({ source: from.text(), high: from.number(), newer: from.uint32(), older: from.uint32() });
    }
    const origins = from.length();
    for (let i = 0; i < origins; i++) dedupe.#origins.set(from.text(), from.number());
    const ids = from.length();
    for (let i = 0; i < ids; i++) {
      dedupe.#ids.push(from.count());
      dedupe.#digests.push(from.count());
    }
    dedupe.#cursor = from.count();
    return dedupe;
  }

  #sourceMark(source: string): SourceMark | undefined {
    const known = this.#sources.find((mark) => mark.source === source);
    if (known || this.#sources.length >= SOURCES_MAX) return known;
    const mark = { source, high: -1, newer: 0, older: 0 };
    this.#sources.push(mark);
    return mark;
  }

  #admitId(id: number, digest: number): Arrival {
    let known = false;
    for (let at = this.#ids.indexOf(id); at >= 0; at = this.#ids.indexOf(id, at + 1)) {
      if (this.#digests[at] === digest) return 'repeated';
      known = true;
    }
    this.#ids[this.#cursor] = id;
    this.#digests[this.#cursor] = digest;
    this.#cursor = (this.#cursor + 1) % IDS_MAX;
    return known ? 'reused' : 'new';
  }
}

function admitSeq(mark: SourceMark, seq: number): Arrival {
  const ahead = seq - mark.high;
  if (ahead > 0) {
    shift(mark, ahead);
    mark.newer = (mark.newer | 1) >>> 0;
    mark.high = seq;
    return 'new';
  }
  const behind = -ahead;
  if (behind >= SEQ_WINDOW) return 'new';
  const word = behind < 32 ? 'newer' : 'older';
  const bit = (1 << (behind % 32)) >>> 0;
  if ((mark[word] & bit) !== 0) return 'repeated';
  mark[word] = (mark[word] | bit) >>> 0;
  return 'new';
}

function shift(mark: SourceMark, by: number): void {
  if (by >= SEQ_WINDOW) {
    mark.newer = 0;
    mark.older = 0;
  } else if (by >= 32) {
    mark.older = (mark.newer << (by - 32)) >>> 0;
    mark.newer = 0;
  } else {
    mark.older = ((mark.older << by) | (mark.newer >>> (32 - by))) >>> 0;
    mark.newer = (mark.newer << by) >>> 0;
  }
}

/** Two events with one id are the same event when all is the same that a rule can read, but for where it came from. */
function contentDigest(event: ActionEvent): number {
  const { agent, principal, resource, approval, usage, attributes } = event;
  const parts = [
    event.time,
    event.tool,
    event.toolServer,
    event.action,
    event.outcome,
    resource?.type,
    resource?.id,
    resource?.sensitivity,
    // Anything at all, even an object that refuses to become a text.
    typeof event.affected === 'object' ? JSON.stringify(event.affected) : event.affected,
    event.amount,
    event.currency,
    event.bytes,
    event.rows,
    usage?.tokens,
    usage?.costUsd,
    event.argsDigest,
    agent.id,
    agent.role,
    agent.version,
    principal?.id,
    principal?.type,
    event.tenant,
    event.rootSession,
    event.task,
    event.purpose,
    approval?.required,
    approval?.status,
    approval?.approver,
  ];
  if (event.targets !== undefined) parts.push('targets', ...event.targets);
  if (event.delegation !== undefined) parts.push('delegation', ...event.delegation);
  if (attributes !== undefined) parts.push(canonicalJson(attributes));
  return fingerprintOf(parts);
}
