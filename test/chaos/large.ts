import { setTimeout as sleep } from 'node:timers/promises';
import { Deployment } from './deployment.ts';
import type { FaultName } from './faults.ts';
import { happen } from './happen.ts';
import { ask } from './redis-nodes.ts';
import { report, type Told } from './report.ts';
import type { Stand } from './stand.ts';

const LARGE = 100_000;
const AT_ONCE = 5000;
const RECOVERED_WITHIN_MS = 900_000;
const WHILE_BENIGN: readonly FaultName[] = ['kill-analyzer', 'kill-redis', 'kill-broker', 'redis-hole', 'rebalance'];

/** FLUSHALL when the state is large: the log has to make all of it anew. */
export async function flushLarge(stand: Stand, told: Told): Promise<string[]> {
  const deployment = await Deployment.start(stand, { name: 'flush-large', seed: told.seed });
  try {
    await deployment.stopPump();
    await produceOnce(deployment, LARGE);
    const first = await deployment.recovered(RECOVERED_WITHIN_MS);
    told.say(`  ${LARGE} sessions judged ${seconds(first)} s after the last was written`);
    const { redis } = stand;
    for (const node of await redis.primaries()) await ask(redis.ports[node]!, (client) => client.flushall());
    const again = await deployment.recovered(RECOVERED_WITHIN_MS);
    told.say(`  FLUSHALL: all of them rebuilt from the log after ${seconds(again)} s`);
    deployment.pump();
    await sleep(2000);
    return report(await deployment.verify(), told);
  } finally {
    await deployment.close();
  }
}

/** Sessions that do no harm while everything breaks: not one of them may be paused or killed. */
export async function benign(stand: Stand, told: Told): Promise<string[]> {
  const deployment = await Deployment.start(stand, { name: 'benign', seed: told.seed, perSecond: 20 });
  try {
    const { sessions } = told;
    let judging = true;
    const judged = produceOnce(deployment, sessions)
      .then(() => deployment.recovered(RECOVERED_WITHIN_MS))
      .finally(() => {
        judging = false;
      });
    judged.catch(() => undefined); // told below
    let faults = 0;
    for (; judging; faults++) {
      await happen(deployment, WHILE_BENIGN[faults % WHILE_BENIGN.length]!, told);
      await sleep(5000);
    }
    const ms = await judged;
    told.say(
      `  ${sessions} harmless sessions under ${faults} faults, judged ${seconds(ms)} s after the last was written`,
    );
    const found = await deployment.verify();
    const missing = sessions - found.sessions;
    return [...report(found, told), ...(missing > 0 ? [`${missing} sessions never came into the log`] : [])];
  } finally {
    await deployment.close();
  }
}

async function produceOnce(deployment: Deployment, sessions: number): Promise<void> {
  for (let at = 0; at < sessions; at += AT_ONCE) {
    await deployment.produce(deployment.traffic.once(Math.min(AT_ONCE, sessions - at), Date.now()));
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
