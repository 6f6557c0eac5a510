import type { Command } from 'commander';
import { type Activation, ActivationHistory } from '../adapters/kafka/activation-history.ts';
import { readTopicFacts } from '../adapters/kafka/topic-facts.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import { activate, adviseActivation } from '../app/activation.ts';
import type { Config } from '../app/config.ts';
import { kafkaOf, outletOf, policyLibraryOf, policyTopicOf } from '../app/kafka-parts.ts';
import { loadKeyFile, signersOf } from '../app/keys.ts';
import { policyChanges } from '../app/policy-changes.ts';
import { policyHash, type RuleFolder } from '../app/rule-folder.ts';
import { loadPack } from '../app/rule-pack.ts';
import { daysLeft, expiryText } from '../domain/expiry.ts';
import { PolicyBody } from '../domain/rule.ts';
import type { PolicyLibrary } from '../ports.ts';
import { counted } from './check.ts';
import { configOf, configOptions } from './settings.ts';

/** What ends within so many days is said when a policy is activated. */
const SOON_DAYS = 14;

export function registerActivate(program: Command): void {
  const command = program
    .command('activate')
    .description('make a folder of rules the policy: one record in every partition of the log')
    .argument('<dir>', 'the rules; they are checked and their tests run first')
    .option('--by <name>', 'who activates it, for the record', process.env['USER'] ?? 'unknown')
    .option('--dry-run', 'say what would change, and change nothing')
    .option('--force', 'also a policy that was replaced before')
    .addHelpText(
      'after',
      [
        '',
        'Says what changes against the policy that is in force: + added, ~ changed, - removed, which counts go on and',
        'which start empty, and which exceptions expire soon. Safe to repeat, also after a crash half-way.',
        '',
        'Exit code: 0 when the policy is in force, 1 when it is refused; the old one stays then.',
        '',
        'Example:',
        '  firebreak activate rules --brokers localhost:9092 --dry-run',
      ].join('\n'),
    );
  const used = (path: string) => path.startsWith('kafka.') || path === 'keys.file';
  configOptions(command, used).action(async (dir: string, options: ActivateOptions) => {
    const superseded = options.force ? 'replace' : 'refuse';
    const doing = options.dryRun ? 'tell' : 'activate';
    const config = configOf(options);
    const pack = await loadPack(dir, signersOf(config, await loadKeyFile(config.keys.file)));
    await activateOn(config, pack, { by: options.by, superseded, doing });
  });
}

interface ActivateOptions extends Record<string, unknown> {
  by: string;
  dryRun?: true;
  force?: true;
}

export interface ActivationWish {
  by: string;
  /**
   * What to do with a policy that was in force once and was replaced: it may be an old folder on an old machine. `keep`
   * leaves whatever is in force.
   */
  superseded: 'refuse' | 'replace' | 'keep';
  doing: 'activate' | 'tell';
}

export async function activateOn(config: Config, pack: RuleFolder, wish: ActivationWish): Promise<void> {
  const logger = createLogger('error');
  const kafka = kafkaOf(config, logger);
  const { topicPrefix } = config.kafka;
  const keys = await loadKeyFile(config.keys.file);
  const { partitions } = await readTopicFacts(kafka, `${topicPrefix}actions`);
  const library = policyLibraryOf(config, kafka);
  const outlet = outletOf(config, { kafka, logger, signingKey: keys.signing, onMinimalForm: () => {} });
  const history = new ActivationHistory(kafka, policyTopicOf(topicPrefix));
  try {
    const hash = policyHash(pack.body);
    const past = await history.read();
    const last = past.at(-1);
    const advice = adviseActivation(hash, past);
    if (advice !== 'in_force' && wish.superseded === 'keep' && last !== undefined && last.hash !== hash) {
      say(`policy: ${last.hash} is in force; to replace it use firebreak activate`);
      return;
    }
    for (const line of await reportOn(pack, last, library)) say(line);
    if (advice === 'superseded' && wish.superseded === 'refuse') {
      throw new Error(`policy ${hash} was in force and was replaced by ${last?.hash}; to bring it back use --force`);
    }
    if (advice === 'in_force') say(`policy ${hash}: in force already`);
    if (wish.doing === 'tell') say(`policy ${hash}: ${counted(pack.rules.length, 'rule')}, nothing was activated`);
    if (wish.doing === 'tell' || (advice === 'in_force' && wish.superseded !== 'replace')) return;
    await activate(pack.body, wish.by, { library, outlet, history, clock: systemClock, partitions });
    say(`policy ${hash}: ${counted(pack.rules.length, 'rule')}, activated in ${counted(partitions, 'partition')}`);
  } finally {
    await Promise.all([library.close(), outlet.close()]);
  }
}

/** What changes, and what expires soon or is expired. */
async function reportOn(
  { body, expiries }: RuleFolder,
  last: Activation | undefined,
  library: PolicyLibrary,
): Promise<string[]> {
  const nowMs = systemClock.nowMs();
  const ending = expiries
    .filter((one) => daysLeft(one, nowMs) <= SOON_DAYS)
    .map((one) => `! ${expiryText(one, nowMs)}`);
  if (last === undefined) return ending;
  const half = last.state === 'begun' ? ', which was not activated everywhere' : '';
  const before = PolicyBody.parse(JSON.parse(Buffer.from(await library.get(last)).toString('utf8')));
  const { lines, unchanged } = policyChanges(before, body);
  return [`against policy ${last.hash}${half}:`, ...lines, `  ${counted(unchanged, 'rule')} unchanged`, ...ending];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
