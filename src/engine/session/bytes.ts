/** 2^28: four bytes of a varint, and what is above them in a safe integer fits 25 bits. */
const LOW = 0x10000000;
const LOW_BYTES = 4;

const UTF8 = 0;
const UTF16 = 1;
const ENCODINGS = ['utf8', 'utf16le'] as const;
/** Half of a surrogate pair without the other half: text that UTF-8 cannot hold. */
const HALF_PAIR = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/**
 * The primitives of the session codec. Integers are LEB128 varints of up to 53 bits; a number is a tag byte with a
 * varint when it is a safe integer, else an IEEE double, so that every value comes back bit for bit. A text is twice its bytes
 * plus its form, then UTF-8, or UTF-16 where only that brings it back.
 */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#at;
  }

  /** Forgets what was written, also by a writing that failed half-way; keeps the room. */
  restart(): this {
    this.#at = 0;
    return this;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  flag(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  /** A non-negative safe integer. */
  count(value: number): void {
    if (!(Number.isSafeInteger(value) && value >= 0)) throw new RangeError(`not a count: ${value}`);
    this.#reserve(8);
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    if (value >= LOW) {
      // Division by a power of two is exact, and integer arithmetic on the halves is much cheaper than on doubles.
      const high = Math.floor(value / LOW);
      let low = value - high * LOW;
      for (let i = 0; i < LOW_BYTES; i++) {
        bytes[at++] = (low & 127) | 128;
        low >>>= 7;
      }
      rest = high;
    }
    while (rest >= 128) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#at = at;
  }

  number(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
      this.byte(0);
      this.count(value);
    } else {
      this.byte(1);
      this.double(value);
    }
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value);
    this.#at += 8;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  text(value: string): void {
    const { length } = value;
    const from = this.#at;
    this.count(2 * length + UTF8);
    this.#reserve(length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 128) {
        this.#at = from;
        this.#textBeyondAscii(value);
        return;
      }
      bytes[at++] = unit;
    }
    this.#at = at;
  }

  optionalText(value: string | undefined): void {
    this.flag(value !== undefined);
    if (value !== undefined) this.text(value);
  }

  /** What was written, as a copy. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #textBeyondAscii(value: string): void {
    const form = HALF_PAIR.test(value) ? UTF16 : UTF8;
    const encoded = Buffer.from(value, ENCODINGS[form]);
    this.count(2 * encoded.length + form);
    this.#reserve(encoded.length);
    this.#bytes.set(encoded, this.#at);
    this.#at += encoded.length;
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads what a ByteWriter wrote. Throws a RangeError where the bytes end early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, from = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = from;
  }

  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new RangeError('the bytes end early');
    return value;
  }

  flag(): boolean {
    return this.byte() === 1;
  }

  count(): number {
    let value = 0;
    let scale = 1;
    let byte = this.byte();
    while (byte >= 128) {
      value += (byte & 127) * scale;
      scale *= 128;
      byte = this.byte();
    }
    value += byte * scale;
    if (!Number.isSafeInteger(value)) throw new RangeError('a count beyond 2^53');
    return value;
  }

  /** The number of things that follow. Each takes a byte at least, so that no wrong one is believed and allocated. */
  length(): number {
    const length = this.count();
    if (length > this.rest) throw new RangeError('the bytes end early');
    return length;
  }

  number(): number {
    return this.byte() === 0 ? this.count() : this.double();
  }

  double(): number {
    const value = this.#view.getFloat64(this.#at);
    this.#at += 8;
    return value;
  }

  uint32(): number {
    const value = this.#view.getUint32(this.#at);
    this.#at += 4;
    return value;
  }

  text(): string {
    const head = this.count();
    const length = Math.floor(head / 2);
    if (length > this.rest) throw new RangeError('the bytes end early');
    const from = this.#bytes.byteOffset + this.#at;
    this.#at += length;
    return Buffer.from(this.#bytes.buffer, from, length).toString(ENCODINGS[head % 2 === 0 ? UTF8 : UTF16]);
  }

  optionalText(): string | undefined {
    return this.flag() ? this.text() : undefined;
  }
}
