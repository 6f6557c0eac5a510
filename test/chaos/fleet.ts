import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.ts';

const MAIN = 'dist/cli/main.js';
const RESTART_AFTER_MS = 300;
const STOP = 'SIGTERM';

export interface FleetOptions {
  size: number;
  flags: readonly string[];
  env: Record<string, string>;
  folder: string;
  /** A module that each analyzer loads first: it does to the process what no signal can. */
  preload?: string;
}

/** An end that nobody here brought about. */
export interface OwnEnd {
  name: string;
  how: number | NodeJS.Signals;
  /** Its last words. */
  reason: string;
}

/** Some analyzers, and what a deployment does with them: whoever ends is started again. */
export class Fleet {
  readonly members: Child[];
  readonly ends: OwnEnd[] = [];
  readonly #options: FleetOptions;
  readonly #killed = new Set<Child>();
  #supervised = true;

  constructor(options: FleetOptions) {
    this.#options = options;
    const preload = options.preload === undefined ? [] : ['--import', options.preload];
    const command = [process.execPath, ...preload, MAIN, 'run', ...options.flags, '--http-port', '0'];
    this.members = Array.from({ length: options.size }, (_, at) => {
      const name = `analyzer ${at + 1}`;
      return new Child(name, command, this.#logOf(name), options.env);
    });
  }

  start(): void {
    this.#supervised = true;
    for (const member of this.members) this.#start(member);
  }

  /** SIGKILL; the supervisor starts it again. */
  async kill(member: Child): Promise<void> {
    this.#killed.add(member);
    await member.kill();
  }

  /** Leaves them alone from here on: a process that ends stays ended. */
  unsupervise(): void {
    this.#supervised = false;
  }

  /** SIGTERM to all; answers the exit codes. */
  async stop(): Promise<(number | null)[]> {
    this.#supervised = false;
    return Promise.all(this.members.map((member) => member.end(STOP)));
  }

  async killAll(): Promise<void> {
    this.#supervised = false;
    await Promise.all(this.members.map((member) => this.kill(member)));
  }

  log(member: Child): string {
    return readFileSync(this.#logOf(member.name), 'utf8');
  }

  #start(member: Child): void {
    member.start((how) => void this.#ended(member, how));
  }

  async #ended(member: Child, how: number | NodeJS.Signals): Promise<void> {
    // SIGTERM: it was told to stop before it listened for that.
    if (!this.#killed.delete(member) && how !== 0 && how !== STOP) {
      this.ends.push({ name: member.name, how, reason: lastWords(this.log(member)) });
    }
    await sleep(RESTART_AFTER_MS);
    if (this.#supervised) this.#start(member);
  }

  #logOf(name: string): string {
    return join(this.#options.folder, `${name.replace(' ', '-')}.log`);
  }
}

const FATAL = /"level":"fatal"|^firebreak: |Error:/;

function lastWords(log: string): string {
  const lines = log.trimEnd().split('\n').slice(-30);
  const fatal = lines.findLast((line) => FATAL.test(line)) ?? lines.at(-1) ?? '';
  try {
    const { msg, err } = JSON.parse(fatal) as { msg: string; err?: { message: string } };
    return err === undefined ? msg : `${msg}: ${err.message}`;
  } catch {
    return fatal; // not a line of its log: what Node says of an exception
  }
}
