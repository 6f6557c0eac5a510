import type { Command } from 'commander';
import { ActivationHistory } from '../adapters/kafka/activation-history.ts';
import { readTopicFacts } from '../adapters/kafka/topic-facts.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import { activate, adviseActivation } from '../app/activation.ts';
import type { Config } from '../app/config.ts';
import { kafkaOf, outletOf, policyLibraryOf, policyTopicOf } from '../app/kafka-parts.ts';
import { loadKeyFile } from '../app/keys.ts';
import { loadPolicyFolder, policyHash } from '../app/rule-folder.ts';
import type { PolicyBody } from '../domain/rule.ts';
import { configOf, configOptions } from './settings.ts';

export function registerActivate(program: Command): void {
  const command = program
    .command('activate')
    .description('make a folder of rules the policy: one record in every partition of the log')
    .argument('<dir>', 'the rules')
    .option('--by <name>', 'who activates it, for the record', process.env['USER'] ?? 'unknown')
    .option('--force', 'also a policy that was replaced before')
    .addHelpText('after', '\nExample:\n  firebreak activate rules --brokers localhost:9092');
  const used = (path: string) => path.startsWith('kafka.') || path === 'keys.file';
  configOptions(command, used).action(
    async (dir: string, options: { by: string; force?: true } & Record<string, unknown>) => {
      await activateOn(
        configOf(options),
        await loadPolicyFolder(dir),
        options.by,
        options.force ? 'replace' : 'refuse',
      );
    },
  );
}

/** What to do with a policy that was in force once and was replaced: it may be an old folder on an old machine. */
export type Superseded = 'refuse' | 'replace' | 'keep';

export async function activateOn(config: Config, body: PolicyBody, by: string, superseded: Superseded): Promise<void> {
  const logger = createLogger('error');
  const kafka = kafkaOf(config, logger);
  const { topicPrefix } = config.kafka;
  const keys = await loadKeyFile(config.keys.file);
  const { partitions } = await readTopicFacts(kafka, `${topicPrefix}actions`);
  const library = policyLibraryOf(config, kafka);
  const outlet = outletOf(config, { kafka, logger, signingKey: keys.signing, onMinimalForm: () => {} });
  const history = new ActivationHistory(kafka, policyTopicOf(topicPrefix));
  try {
    const hash = policyHash(body);
    const past = (await history.read()).map((one) => one.hash);
    const advice = adviseActivation(hash, past);
    if (advice === 'in_force') {
      process.stdout.write(`policy ${hash}: in force already\n`);
      if (superseded !== 'replace') return;
    } else if (advice === 'superseded' && superseded === 'refuse') {
      throw new Error(`policy ${hash} was in force and was replaced by ${past.at(-1)}; to bring it back use --force`);
    } else if (past.length > 0 && superseded === 'keep') {
      process.stdout.write(`policy: ${past.at(-1)} is in force; to replace it use firebreak activate\n`);
      return;
    }
    const policy = await activate(body, by, { library, outlet, history, clock: systemClock, partitions });
    process.stdout.write(`policy ${policy.hash}: ${body.rules.length} rules, activated in ${partitions} partitions\n`);
  } finally {
    await Promise.all([library.close(), outlet.close()]);
  }
}
