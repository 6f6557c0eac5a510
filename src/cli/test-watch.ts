import { once } from 'node:events';
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Editors write a file in several steps, and a checkout changes many: a run begins when it has been quiet so long. */
const QUIET_MS = 200;

/**
 * Runs at once and then after every change below the paths, one run at a time, until `stopped`. `written` is what the
 * run itself writes: it may lie below the paths too.
 */
export async function watchPaths(
  paths: readonly string[],
  written: string | undefined,
  run: () => Promise<void>,
  stopped: AbortSignal,
): Promise<void> {
  let changed = false;
  let wake = (): void => {};
  const note = (): void => {
    changed = true;
    wake();
  };
  const watchers: FSWatcher[] = [];
  const failures: Error[] = [];
  stopped.addEventListener('abort', () => wake(), { once: true });
  try {
    // Before the first run: what changes while it runs is seen.
    for (const folder of await foldersOf(paths)) {
      const watcher = watch(folder, { recursive: true }, (_, name) => {
        if (written === undefined || name === null || resolve(folder, name) !== resolve(written)) note();
      });
      watchers.push(watcher);
      watcher.on('error', (error) => {
        failures.push(error);
        wake();
      });
    }
    for (;;) {
      await run();
      while (!changed && !stopped.aborted && failures.length === 0) {
        await new Promise<void>((go) => {
          wake = go;
          if (changed || stopped.aborted) go();
        });
      }
      while (changed && !stopped.aborted) {
        changed = false;
        await quiet(stopped);
      }
      if (failures.length > 0) throw failures[0]!;
      if (stopped.aborted) return;
    }
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}

/** An editor replaces a file by another one: the folder sees it, the old file does not. */
async function foldersOf(paths: readonly string[]): Promise<Set<string>> {
  const found = await Promise.all(paths.map(async (path) => ((await stat(path)).isDirectory() ? path : dirname(path))));
  return new Set(found);
}

async function quiet(stopped: AbortSignal): Promise<void> {
  await once(AbortSignal.any([AbortSignal.timeout(QUIET_MS), stopped]), 'abort');
}
