import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../dist/cli/main.js');

export interface Run {
  code: number | null;
  out: string;
  err: string;
}

export interface RunOptions {
  cwd: string;
  env?: Record<string, string>;
  /** Written to standard input. */
  input?: Buffer | string;
  /** Called when the input is written: standard input then stays open. */
  after?(child: ChildProcess): void;
}

/** The built program, as a user starts it, in another folder than the project's. */
export function runProgram(args: readonly string[], { cwd, env = {}, input = '', after }: RunOptions): Promise<Run> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...process.env, ...env } });
  const run: Run = { code: null, out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    run.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    run.err += chunk;
  });
  child.stdin.on('error', () => {}); // it may end before it has read all
  if (after === undefined) child.stdin.end(input);
  else child.stdin.write(input, () => after(child));
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) => done({ ...run, code }));
  });
}
