import type { RawRecord, Refusal } from '../../domain/record.ts';
import type { Place } from './frame.ts';

export type LogItem =
  /** A record of a log; its key says whose it is. */
  | { type: 'record'; log: number; place: Place; raw: RawRecord }
  /** A line that no record can be made of. */
  | { type: 'unusable'; place: Place; refusal: Refusal; reason: string }
  /** Nothing follows in the log, whose next offset is given: its clock may run on until nothing is pending. */
  | { type: 'end'; log: number; offset: number };

/** Where the events of a backtest come from. Read once. */
export interface EventSource {
  /** What `source` of a place means: files, or partitions. They may become more while it is read. */
  readonly names: readonly string[];
  /** Where it would wait for more it throws the reason of `stop` instead, once that is aborted. */
  items(stop: AbortSignal): AsyncGenerator<LogItem>;
  /** How much of it is read, 0 to 1; undefined where nobody knows how much there is. */
  shareRead(): number | undefined;
}
