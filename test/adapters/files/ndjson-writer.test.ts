import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NdjsonWriter } from '../../../src/adapters/files/ndjson-writer.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-writer-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('NdjsonWriter', () => {
  it('writes lines in order, more than a buffer holds, and replaces what was there', async () => {
    const path = join(folder, 'out.ndjson');
    for (const count of [20_000, 3]) {
      const writer = await NdjsonWriter.open(path);
      for (let i = 0; i < count; i++) await writer.write(`{"line":${i}}`);
      await writer.close();
      const lines = (await readFile(path, 'utf8')).split('\n');
      expect(lines.length).toBe(count + 1);
      expect([lines[0], lines.at(-2), lines.at(-1)]).toEqual(['{"line":0}', `{"line":${count - 1}}`, '']);
    }
  });

  it('refuses a file in a folder that is not there', async () => {
    await expect(NdjsonWriter.open(join(folder, 'no', 'out'))).rejects.toThrow(/ENOENT/);
  });

  it('says where it could not write', async () => {
    const writer = await NdjsonWriter.open('/dev/full');
    const writing = (async () => {
      await writer.write('line');
      await writer.close();
    })();
    await expect(writing).rejects.toThrow('/dev/full cannot be written');
  });

  it('ends quietly when the reader of standard output goes away', async () => {
    const module = resolve(import.meta.dirname, '../../../dist/adapters/files/ndjson-writer.js');
    const script = `
      const { NdjsonWriter } = await import(${JSON.stringify(module)});
      const writer = await NdjsonWriter.open('-');
      let written = 0;
      while (!writer.closed && written < 1e6) { await writer.write('x'.repeat(100)); written++; }
      await writer.close();
      process.stderr.write(writer.closed && written < 1e6 ? 'gone' : 'never noticed');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    child.stdout.once('data', () => child.stdout.destroy());
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const code = await new Promise((done) => child.once('close', done));
    expect([said, code]).toEqual(['gone', 0]);
  });
});
