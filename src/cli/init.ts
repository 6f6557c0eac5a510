import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { createTopics } from '../adapters/kafka/topics.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import { kafkaOf } from '../app/kafka-parts.ts';
import { generateKeyPair, loadKeyFile, signersOf, storeKeyFile } from '../app/keys.ts';
import { loadPack } from '../app/rule-pack.ts';
import { UnfitTopics } from '../app/service.ts';
import { activateOn } from './activate.ts';
import { configOf, configOptions } from './settings.ts';

const PARTITIONS = 64;

export function registerInit(program: Command): void {
  const init = program
    .command('init')
    .description('make the topics, a development key, and with --rules the first policy')
    .option('--partitions <number>', 'partitions of the log; changing it later is a migration', wholeNumber, PARTITIONS)
    .option('--replication-factor <number>', 'replicas of each topic; 3 in production', wholeNumber, 1)
    .addHelpText(
      'after',
      '\nSafe to repeat: what exists is compared, never changed. Exit code 1 when an existing topic is unfit.' +
        '\nThe key that it makes may sign everything and is for development; production brings its own.' +
        '\n\nExample:\n  firebreak init --brokers localhost:9092 --rules rules',
    );
  const used = (path: string) => path.startsWith('kafka.') || path === 'policy.rules' || path === 'keys.file';
  configOptions(init, used).action(async (options: InitOptions) => {
    const config = configOf(options);
    // Mistakes in the rules and tests that fail stop this before anything is made.
    // A key that is yet to be made has signed no baseline.
    const keys = existsSync(config.keys.file) ? await loadKeyFile(config.keys.file) : { keyring: new Map() };
    const { rules } = config.policy;
    const folder = rules === undefined ? undefined : await loadPack(rules, signersOf(config, keys));
    if (existsSync(config.keys.file)) say(`key file ${config.keys.file}: there already`);
    else {
      await storeKeyFile(config.keys.file, { key: generateKeyPair(), trusted: [] });
      say(`key file ${config.keys.file}: made, for development`);
    }
    const logger = createLogger('error');
    const { created, problems, identity } = await createTopics(kafkaOf(config, logger), {
      topicPrefix: config.kafka.topicPrefix,
      brokers: config.kafka.brokers,
      partitions: options.partitions,
      replicationFactor: options.replicationFactor,
      clock: systemClock,
    });
    say(created.length === 0 ? 'topics: all there already' : `topics made: ${created.join(', ')}`);
    say(`log ${config.kafka.topicPrefix}actions: topic id ${identity.topicId}, ${identity.partitions} partitions`);
    if (problems.length > 0) throw new UnfitTopics(problems);
    if (folder === undefined) say('no policy: nothing is judged until firebreak activate DIR, or run --rules DIR');
    else await activateOn(config, folder, { by: 'firebreak init', superseded: 'keep', doing: 'activate' });
  });
}

interface InitOptions extends Record<string, unknown> {
  partitions: number;
  replicationFactor: number;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`found "${text}"; allowed: a whole number from 1`);
  return value;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
