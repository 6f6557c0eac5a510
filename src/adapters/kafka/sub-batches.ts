import type { KafkaMessage } from 'kafkajs';
import type { RawRecord } from '../../domain/record.ts';
import { rawRecord } from './partition-client.ts';

export const RECORDS_MAX = 500;
export const BYTES_MAX = 512 * 1024;

export interface SubBatch {
  records: RawRecord[];
  /** Offset after the last position that it accounts for. */
  next: number;
}

/**
 * Cuts fetched messages into pieces that take a reader well under a second. Messages before `first` were handed over
 * already and are left out; the last piece reaches to `end`, so that control records count as passed.
 */
export function* subBatches(messages: readonly KafkaMessage[], first: number, end: number): Generator<SubBatch> {
  let records: RawRecord[] = [];
  let bytes = 0;
  for (const message of messages) {
    const record = rawRecord(message);
    if (record.offset < first) continue;
    const size = record.value?.length ?? 0;
    if (records.length > 0 && (records.length === RECORDS_MAX || bytes + size > BYTES_MAX)) {
      yield { records, next: record.offset };
      records = [];
      bytes = 0;
    }
    records.push(record);
    bytes += size;
  }
  yield { records, next: end };
}
