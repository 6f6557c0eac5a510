import type { ServerResponse } from 'node:http';
import type { Finding } from '../../domain/finding.ts';
import type { Clock } from '../../ports.ts';
import type { LiveView } from './live-view.ts';

const HEARTBEAT_MS = 15_000;
/** A reader that is so far behind gets its stream ended, and comes back with the last id that it has seen. */
const UNREAD_BYTES_MAX = 1024 * 1024;

/** The streams that are open. They end with their tokens. */
export class EventStreams {
  readonly #view: LiveView;
  readonly #clock: Clock;
  readonly #max: number;
  readonly #open = new Set<AbortController>();

  constructor(options: { view: LiveView; clock: Clock; max: number }) {
    this.#view = options.view;
    this.#clock = options.clock;
    this.#max = options.max;
  }

  get full(): boolean {
    return this.#open.size >= this.#max;
  }

  /** Writes until the reader goes, falls behind, or its token ends. */
  async serve(response: ServerResponse, lastEventId: string | undefined, untilMs: number): Promise<void> {
    const ending = new AbortController();
    this.#open.add(ending);
    response.once('close', () => ending.abort());
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const write = (text: string) => {
      if (response.writableLength > UNREAD_BYTES_MAX) ending.abort();
      else response.write(text);
    };
    const missed = lastEventId === undefined ? [] : this.#view.after(lastEventId);
    if (missed === undefined) write('event: gap\ndata: what came after last-event-id is not kept any more\n\n');
    for (const finding of missed ?? []) write(eventOf(finding));
    const stopListening = this.#view.listen((finding) => write(eventOf(finding)));
    write(': listening\n\n');
    while (!ending.signal.aborted && this.#clock.nowMs() < untilMs) {
      await this.#clock.sleep(Math.min(HEARTBEAT_MS, untilMs - this.#clock.nowMs()), ending.signal);
      if (!ending.signal.aborted) write(': alive\n\n');
    }
    stopListening();
    this.#open.delete(ending);
    response.end();
  }

  endAll(): void {
    for (const ending of this.#open) ending.abort();
  }
}

function eventOf(finding: Finding): string {
  return `id: ${finding.id}\nevent: ${finding.code}\ndata: ${JSON.stringify(finding)}\n\n`;
}
