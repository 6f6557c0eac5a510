import { mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './run.ts';

const ROOMY = '4g';
const FULL_WITHIN_MS = 10_000;

/** Where the servers of a stand keep their data: in folders of this machine, or each on a disk that can be full. */
export type Disks = 'shared' | 'own';

/** A tmpfs over a folder: its size is set to what it holds, and the next write is answered ENOSPC. */
export class Disk {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async mount(folder: string): Promise<Disk> {
    mkdirSync(folder, { recursive: true });
    const { code, err } = await run(['mount', '-t', 'tmpfs', '-o', `size=${ROOMY}`, 'firebreak-chaos', folder]);
    if (code !== 0) throw new Error(`no disk can be mounted here: ${err.trim()}`);
    return new Disk(folder);
  }

  async fill(): Promise<void> {
    const deadlineMs = performance.now() + FULL_WITHIN_MS;
    for (;;) {
      const { blocks, bfree, bsize } = await statfs(this.#folder);
      const { code, err } = await this.#resize(String((blocks - bfree) * bsize));
      if (code === 0) return;
      if (performance.now() > deadlineMs) throw new Error(`${this.#folder} is never full: ${err.trim()}`);
      await sleep(5); // it has grown meanwhile
    }
  }

  async free(): Promise<void> {
    const { code, err } = await this.#resize(ROOMY);
    if (code !== 0) throw new Error(`${this.#folder} stays full: ${err.trim()}`);
  }

  async unmount(): Promise<void> {
    await run(['umount', '--lazy', this.#folder]);
  }

  #resize(size: string): ReturnType<typeof run> {
    return run(['mount', '-o', `remount,size=${size}`, this.#folder]);
  }
}

/** One for each folder; none where the machine's own disk is to be used. */
export function mountDisks(disks: Disks, folders: readonly string[]): Promise<Disk[]> {
  return disks === 'own' ? Promise.all(folders.map((folder) => Disk.mount(folder))) : Promise.resolve([]);
}
