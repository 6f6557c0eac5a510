import { setTimeout as sleep } from 'node:timers/promises';
import { Deployment } from './deployment.ts';
import { FAULTS, type FaultName } from './faults.ts';
import { type HaltName, halts } from './halts.ts';
import { happen } from './happen.ts';
import { benign, flushLarge } from './large.ts';
import { countOf, type Topology } from './redis-nodes.ts';
import { report, type Told } from './report.ts';
import type { Stand } from './stand.ts';

/** A row of the failure matrix that one machine can run. */
export interface Scenario {
  about: string;
  topologies: readonly Topology[];
  /** Answers what is wrong; nothing when all is well. */
  run(stand: Stand, told: Told): Promise<string[]>;
}

interface FaultScenario {
  about: string;
  fault: FaultName;
  times?: number;
  /** Before the fault no action comes any more. */
  idle?: true;
  perSecond?: number;
  /** Counts of Redis that must have grown: otherwise the fault met nobody. */
  met?: readonly string[];
}

const FAULT_SCENARIOS = {
  'broker-kill': { about: '1 of 3 brokers is killed', fault: 'kill-broker', times: 3 },
  'broker-freeze': { about: '1 of 3 brokers answers nothing', fault: 'freeze-broker', times: 2 },
  'leader-change': { about: 'every partition gets another leader', fault: 'leader-change', times: 2 },
  'brokers-down': { about: 'all brokers are killed', fault: 'brokers-down' },
  'no-produce': { about: 'what the analyzers write is refused, what they read is not', fault: 'no-produce', times: 2 },
  rebalance: { about: 'analyzers come and go', fault: 'rebalance', times: 6 },
  poison: { about: 'records that no policy can judge', fault: 'poison' },
  sigkill: { about: 'an analyzer is killed', fault: 'kill-analyzer', times: 5 },
  sigstop: { about: 'an analyzer freezes beyond its session, and goes on', fault: 'freeze-analyzer', times: 2 },
  'blocked-loop': { about: 'the event loop of an analyzer is blocked for 45 s', fault: 'block-loop' },
  'redis-kill': { about: 'the primary is killed', fault: 'kill-redis', times: 2 },
  'redis-down': { about: 'every Redis node is killed', fault: 'redis-down' },
  'redis-slow': { about: 'each answer of Redis comes 600 ms late', fault: 'redis-slow', times: 2 },
  'redis-freeze': { about: 'Redis freezes; what it was sent may be applied late', fault: 'freeze-redis', times: 3 },
  'redis-lost-replies': {
    about: 'Redis does what it is told, its answers are lost',
    fault: 'redis-lost-replies',
    times: 3,
  },
  'redis-oom': { about: 'Redis refuses writes', fault: 'redis-oom', times: 2, met: ['errorstat_OOM'] },
  failover: { about: 'a failover loses the last writes', fault: 'failover-losing-writes', times: 2 },
  'failover-idle': { about: 'the same, and no action comes any more', fault: 'failover-losing-writes', idle: true },
  flushall: { about: 'FLUSHALL under load', fault: 'flushall', times: 2 },
  'flushall-idle': { about: 'FLUSHALL, and no action comes any more', fault: 'flushall', idle: true },
  'deleted-key': { about: 'a key of the state is deleted', fault: 'delete-key', times: 3 },
  'deleted-session': { about: 'one session is deleted from the state', fault: 'delete-session', times: 2 },
  'script-flush': { about: 'Redis forgets the scripts', fault: 'script-flush', times: 3, met: ['errorstat_NOSCRIPT'] },
  'slot-migration': {
    about: 'the slot of a partition moves to another node of the cluster while it is judged',
    fault: 'slot-migration',
    times: 4,
    met: ['errorstat_TRYAGAIN', 'cmdstat_asking'],
  },
  'kafka-hole': { about: 'the network to Kafka swallows everything', fault: 'kafka-hole', times: 2 },
  'redis-hole': { about: 'the network to Redis swallows everything', fault: 'redis-hole', times: 2 },
  'clock-step': {
    about: 'the wall clock of an analyzer steps an hour forward and back',
    fault: 'clock-step',
    times: 3,
  },
  policy: { about: 'policies change under load', fault: 'policy', times: 4 },
  repeated: { about: 'records come twice, or an hour late', fault: 'repeated', times: 2 },
  burst: { about: 'thousands of actions at once', fault: 'burst', times: 3 },
} as const satisfies Record<string, FaultScenario>;

const HALTS: Record<HaltName, string> = {
  'retention-passed': 'records are deleted before they were judged: it stops, and skips nothing',
  'topic-recreated': 'the topic is deleted and made anew: it stops',
  'partition-added': 'the topic gets another partition: it stops',
  'bad-policy': 'rules with mistakes are refused, a forged activation too: the old policy stays',
  'bomb-batch': 'batches that would end the client are refused by the brokers, or survived',
  'open-transaction': 'a transaction that nobody ends hides nothing',
  'lease-expires': 'while nobody judges, no lease is renewed',
};

/** Takes its minutes, so `all` leaves it out. */
export const BENIGN = 'benign';

export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map<string, Scenario>([
  ...Object.entries(FAULT_SCENARIOS).map(([name, scenario]) => [name, ofFault(name, scenario)] as const),
  ...Object.entries(HALTS).map(([name, about]) => {
    const topologies = ['sentinel'] as const;
    const one: Scenario = { about, topologies, run: (stand, told) => halts[name as HaltName](stand, told) };
    return [name, one] as const;
  }),
  ['flushall-large', { about: 'FLUSHALL with 100,000 sessions', topologies: ['sentinel'], run: flushLarge }],
  [
    BENIGN,
    {
      about: 'harmless sessions, as many as --sessions says, while everything breaks',
      topologies: ['sentinel'],
      run: benign,
    },
  ],
]);

function ofFault(name: string, { about, fault, times = 1, idle, perSecond, met = [] }: FaultScenario): Scenario {
  return {
    about,
    topologies: FAULTS[fault].topologies,
    run: async (stand, told) => {
      const options = { name, seed: told.seed, ...(perSecond === undefined ? {} : { perSecond }) };
      const deployment = await Deployment.start(stand, options);
      const before = await countsOf(stand, met);
      try {
        for (let time = 0; time < times; time++) {
          await sleep(2000 + told.random() * 1000);
          if (idle) {
            await deployment.stopPump();
            await deployment.recovered();
          }
          await happen(deployment, fault, told, async () => {
            const ms = await deployment.recovered();
            told.say(`    at the end of the log ${(ms / 1000).toFixed(1)} s after it began`);
          });
          await deployment.recovered();
        }
        for (const { name: who, how, reason } of deployment.fleet.ends)
          told.say(`    ${who} ended by itself with ${how}: ${reason}`);
        const after = await countsOf(stand, met);
        const grown = met.map((name) => `${name} ${after.get(name)! - before.get(name)!}`);
        if (met.length > 0) told.say(`    Redis counted ${grown.join(', ')}`);
        const unmet = met.filter((name) => after.get(name) === before.get(name));
        const faults = report(await deployment.verify(), told);
        return [...faults, ...unmet.map((name) => `${name} did not grow: the fault met nobody`)];
      } finally {
        await deployment.close();
      }
    },
  };
}

async function countsOf({ redis }: Stand, names: readonly string[]): Promise<Map<string, number>> {
  return new Map(await Promise.all(names.map(async (name) => [name, await countOf(redis, name)] as const)));
}
