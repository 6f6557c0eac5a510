import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

/** A process of the run that may be frozen, killed and started again. It dies with the run, however that ends. */
export class Child {
  readonly name: string;
  readonly #command: readonly string[];
  readonly #env: Record<string, string>;
  readonly logFile: string;
  #process: ChildProcess | undefined;

  constructor(name: string, command: readonly string[], logFile: string, env: Record<string, string> = {}) {
    this.name = name;
    this.#command = command;
    this.#env = env;
    this.logFile = logFile;
  }

  get alive(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** `onExit` hears of the end of this start, whoever brought it about. */
  start(onExit: (how: number | NodeJS.Signals) => void = () => undefined): void {
    if (this.alive) return;
    const log = openSync(this.logFile, 'a');
    // The kernel kills it when this process is gone.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...this.#command], {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child.once('exit', (code, signal) => onExit(code ?? signal!));
    child.once('error', (error) => {
      throw new Error(`${this.name} cannot be started (setpriv is part of util-linux)`, { cause: error });
    });
    this.#process = child;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.alive) this.#process!.kill(signal);
  }

  /** Dead or frozen. Answers what brings it back. */
  async halt(how: 'SIGKILL' | 'SIGSTOP'): Promise<() => void> {
    if (how === 'SIGKILL') {
      await this.kill();
      return () => this.start();
    }
    this.signal('SIGSTOP');
    return () => this.signal('SIGCONT');
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Answers the exit code; null when a signal ended it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    if (child === undefined) return null;
    if (this.alive) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    return child.exitCode;
  }
}
