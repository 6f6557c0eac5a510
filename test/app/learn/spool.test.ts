import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Spool, SpoolRefused } from '../../../src/app/learn/spool.ts';

const IDENTITY = { input: ['a.ndjson'], 'set of rules': 'abc' };

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'firebreak-spool-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const folderOf = () => join(root, `spool-${count++}`);
const fileOf = (folder: string) => join(folder, 'read.spool');

/** A spool of so many blocks, as a killed process leaves it. */
async function written(blocks: number): Promise<{ folder: string; ends: number[] }> {
  const folder = folderOf();
  const spool = await Spool.open(folder, IDENTITY);
  const ends: number[] = [];
  for (let n = 1; n <= blocks; n++) {
    await spool.append(Buffer.from(`content ${n}`), { line: n });
    ends.push((await readFile(fileOf(folder))).length);
  }
  await spool.close();
  return { folder, ends };
}

async function found(folder: string): Promise<{ position: unknown; damaged: number; contents: string[] }> {
  const spool = await Spool.open(folder, IDENTITY);
  const contents: string[] = [];
  for await (const content of spool.blocks()) contents.push(Buffer.from(content).toString());
  await spool.close();
  return { position: spool.position, damaged: spool.damaged, contents };
}

describe('what a run has read', () => {
  it('is found again, block by block, and goes on', async () => {
    const { folder } = await written(3);
    const contents = ['content 1', 'content 2', 'content 3'];
    expect(await found(folder)).toEqual({ position: { line: 3 }, damaged: 0, contents });
    const spool = await Spool.open(folder, IDENTITY);
    await spool.append(Buffer.from('content 4'), { line: 4 });
    await spool.close();
    expect(await found(folder)).toMatchObject({ position: { line: 4 }, contents: [...contents, 'content 4'] });
  });

  it('is nothing at first, and leaves nothing while it is nothing', async () => {
    const folder = folderOf();
    expect(await found(folder)).toEqual({ position: undefined, damaged: 0, contents: [] });
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  it('of a run that was killed before it had read anything keeps no other run from beginning', async () => {
    const folder = folderOf();
    await mkdir(folder);
    await writeFile(fileOf(folder), '{"input":["b.ndjson"]}\n');
    const spool = await Spool.open(folder, IDENTITY);
    await spool.append(Buffer.from('content 1'), { line: 1 });
    await spool.close();
    expect((await found(folder)).contents).toEqual(['content 1']);
  });

  it('ends with the last whole block, wherever the process was killed', async () => {
    const { folder, ends } = await written(3);
    const bytes = await readFile(fileOf(folder));
    for (let length = 0; length < bytes.length; length++) {
      const killed = folderOf();
      await mkdir(killed);
      await writeFile(fileOf(killed), bytes.subarray(0, length));
      const whole = ends.filter((end) => end <= length).length;
      const { position, contents } = await found(killed);
      expect({ length, position }).toEqual({ length, position: whole === 0 ? undefined : { line: whole } });
      expect(contents).toHaveLength(whole);
      expect((await found(killed)).damaged).toBe(0);
    }
  });

  it('ends before the first damage: nothing behind it is used', async () => {
    const { folder, ends } = await written(4);
    const bytes = await readFile(fileOf(folder));
    for (let at = ends[0]!; at < ends[1]!; at++) {
      const broken = Buffer.from(bytes);
      broken[at]! ^= 0x10;
      await writeFile(fileOf(folder), broken);
      expect((await found(folder)).contents).toEqual(['content 1']);
    }
  });

  it('takes no block that was written behind others', async () => {
    const { folder, ends } = await written(3);
    const bytes = await readFile(fileOf(folder));
    await truncate(fileOf(folder), ends[0]!);
    await appendFile(fileOf(folder), bytes.subarray(ends[1]!));
    expect((await found(folder)).contents).toEqual(['content 1']);
  });

  it('is refused to a run with other input or rules, and left as it is', async () => {
    const { folder } = await written(2);
    const other = { input: ['b.ndjson'], 'set of rules': 'abd' };
    await expect(Spool.open(folder, other)).rejects.toThrow(SpoolRefused);
    await expect(Spool.open(folder, other)).rejects.toThrow('had another input and another set of rules');
    expect((await found(folder)).contents).toHaveLength(2);
  });

  it('is refused where the file is something else', async () => {
    const folder = folderOf();
    await mkdir(folder);
    await writeFile(fileOf(folder), 'my own notes\n');
    await expect(Spool.open(folder, IDENTITY)).rejects.toThrow(SpoolRefused);
    expect(await readFile(fileOf(folder), 'utf8')).toBe('my own notes\n');
  });

  it('is removed, and the folder with it unless it holds something else', async () => {
    const { folder } = await written(1);
    const spool = await Spool.open(folder, IDENTITY);
    await writeFile(join(folder, 'notes.txt'), 'mine');
    await spool.remove();
    await spool.close();
    expect(await readdir(folder)).toEqual(['notes.txt']);
    await rm(join(folder, 'notes.txt'));
    const again = await Spool.open(folder, IDENTITY);
    await again.remove();
    await again.close();
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });
});
