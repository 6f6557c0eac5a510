import type { Writable } from 'node:stream';
import type { Clock } from '../ports.ts';

const BAR_WIDTH = 30;
const REDRAW_MS = 100;
/** Without a terminal a line now and then: enough to see that a long run lives, too few to fill a log. */
const LINE_MS = 5000;
/** Of less no pace can be told. */
const PACE_SHARE = 0.01;

type Screen = Writable & { isTTY?: boolean; columns?: number };

/** How far a long run is: a bar on a terminal, one line in a few seconds elsewhere. */
export class Progress {
  readonly #to: Screen;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #shownMs: number;
  #startedMs: number;
  #startShare = 0;

  constructor(to: Screen, clock: Pick<Clock, 'monotonicMs'>) {
    this.#to = to;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    this.#shownMs = this.#startedMs;
  }

  /** From here on something else is measured, of which so much is done already: what is left is reckoned from here. */
  begin(share = 0): void {
    this.#startedMs = this.#clock.monotonicMs();
    this.#startShare = share;
  }

  /** `share` from 0 to 1; `text` says what was done. Cheap when it is not yet time to show it. */
  at(share: number, text: () => string): void {
    const nowMs = this.#clock.monotonicMs();
    const terminal = this.#to.isTTY === true;
    if (nowMs - this.#shownMs < (terminal ? REDRAW_MS : LINE_MS)) return;
    this.#shownMs = nowMs;
    const percent = `${String(Math.floor(Math.min(share, 1) * 100)).padStart(3)} %`;
    const left = this.#left(share, nowMs);
    if (!terminal) {
      this.#to.write(`${percent.trim()}  ${text()}${left}\n`);
      return;
    }
    const line = `${bar(share)} ${percent}  ${text()}${left}`;
    this.#to.write(`\r\x1b[2K${line.slice(0, (this.#to.columns ?? 80) - 1)}`);
  }

  /** At the pace so far; nothing while that says nothing. */
  #left(share: number, nowMs: number): string {
    const done = share - this.#startShare;
    if (done < PACE_SHARE || share >= 1) return '';
    const leftS = Math.ceil((((nowMs - this.#startedMs) / done) * (1 - share)) / 1000);
    return leftS < 90 ? `, ${leftS} s left` : `, ${Math.ceil(leftS / 60)} min left`;
  }

  /** Takes the bar away. */
  done(): void {
    if (this.#to.isTTY === true) this.#to.write('\r\x1b[2K');
  }
}

function bar(share: number): string {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * BAR_WIDTH);
  return '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
}
