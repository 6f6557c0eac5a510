import type { Kafka } from 'kafkajs';
import { ActivationHistory } from '../../adapters/kafka/activation-history.ts';
import type { Baseline } from '../../domain/baseline.ts';
import { expiriesOf, expiryText, isExpired } from '../../domain/expiry.ts';
import { PolicyBody } from '../../domain/rule.ts';
import type { Clock } from '../../ports.ts';
import type { Config } from '../config.ts';
import { policyLibraryOf, policyTopicOf } from '../kafka-parts.ts';
import { Policies } from '../policies.ts';
import { type Check, messageOf, ok, problem } from './check.ts';

export async function checkPolicy(kafka: Kafka, config: Config, clock: Clock): Promise<Check[]> {
  const activate = `firebreak activate rules --brokers ${config.kafka.brokers.join(',')}`;
  const history = new ActivationHistory(kafka, policyTopicOf(config.kafka.topicPrefix));
  const last = (await history.read()).at(-1);
  if (last === undefined) return [problem('policy', 'none was activated: actions are counted, not judged', activate)];
  const library = policyLibraryOf(config, kafka);
  try {
    const told = `${last.hash.slice(0, 19)}…, activated ${last.at} by ${last.by}`;
    if (last.state === 'begun') {
      return [problem('policy', `${told}: it did not reach every partition`, `${activate} (the same folder, again)`)];
    }
    await new Policies(library).plan(last);
    const body = PolicyBody.parse(JSON.parse(Buffer.from(await library.get(last)).toString('utf8')));
    return [
      ok('policy', `${told}, ${body.rules.length} rules`),
      baselineCheck(body),
      ...expiryChecks(body, clock.nowMs()),
    ];
  } catch (error) {
    return [problem('policy', `${last.hash} cannot be followed: ${messageOf(error)}`, `upgrade, or ${activate}`)];
  } finally {
    await library.close();
  }
}

function baselineCheck({ intents = [], baseline }: PolicyBody): Check {
  const learn = 'firebreak learn LAST-MONTH.ndjson.gz --rules rules, then firebreak activate rules';
  if (intents.length === 0) return ok('baseline', 'the policy has no intents that would need one');
  if (baseline === undefined) {
    return problem('baseline', `${intents.length} intents and nothing learned: they judge nothing`, learn);
  }
  const unlearned = intents.filter(({ id }) => baseline.intents[id] === undefined).map(({ id }) => id);
  if (unlearned.length > 0) {
    return problem('baseline', `nothing was learned of ${unlearned.join(', ')}: they judge nothing`, learn);
  }
  const weak = weakest(baseline);
  if (weak !== undefined) return problem('baseline', weak, `${learn}: more sessions, or a larger budget`);
  return ok('baseline', `${intents.length} intents, learned from ${baseline.sessions.parameters} sessions`);
}

function weakest({ thresholds: { kill } }: Baseline): string | undefined {
  if (kill.grade !== 'insufficient') return undefined;
  return `${kill.n} sessions are too few to promise that at most ${kill.alpha * 100} % of harmless ones are killed`;
}

function expiryChecks({ rules }: PolicyBody, nowMs: number): Check[] {
  const expired = rules.flatMap((rule) => expiriesOf(rule)).filter((one) => isExpired(one, nowMs));
  return expired.map((one) =>
    problem('policy', expiryText(one, nowMs), 'remove it or give it another date, then firebreak activate rules'),
  );
}
