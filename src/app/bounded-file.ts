import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';

/** The bytes of a file, or its first `bytesMax + 1`: a file of gigabytes shows that it is too large without being read. */
export function readAtMost(file: string, bytesMax: number): Promise<Buffer> {
  // `end` is the position of the last byte that is read.
  return buffer(createReadStream(file, { end: bytesMax }));
}
