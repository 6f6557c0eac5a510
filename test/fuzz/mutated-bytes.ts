import { mulberry } from '../integration/traffic.ts';

/** What parsers trip over: borders of numbers, of texts, of nesting. */
const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '\\',
  '\\u0000',
  '\\ud800',
  'null',
  'true',
  '-0',
  '1e999',
  '-1e-999',
  '9007199254740993',
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '\u0000',
  '\ufeff',
  '\ufffd',
  '[[[[[[[[',
  '{"a":{"a":{"a":',
  '0x10',
  'NaN',
].map((token) => Buffer.from(token));
const BORDERS = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/** Byte strings made of others: equal seeds make equal ones, at some 1 µs each. */
export class MutatedBytes {
  readonly #corpus: readonly Uint8Array[];
  readonly #random: () => number;

  constructor(corpus: readonly Uint8Array[], seed: number) {
    this.#corpus = corpus;
    this.#random = mulberry(seed);
  }

  upTo(count: number): number {
    return Math.floor(this.#random() * count);
  }

  next(): Buffer {
    let bytes: Buffer = Buffer.from(this.#pick(this.#corpus));
    for (let left = this.upTo(4); left >= 0; left--) bytes = this.#mutate(bytes);
    return bytes;
  }

  #mutate(bytes: Buffer): Buffer {
    const at = this.upTo(bytes.length + 1);
    const span = 1 + this.upTo(8);
    switch (this.upTo(8)) {
      case 0:
        return this.#set(bytes, at, this.upTo(256));
      case 1:
        return this.#set(bytes, at, BORDERS[this.upTo(BORDERS.length)]!);
      case 2:
        return this.#set(bytes, at, (bytes[at] ?? 0) ^ (1 << this.upTo(8)));
      case 3:
        return bytes.subarray(0, at);
      case 4:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + span)]);
      case 5:
        return Buffer.concat([bytes.subarray(0, at), this.#pick(TOKENS), bytes.subarray(at)]);
      case 6:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + span), bytes.subarray(at)]);
      default: {
        const other = this.#pick(this.#corpus);
        return Buffer.concat([bytes.subarray(0, at), other.subarray(this.upTo(other.length))]);
      }
    }
  }

  #set(bytes: Buffer, at: number, value: number): Buffer {
    if (at < bytes.length) bytes[at] = value;
    return bytes;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.upTo(from.length)]!;
  }
}
