import type { Command } from 'commander';
import { createLogger } from '../adapters/telemetry/log.ts';
import type { Check } from '../app/doctor/check.ts';
import { examine } from '../app/doctor/doctor.ts';
import { hanging } from './columns.ts';
import { configOf, configOptions } from './settings.ts';

const WIDTH = 110;

export function registerDoctor(program: Command): void {
  const doctor = program
    .command('doctor')
    .description('look at all that a deployment rests on, and name the command that mends what is wrong')
    .option('--json', 'one JSON array for programs')
    .addHelpText(
      'after',
      '\nTopics and their settings, replicas, ACLs, the group, Redis, clocks, keys, policy, baseline. Nothing is changed.' +
        '\nExit code: 0 when nothing is wrong, 1 otherwise. What this login may not see is "unknown" and no problem.' +
        '\n\nExample:\n  firebreak doctor --brokers localhost:9092 --redis redis://localhost:6379',
    );
  const used = (path: string) => /^(kafka|redis|keys)\./.test(path);
  configOptions(doctor, used).action(async (options: Record<string, unknown>) => {
    const checks = await examine(configOf(options), createLogger('silent'));
    const text =
      options['json'] === true ? `${JSON.stringify(checks, null, 2)}\n` : `${checks.flatMap(lines).join('\n')}\n`;
    process.stdout.write(text);
    process.exitCode = checks.some(({ status }) => status === 'problem') ? 1 : 0;
  });
}

function lines({ about, status, found, mend }: Check): string[] {
  const head = `${{ ok: 'ok', problem: 'PROBLEM', unknown: 'unknown' }[status].padEnd(9)}`;
  const said = hanging(head, `${about}: ${found}`, WIDTH);
  // A command stands on one line, however long: it is there to be copied.
  return mend === undefined ? said : [...said, `${' '.repeat(head.length)}→ ${mend}`];
}
