import type { ActionEvent } from '../domain/event.ts';
import { formatInstant } from '../domain/instant.ts';
import type { Clock } from '../ports.ts';
import { Pace } from './pace.ts';
import type { Recording } from './recording.ts';

export interface ProduceOptions {
  speed: number | 'max';
  /** How often the recording is gone through; Infinity until the signal aborts. */
  rounds: number;
  clock: Clock;
  signal: AbortSignal;
  write(events: readonly ActionEvent[]): Promise<void>;
  /** After each write. */
  onWritten?(count: number): void;
}

/** As many as a gateway may gather: more in one request gain nothing. */
const TOGETHER_MAX = 500;
/** What is due in so short a time goes out together. */
const TOGETHER_MS = 100;

/**
 * Reports recorded actions as if they happened now, at their own pace times `speed`. Ids and sessions of each call and
 * round are new ones: an id that came before would change nothing. Answers how many were written.
 */
export async function produce(recording: Recording, options: ProduceOptions): Promise<number> {
  const { clock, rounds, signal } = options;
  const call = clock.nowMs().toString(36);
  let total = 0;
  for (let round = 1; round <= rounds && !signal.aborted; round++) {
    total += await produceRound(recording, `${call}-${round}`, options);
  }
  return total;
}

async function produceRound(recording: Recording, suffix: string, options: ProduceOptions): Promise<number> {
  const { clock, signal, speed, write, onWritten } = options;
  const pace = new Pace(clock, speed);
  let written = 0;
  let waiting: ActionEvent[] = [];
  let firstMs = 0;
  const flush = async () => {
    if (waiting.length === 0) return;
    await write(waiting);
    written += waiting.length;
    onWritten?.(waiting.length);
    waiting = [];
  };
  for await (const item of recording.items()) {
    if (signal.aborted) break;
    if (item.type !== 'record' || item.record.body.type !== 'action') continue;
    const { appendMs, body } = item.record;
    const togetherMs = speed === 'max' ? Number.POSITIVE_INFINITY : TOGETHER_MS * speed;
    if (waiting.length >= TOGETHER_MAX || appendMs - firstMs > togetherMs) {
      await flush();
      await pace.reach(appendMs, signal);
      firstMs = appendMs;
    }
    waiting.push(renewed(body.event, suffix, clock.nowMs()));
  }
  if (!signal.aborted) await flush();
  return written;
}

function renewed(event: ActionEvent, suffix: string, nowMs: number): ActionEvent {
  const { rootSession } = event;
  return {
    ...event,
    id: `${event.id}-${suffix}`,
    session: `${event.session}-${suffix}`,
    ...(rootSession === undefined ? {} : { rootSession: `${rootSession}-${suffix}` }),
    time: formatInstant(nowMs),
  };
}
