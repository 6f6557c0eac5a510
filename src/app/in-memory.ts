import type { Logger } from 'pino';
import { MemoryLog } from '../adapters/memory/log.ts';
import { MemoryLogSource } from '../adapters/memory/log-source.ts';
import { MemoryOutlet } from '../adapters/memory/outlet.ts';
import { MemoryPolicyLibrary } from '../adapters/memory/policy-library.ts';
import { MemoryStateStore } from '../adapters/memory/state-store.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { Stats } from '../adapters/telemetry/stats.ts';
import type { ActionEvent } from '../domain/event.ts';
import type { Output, OwnerRecord } from '../domain/output.ts';
import type { PolicyBody } from '../domain/rule.ts';
import { ENGINE_VERSION } from '../engine/plan/policy.ts';
import { SESSION_HEADER_BYTES } from '../engine/session/codec.ts';
import { Analyzer } from './analyzer.ts';
import { saidTo } from './control-copies.ts';
import { Policies } from './policies.ts';
import { policyBytes } from './rule-folder.ts';

/** An analyzer with a log of one partition, as long as this process lives. */
export interface InMemory {
  act(event: ActionEvent): void;
  /** What a person or an enforcer says of a session. */
  say(session: string, record: OwnerRecord): Promise<void>;
  /** Rejected when the analyzer cannot go on. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const PARTITIONS = 1;
/** Deadlines are looked at so often. */
const TEND_INTERVAL_MS = 50;

/** The whole of `firebreak run` but for Kafka and Redis. `onOutput` hears what is published, in order. */
export async function startInMemory(
  body: PolicyBody,
  onOutput: (output: Output) => void,
  logger: Logger,
): Promise<InMemory> {
  const log = new MemoryLog({ topic: 'actions', topicId: 'memory', partitions: PARTITIONS, clock: systemClock });
  const wire = { topicPrefix: '', source: '/firebreak/memory', expireAfterMs: 0 };
  const outlet = new MemoryOutlet({ log, clock: systemClock, ...wire });
  const library = new MemoryPolicyLibrary(ENGINE_VERSION);
  const source = new MemoryLogSource({ log, clock: systemClock });
  const policy = await library.put(policyBytes(body));
  await outlet.publish(saidTo(undefined, { type: 'policy.activated.v1', body: policy }, PARTITIONS));
  const fatal = new AbortController();
  const analyzer = new Analyzer({
    topic: log.topic,
    source,
    store: new MemoryStateStore({ headerBytes: SESSION_HEADER_BYTES }),
    outlet: {
      async publish(outputs) {
        await outlet.publish(outputs);
        for (const output of outputs) onOutput(output);
      },
      close: () => outlet.close(),
    },
    stats: new Stats(),
    clock: systemClock,
    keyring: undefined,
    policies: new Policies(library),
    logger,
    retentionMs: Number.POSITIVE_INFINITY,
    sessionBytesMax: Number.POSITIVE_INFINITY,
    checkpointIntervalMs: 1000,
    probeIntervalMs: TEND_INTERVAL_MS,
    leaseIntervalMs: 1000,
    verdictsOf: async () => [],
    onFatal: (error) => fatal.abort(error),
  });
  analyzer.start();
  const running = source.run(analyzer);
  return {
    act(event) {
      log.append({ key: Buffer.from(event.session), value: Buffer.from(JSON.stringify(event)), headers: {} });
    },
    say: (session, record) => outlet.publish(saidTo(session, record, PARTITIONS)),
    ended: Promise.race([running, rejectedBy(fatal.signal)]),
    async stop() {
      await analyzer.stop();
      await source.stop();
      await running;
    },
  };
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}
