import type { Child } from './child.ts';
import type { Deployment } from './deployment.ts';
import { DISK_FAULTS } from './disk-faults.ts';
import { BOTH, type Fault, INSTANT, pick, type Random, SENTINEL } from './fault.ts';
import type { LinkMode } from './link.ts';
import { REDIS_FAULTS } from './redis-faults.ts';
import { ORDINARY } from './traffic.ts';

function analyzerOf({ fleet }: Deployment, random: Random): Child {
  return pick(random, fleet.members);
}

function linkFault(to: 'redis' | 'brokers', mode: LinkMode, lastsS: readonly [number, number]): Fault {
  return {
    lastsS,
    topologies: to === 'redis' ? SENTINEL : BOTH,
    inject: async ({ stand }) => {
      for (const link of stand[to].links) link.set(mode);
      const mend = () => {
        for (const link of stand[to].links) link.set('pass');
      };
      return { what: `all connections to ${to}: ${mode}`, mend };
    },
  };
}

function signalFault(signal: NodeJS.Signals, lastsS: readonly [number, number]): Fault {
  return {
    lastsS,
    topologies: BOTH,
    inject: async (deployment, random) => {
      const analyzer = analyzerOf(deployment, random);
      analyzer.signal(signal);
      const mend = signal === 'SIGSTOP' ? { mend: () => analyzer.signal('SIGCONT') } : {};
      return { what: `${analyzer.name}: ${signal}`, ...mend };
    },
  };
}

/** A broker is down or frozen, and is back in sync when it is over: two at a time would be another fault. */
function brokerFault(how: 'SIGKILL' | 'SIGSTOP', lastsS: readonly [number, number]): Fault {
  return {
    lastsS,
    topologies: BOTH,
    inject: async ({ stand: { brokers }, topic }, random) => {
      const broker = pick(random, brokers.nodes);
      const bringBack = await broker.halt(how);
      const mend = async () => {
        bringBack();
        await brokers.untilReady();
        await brokers.untilInSync(topic);
      };
      return { what: `${broker.name}: ${how}`, mend };
    },
  };
}

const everyBrokerDown: Fault = {
  lastsS: [15, 20],
  topologies: BOTH,
  inject: async ({ stand: { brokers }, topic }) => {
    await Promise.all(brokers.nodes.map((node) => node.kill()));
    const mend = async () => {
      for (const node of brokers.nodes) node.start();
      await brokers.untilReady();
      await brokers.untilInSync(topic);
    };
    return { what: 'every broker: SIGKILL', mend };
  },
};

/** Every partition gets another leader: its replicas in another order, and the first of them is preferred. */
const leaderChange: Fault = {
  lastsS: [6, 8],
  topologies: BOTH,
  inject: async ({ stand: { brokers }, topic }) => {
    await brokers.withAdmin(async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitionAssignment = topics[0]!.partitions.map(({ partitionId, replicas: [first, ...others] }) => {
        return { partition: partitionId, replicas: [...others, first!] };
      });
      await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] });
    });
    return { what: 'every partition: another preferred leader' };
  },
};

const membersComeAndGo: Fault = {
  lastsS: INSTANT,
  topologies: BOTH,
  inject: async (deployment, random) => {
    const analyzer = analyzerOf(deployment, random);
    await analyzer.end('SIGTERM');
    return { what: `${analyzer.name}: SIGTERM, and back` };
  },
};

const policyChange: Fault = {
  lastsS: INSTANT,
  topologies: BOTH,
  inject: async (deployment, random) => {
    const number = Math.floor(random() * deployment.policyCount);
    await deployment.activate(number);
    return { what: `policy ${number} activated` };
  },
};

const burst: Fault = {
  lastsS: INSTANT,
  topologies: BOTH,
  inject: async (deployment, random) => {
    const count = 1000 + Math.floor(random() * 3000);
    deployment.burst(count);
    return { what: `${count} actions at once` };
  },
};

function shapeFault(what: string, shape: Partial<typeof ORDINARY>): Fault {
  return {
    lastsS: [3, 5],
    topologies: BOTH,
    inject: async (deployment) => {
      deployment.shape = { ...ORDINARY, ...shape };
      const mend = () => {
        deployment.shape = ORDINARY;
      };
      return { what, mend };
    },
  };
}

export const FAULTS = {
  'kill-analyzer': {
    lastsS: INSTANT,
    topologies: BOTH,
    inject: async (deployment, random) => {
      const analyzer = analyzerOf(deployment, random);
      await deployment.fleet.kill(analyzer);
      return { what: `${analyzer.name}: SIGKILL` };
    },
  },
  'freeze-analyzer': signalFault('SIGSTOP', [12, 16]),
  'stall-analyzer': signalFault('SIGSTOP', [1, 3]),
  // Longer than the watchdog of the process waits.
  'block-loop': signalFault('SIGUSR2', [22, 24]),
  'clock-step': signalFault('SIGHUP', [2, 4]),
  rebalance: membersComeAndGo,
  'kill-broker': brokerFault('SIGKILL', [3, 6]),
  'freeze-broker': brokerFault('SIGSTOP', [2, 7]),
  'brokers-down': everyBrokerDown,
  'leader-change': leaderChange,
  'kafka-cut': linkFault('brokers', 'cut', [1, 4]),
  'kafka-hole': linkFault('brokers', 'hole', [2, 12]),
  'kafka-slow': linkFault('brokers', 'slow', [3, 6]),
  'no-produce': linkFault('brokers', 'no_produce', [3, 8]),
  'redis-cut': linkFault('redis', 'cut', [1, 4]),
  'redis-hole': linkFault('redis', 'hole', [1, 6]),
  'redis-slow': linkFault('redis', 'slow', [3, 6]),
  'redis-lost-replies': linkFault('redis', 'lost_replies', [1, 3]),
  ...REDIS_FAULTS,
  ...DISK_FAULTS,
  policy: policyChange,
  burst,
  poison: shapeFault('every fifth record cannot be judged', { poison: 0.2 }),
  repeated: shapeFault('every third record comes twice, every tenth an hour late', { repeated: 0.33, late: 0.1 }),
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;
