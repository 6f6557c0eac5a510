import type { Disks } from './disk.ts';
import { deadMan, enforcerSilent } from './enforcing.ts';
import { BOTH, type Fault } from './fault.ts';
import { BROKERS_FOUND_FULL, type FaultScenario, playFault, redisCounts } from './fault-scenario.ts';
import { FAULTS } from './faults.ts';
import { type HaltName, halts } from './halts.ts';
import { benign, flushLarge } from './large.ts';
import type { Topology } from './redis-nodes.ts';
import type { Told } from './report.ts';
import type { Stand } from './stand.ts';

/** A row of the failure matrix that one machine can run. */
export interface Scenario {
  about: string;
  topologies: readonly Topology[];
  disks?: Disks;
  /** Answers what is wrong; nothing when all is well. */
  run(stand: Stand, told: Told): Promise<string[]>;
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
  'redis-oom': { about: 'Redis refuses writes', fault: 'redis-oom', times: 2, met: [redisCounts('errorstat_OOM')] },
  'redis-oom-long': {
    about: 'Redis refuses writes for longer than a lease holds: nothing is judged, and no lease renewed',
    fault: 'redis-oom-long',
    blind: true,
    met: [redisCounts('errorstat_OOM')],
  },
  'redis-disk-full': {
    about: 'the disk of the Redis primary is full: another is promoted',
    fault: 'redis-disk-full',
    met: [redisCounts('errorstat_MISCONF')],
  },
  'redis-disks-full': {
    about: 'the disk of every Redis node is full: nothing is judged, and no lease renewed',
    fault: 'redis-disks-full',
    blind: true,
    met: [redisCounts('errorstat_MISCONF')],
  },
  'broker-disk-full': {
    about: 'the disk of 1 of 3 brokers is full',
    fault: 'broker-disk-full',
    met: [BROKERS_FOUND_FULL],
  },
  'broker-disks-full': {
    about: 'the disk of every broker is full: nothing is judged, and no lease renewed',
    fault: 'broker-disks-full',
    blind: true,
    met: [BROKERS_FOUND_FULL],
  },
  failover: { about: 'a failover loses the last writes', fault: 'failover-losing-writes', times: 2 },
  'failover-idle': { about: 'the same, and no action comes any more', fault: 'failover-losing-writes', idle: true },
  flushall: { about: 'FLUSHALL under load', fault: 'flushall', times: 2 },
  'flushall-idle': { about: 'FLUSHALL, and no action comes any more', fault: 'flushall', idle: true },
  'deleted-key': { about: 'a key of the state is deleted', fault: 'delete-key', times: 3 },
  'deleted-session': { about: 'one session is deleted from the state', fault: 'delete-session', times: 2 },
  'script-flush': {
    about: 'Redis forgets the scripts',
    fault: 'script-flush',
    times: 3,
    met: [redisCounts('errorstat_NOSCRIPT')],
  },
  'slot-migration': {
    about: 'the slot of a partition moves to another node of the cluster while it is judged',
    fault: 'slot-migration',
    times: 4,
    met: [redisCounts('errorstat_TRYAGAIN'), redisCounts('cmdstat_asking')],
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
  [
    'enforcer-silent',
    {
      about: 'an enforcer freezes and never acknowledges: the next class acts, or people are called',
      topologies: BOTH,
      run: enforcerSilent,
    },
  ],
  [
    'dead-man',
    {
      about: 'every analyzer is dead: enforcers pause, or let run, as each tenant has chosen',
      topologies: BOTH,
      run: deadMan,
    },
  ],
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

function ofFault(name: string, scenario: FaultScenario): Scenario {
  const { topologies, disks = 'shared' } = FAULTS[scenario.fault] as Fault;
  return { about: scenario.about, topologies, disks, run: (stand, told) => playFault(name, scenario, stand, told) };
}
