import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NdjsonReader } from '../../../src/adapters/files/ndjson-reader.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-reader-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: Buffer | string, lineBytesMax?: number) {
  const path = join(folder, 'lines');
  await writeFile(path, content);
  const reader = await NdjsonReader.open(path, lineBytesMax);
  const lines: [number, string][] = [];
  for await (const group of reader.lines()) {
    for (const line of group) lines.push([line.number, 'bytes' in line ? line.bytes.toString() : `> ${line.tooLong}`]);
  }
  return { reader, lines };
}

describe('NdjsonReader', () => {
  it.each<[name: string, content: string, lines: [number, string][]]>([
    [
      'lines',
      'a\nb\n',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      'a last line without an end',
      'a\nb',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      'empty lines, which keep their number',
      'a\n\n\r\nb\n',
      [
        [1, 'a'],
        [4, 'b'],
      ],
    ],
    [
      'line ends of Windows',
      'a\r\nb\r\n',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    ['nothing', '', []],
    ['one byte', 'a', [[1, 'a']]],
    ['letters of several bytes', 'ü€😀\n', [[1, 'ü€😀']]],
  ])('reads %s', async (_, content, lines) => {
    expect((await read(content)).lines).toEqual(lines);
    expect((await read(gzipSync(content))).lines).toEqual(lines);
  });

  it('reads files that are larger than a chunk, plain and gzip, and counts the bytes of the file', async () => {
    const expected = Array.from({ length: 50_000 }, (_, i): [number, string] => [
      i + 1,
      `line ${i} ${'x'.repeat(i % 97)}`,
    ]);
    const text = Buffer.from(expected.map(([, line]) => `${line}\n`).join(''));
    for (const content of [text, gzipSync(text)]) {
      const { reader, lines } = await read(content);
      expect(lines).toEqual(expected);
      expect([reader.bytesRead, reader.bytesTotal]).toEqual([content.length, content.length]);
    }
  });

  it('reports a line beyond the bound and goes on', async () => {
    const { lines } = await read(`${'a'.repeat(10)}\n${'b'.repeat(200_000)}\nc\n`, 10);
    expect(lines).toEqual([
      [1, 'a'.repeat(10)],
      [2, '> 200000'],
      [3, 'c'],
    ]);
  });

  it('holds lines of up to 1 MiB when nothing else is asked for', async () => {
    const { lines } = await read(`${'a'.repeat(2 ** 20)}\n${'b'.repeat(2 ** 20 + 1)}\n`);
    expect(lines.map(([, text]) => text.slice(0, 9))).toEqual(['aaaaaaaaa', '> 1048577']);
  });

  it('fails on gzip that was cut', async () => {
    const whole = gzipSync(Buffer.from('line\n'.repeat(1000)));
    await expect(read(whole.subarray(0, whole.length - 12))).rejects.toThrow(/unexpected end of file/);
  });

  it('fails on gzip that is damaged', async () => {
    const damaged = gzipSync(Buffer.from(Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join('')));
    damaged.fill(0xff, 200, 260);
    await expect(read(damaged)).rejects.toThrow();
  });

  it('may be left in the middle', async () => {
    const path = join(folder, 'left.gz');
    await writeFile(
      path,
      gzipSync(Buffer.from(Array.from({ length: 200_000 }, (_, i) => `line ${i * 7919}\n`).join(''))),
    );
    const reader = await NdjsonReader.open(path);
    for await (const group of reader.lines()) {
      expect(group.length).toBeGreaterThan(0);
      break;
    }
    expect(reader.bytesRead).toBeLessThan(reader.bytesTotal!);
  });

  it.each([
    ['a file that is not there', 'missing', /missing: no such file/],
    ['a folder', '.', /is a folder/],
  ])('refuses %s', async (_, name, message) => {
    await expect(NdjsonReader.open(join(folder, name))).rejects.toThrow(message);
  });
});
