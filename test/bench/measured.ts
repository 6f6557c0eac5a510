import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';

const SAMPLE_MS = 200;
const MAIN = 'dist/cli/main.js';

/** A verb in a process of its own over so many events, start and report too. */
export async function measured(events: number, ...args: string[]): Promise<string> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const closed = once(child, 'close');
  let running = true;
  closed.then(() => {
    running = false;
  });
  let usage = { peakMiB: 0, cpuS: 0 };
  while (running) {
    usage = (await usageOf(child.pid!)) ?? usage;
    await Promise.race([sleep(SAMPLE_MS), closed]);
  }
  const [code] = (await closed) as [number | null];
  expect(code, err).toBe(0);
  const seconds = (performance.now() - startedMs) / 1000;
  const perSecond = Math.round(events / seconds).toLocaleString('en');
  const cpu = `${((usage.cpuS / events) * 1e6).toFixed(1)} µs CPU each`;
  return `${perSecond} events/s, ${seconds.toFixed(1)} s, ${cpu}, ${Math.round(usage.peakMiB)} MiB at most`;
}

/** Linux only: elsewhere the columns say 0. Ticks of processor time are hundredths of a second there. */
async function usageOf(pid: number): Promise<{ peakMiB: number; cpuS: number } | undefined> {
  try {
    const [status, times] = await Promise.all(
      ['status', 'stat'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')),
    );
    const fields = times!.slice(times!.lastIndexOf(')') + 2).split(' ');
    const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(status!)?.[1]);
    return Number.isNaN(peakKiB)
      ? undefined
      : { peakMiB: peakKiB / 1024, cpuS: (Number(fields[11]) + Number(fields[12])) / 100 };
  } catch {
    return undefined; // the process has ended, and the last sample holds
  }
}
