import type { Logger } from 'pino';
import { createKafka } from '../adapters/kafka/client.ts';
import type { KafkaLogin } from '../adapters/kafka/login.ts';
import { KafkaOutlet } from '../adapters/kafka/outlet.ts';
import { partitionCount } from '../adapters/kafka/topic-facts.ts';
import { TopicFollower } from '../adapters/kafka/topic-follower.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import type { TlsFiles } from '../adapters/tls-files.ts';
import { loadKeyFile } from '../app/keys.ts';
import { EnforcerClass } from '../domain/enforcer-class.ts';
import type { RawRecord } from '../domain/record.ts';
import { type BlindChoice, DeadMan } from './dead-man.ts';
import type { Hands, HostedSession } from './hands.ts';
import { Obedience } from './obedience.ts';
import { type Reading, readCommand, readLease, readVerdict } from './reading.ts';
import type { Stand } from './standing.ts';

export interface EnforcerOptions extends Hands {
  /** Name in acknowledgements: which gateway, runner or platform this is. */
  name: string;
  /**
   * Which of the policy's `enforcers` this is: it waits while a command names it in `standby`. Absent, or none of them:
   * every command is obeyed at once.
   */
  class?: string;
  /** HOST:PORT. */
  brokers: readonly string[];
  /** Absent: without TLS. */
  tls?: TlsFiles;
  sasl?: KafkaLogin;
  /** Default: `firebreak.` */
  topicPrefix?: string;
  /** Key file with the role `enforcer`, and the analyzer's public key under `trusted`; see `firebreak keys make`. */
  keyFile: string;
  /** How long a partition may be without a judge before its sessions are paused; Infinity: they run on. Default 30 s. */
  deadManAfterMs?: number;
  /** Whether they are paused then, or run on unwatched, by tenant. Default: all are paused. */
  whileBlind?: BlindChoice;
  /** Default: warnings, as JSON lines on stderr. */
  logger?: Logger;
}

export interface Enforcer {
  /** What is to be true of a session now: for a gateway that asks before it lets an action through. */
  stand(hosted: HostedSession): Stand;
  /** Looks again at once, for a session that has just begun; it happens each second anyway. */
  settle(): void;
  /** Fulfilled after `stop`; rejected when this enforcer cannot go on. */
  readonly ended: Promise<void>;
  /** Waits for the hands that are at work and for their acknowledgements. Nothing is resumed or killed by it. */
  stop(): Promise<void>;
}

const DEAD_MAN_AFTER_MS = 30_000;
const SETTLE_INTERVAL_MS = 1000;

/**
 * Obeys Firebreak: fulfilled when what stands now is known and being enforced. Throws when the key file cannot be used, a
 * topic is missing or `class` is no name of one. It joins no group; each enforcer sees every command and does what concerns its own sessions.
 *
 * What it does when the world fails: without Kafka nobody judges, so the dead man pauses after `deadManAfterMs`; a hand
 * that throws is tried again for ever, with growing delays, and each failure is acknowledged as `failed`.
 */
export async function connectEnforcer(options: EnforcerOptions): Promise<Enforcer> {
  const { name, topicPrefix = 'firebreak.', deadManAfterMs = DEAD_MAN_AFTER_MS } = options;
  const unusable = EnforcerClass.optional().safeParse(options.class).error?.issues[0];
  if (unusable !== undefined) throw new Error(`class: found "${options.class}"; allowed: ${unusable.message}`);
  const logger = options.logger ?? createLogger('warn');
  const clock = systemClock;
  const { signing: signingKey, keyring } = await loadKeyFile(options.keyFile);
  const { brokers, tls, sasl } = options;
  const kafkaOptions = { brokers, clientId: `firebreak-enforcer-${name}`, logger };
  const kafka = createKafka({
    ...kafkaOptions,
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
  });
  const [commands, verdicts, leases] = ['commands', 'verdicts', 'leases'].map((topic) => `${topicPrefix}${topic}`);
  // `init` makes all topics with the partitions of the log; a lease corrects it.
  const partitions = await partitionCount(kafka, commands!);
  const outlet = new KafkaOutlet({
    kafka,
    topicPrefix,
    signingKey,
    clock,
    logger,
    source: `/firebreak/enforcer/${name}`,
    expireAfterMs: 0,
    onMinimalForm: () => {},
  });
  const obedience = new Obedience({
    name,
    class: options.class,
    hands: options,
    clock,
    logger,
    deadMan: Number.isFinite(deadManAfterMs)
      ? new DeadMan({ afterMs: deadManAfterMs, partitions, nowMs: clock.monotonicMs(), whileBlind: options.whileBlind })
      : undefined,
    acknowledge(acknowledgement) {
      outlet.publish([{ topic: 'acks', key: acknowledgement.session, acknowledgement }]).catch((err: Error) => {
        // The command comes again when nobody acknowledges it, and then it is answered again.
        logger.warn({ err, command: acknowledgement.command }, 'not acknowledged');
      });
    },
  });
  let live = false;
  const read = (topic: string, record: RawRecord): Reading => {
    // What was said before this process began to listen is asked whether it stands, not whether it is late.
    if (topic === commands) return readCommand(record, keyring, live ? clock.nowMs() : record.appendMs);
    return topic === verdicts ? readVerdict(record, keyring) : readLease(record, keyring);
  };
  const follower = new TopicFollower({
    kafka,
    clock,
    logger,
    topics: [
      { topic: verdicts!, from: 'beginning' },
      { topic: leases!, from: 'end' },
      // What was said before of sessions stands in the verdicts; an order for an agent stands nowhere else.
      { topic: commands!, from: 'beginning' },
    ],
    onRecord(topic, partition, record) {
      const reading = read(topic, record);
      if (reading.type === 'command') {
        if (live || reading.command.session === undefined) obedience.command(reading.command, reading.timeMs);
      } else if (reading.type === 'verdict') obedience.verdict(reading.verdict, reading.timeMs);
      else if (reading.type === 'lease') obedience.lease(reading.lease);
      else if (record.value !== null) {
        logger.error({ topic, partition, offset: record.offset, reason: reading.reason }, 'not obeyed');
      }
    },
    onDelivered() {
      if (live) obedience.settle();
    },
  });
  await follower.start();
  live = true;
  obedience.settle();
  const timer = setInterval(() => obedience.settle(), SETTLE_INTERVAL_MS);
  return {
    stand: (hosted) => obedience.stand(hosted),
    settle: () => obedience.settle(),
    ended: follower.ended,
    async stop() {
      clearInterval(timer);
      await follower.stop();
      await obedience.idle();
      await outlet.close();
    },
  };
}
