import { TenureLost } from '../ports.ts';

/**
 * The calls of one tenure: one after another, and none after a failure. A failed call leaves open what the store
 * holds; whoever goes on from there would guess.
 */
export class TenureCalls {
  #last: Promise<unknown> = Promise.resolve();
  #ended: TenureLost | undefined;

  run<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.#once(call));
    this.#last = result.then(
      () => undefined,
      () => undefined, // told to the caller by `result`, and to the next call by `#ended`
    );
    return result;
  }

  async #once<T>(call: () => Promise<T>): Promise<T> {
    if (this.#ended) throw this.#ended;
    try {
      return await call();
    } catch (error) {
      this.#ended =
        error instanceof TenureLost
          ? error
          : new TenureLost('unknown', 'an earlier call of this tenure failed: acquire again', { cause: error });
      throw error;
    }
  }
}
