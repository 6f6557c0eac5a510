import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** One rule: the fourth deletion of a session within ten minutes leads to `then`. `settings` are those of the policy. */
export function manyDeletions(then: 'pause' | 'kill', settings: Record<string, string | number> = {}): string {
  const policy = Object.entries(settings).map(([name, value]) => `${name}: ${value}\n`);
  return `${policy.length === 0 ? '' : `kind: policy\n${policy.join('')}---`}
id: many-deletions
title: Many deletions
severity: high
match: { action: delete }
within: 10m
measure: { deletes: count }
when: { ${then}: deletes > 3 }
`;
}

/** First letter of the state that the system gives the process: T is stopped; undefined when there is none. */
export function stateOf(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)])
      .toString()
      .trim()[0];
  } catch {
    return undefined; // ps says with its exit code that there is no such process
  }
}

/** What the runner says, one line of JSON each. */
export interface RunnerSaid {
  what: string;
  pid: number;
  command?: string;
}

/** A process that deletes without end, under the example of an enforcer. */
export interface Runaway {
  runner: ChildProcess;
  /** Of the process itself; 0 until the runner has said something. */
  pid(): number;
  /** Fulfilled with the next thing of that kind that is said, after what was heard before. */
  heard(what: string): Promise<RunnerSaid>;
  exited: Promise<unknown>;
  /** Ends both, if they still run. */
  end(): void;
}

/** `more`: flags of the runner. */
export function startRunaway(flags: readonly string[], session: string, everyMs: number, ...more: string[]): Runaway {
  const [, brokers, , prefix, , keys] = flags as string[];
  const runner = spawn(
    process.execPath,
    [
      ...['fixtures/enforcer/runner.mjs', '--session', session, '--brokers', brokers!, '--topic-prefix', prefix!],
      ...['--keys', keys!, ...more, '--', process.execPath, 'fixtures/enforcer/agent.mjs', '1000000', String(everyMs)],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let pid = 0;
  const said: RunnerSaid[] = [];
  const lines = createInterface(runner.stdout!).on('line', (line) => {
    said.push(JSON.parse(line));
    pid = said.at(-1)!.pid;
  });
  return {
    runner,
    pid: () => pid,
    async heard(what) {
      for (;;) {
        const at = said.findIndex((one) => one.what === what);
        if (at >= 0) return said.splice(0, at + 1).at(-1)!;
        await once(lines, 'line');
      }
    },
    exited: once(runner, 'exit'),
    end() {
      runner.kill('SIGKILL');
      if (pid !== 0 && stateOf(pid) !== undefined) process.kill(-pid, 'SIGKILL');
    },
  };
}
