import type { Line } from '../../adapters/files/ndjson-reader.ts';
import type { RawRecord, Refusal } from '../../domain/record.ts';
import type { Place } from './frame.ts';

export type LogItem =
  /** A record of a log; its key says whose it is. */
  | { type: 'record'; log: number; place: Place; raw: RawRecord }
  /** A line that no record can be made of. */
  | { type: 'unusable'; place: Place; refusal: Refusal; reason: string }
  /** Nothing follows in the log, whose next offset is given: its clock may run on until nothing is pending. */
  | { type: 'end'; log: number; offset: number };

/** A record or a line as it lies there: nobody has looked into it yet. */
export type UndecodedItem =
  | LogItem
  /** A line of bare events, whose session and time are inside. */
  | { type: 'line'; log: number; place: Place; bytes: Buffer }
  /** The log of bare events is over, and this was its first line. */
  | { type: 'last'; log: number; place: Place; first: Line };

/** A source that can be read on from where another process was. */
export interface ResumableSource {
  readonly names: readonly string[];
  /** In groups as they come. `from`: what `position` said there; throws where what is before it is no longer the same. */
  undecoded(from: unknown): AsyncGenerator<UndecodedItem[]>;
  /** After the last group that was read, as JSON. */
  position(): unknown;
  shareRead(): number | undefined;
}

/** Where the events of a backtest come from. Read once. */
export interface EventSource {
  /** What `source` of a place means: files, or partitions. They may become more while it is read. */
  readonly names: readonly string[];
  /** Where it would wait for more it throws the reason of `stop` instead, once that is aborted. */
  items(stop: AbortSignal): AsyncGenerator<LogItem>;
  /** How much of it is read, 0 to 1; undefined where nobody knows how much there is. */
  shareRead(): number | undefined;
}
