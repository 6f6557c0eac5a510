import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateOf } from '../integration/runaway.ts';
import { Child } from './child.ts';
import type { Deployment } from './deployment.ts';

const LOOK_EVERY_MS = 100;

/** A process of its own group that does nothing until it is stopped. It dies with the run. */
export class Agent {
  readonly session: string;
  readonly tenant: string | undefined;
  readonly pid: number;

  constructor(session: string, tenant?: string) {
    this.session = session;
    this.tenant = tenant;
    const command = ['--pdeathsig', 'KILL', 'sleep', 'infinity'];
    this.pid = spawn('setpriv', command, { stdio: 'ignore', detached: true }).pid!;
  }

  get is(): 'running' | 'stopped' | 'dead' {
    const state = stateOf(this.pid);
    if (state === undefined || state === 'Z') return 'dead';
    return state === 'T' ? 'stopped' : 'running';
  }

  end(): void {
    if (this.is !== 'dead') process.kill(-this.pid, 'SIGKILL');
  }
}

export interface EnforcerChoice {
  class?: string;
  deadManAfterMs?: number;
  whileBlind?: { tenants: Record<string, 'run' | 'pause'>; others: 'run' | 'pause' };
}

/** A process with the library `firebreak/enforcer`, which can be frozen as any other. */
export class EnforcerProcess {
  readonly child: Child;

  constructor(deployment: Deployment, name: string, agents: readonly Agent[], choice: EnforcerChoice) {
    const { prefix, folder, stand } = deployment;
    const options = {
      name,
      brokers: stand.brokers.linked,
      topicPrefix: `${prefix}.`,
      keyFile: join(folder, 'keys.json'),
      agents: agents.map(({ session, tenant, pid }) => ({ session, tenant, pid })),
      ...choice,
    };
    const command = [process.execPath, 'test/chaos/enforcer.mjs', JSON.stringify(options)];
    this.child = new Child(`enforcer ${name}`, command, join(folder, `enforcer-${name}.log`));
    this.child.start();
  }

  /** What it said, and what the library logged. */
  get said(): string {
    return readFileSync(this.child.logFile, 'utf8');
  }

  async ready(): Promise<void> {
    await until(`${this.child.name} is ready`, 60_000, () => this.said.includes('"what":"ready"'));
  }
}

/** Answers how long it took, ms; throws when it does not come about. */
export async function until(what: string, withinMs: number, holds: () => Promise<boolean> | boolean): Promise<number> {
  const beganMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - beganMs > withinMs) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
  return performance.now() - beganMs;
}
