import type { WriteStream } from 'node:tty';
import type { Clock } from '../ports.ts';
import type { Board } from './demo-board.ts';
import { frame } from './demo-view.ts';
import { terminal } from './terminal.ts';

const REDRAW_MS = 100;
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_SCREEN = '\x1b[2J\x1b[H';
const CLEAR_REST = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** The board on a terminal, drawn over itself at most ten times a second. */
export class Picture {
  readonly #to: WriteStream;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #height = 0;
  #share = 0;

  constructor(to: WriteStream, clock: Pick<Clock, 'monotonicMs'>) {
    this.#to = to;
    this.#clock = clock;
  }

  begin(): void {
    this.#to.write(HIDE_CURSOR + CLEAR_SCREEN);
    this.#to.on('resize', this.#resized);
  }

  /** `share` of the day that is over, 0 to 1. */
  draw(board: Board, share: number): void {
    this.#share = share;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    this.#write(board);
  }

  /** The last picture stays, and the cursor stands below it. */
  end(board: Board): void {
    this.#write(board);
    this.#to.off('resize', this.#resized);
    this.#to.write(`\n${SHOW_CURSOR}`);
  }

  #write(board: Board): void {
    const { columns = 80, rows = 24 } = this.#to;
    const lines = frame(board, this.#share, { columns, rows }, terminal());
    const up = this.#height > 1 ? `\x1b[${this.#height - 1}A` : '';
    this.#to.write(`${up}\r${lines.map((line) => line + CLEAR_REST).join('\n')}${CLEAR_BELOW}`);
    this.#height = lines.length;
  }

  /** Lines that were wrapped by a narrower window cannot be found again: begin anew. */
  readonly #resized = (): void => {
    this.#to.write(CLEAR_SCREEN);
    this.#height = 0;
  };
}
