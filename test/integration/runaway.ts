import { execFileSync } from 'node:child_process';

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
