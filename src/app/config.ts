import { z } from 'zod';
import { KafkaLogin, sendsTheSecret } from '../adapters/kafka/login.ts';
import { parseRedisAddress } from '../adapters/redis/address.ts';
import { RedisSettings } from '../adapters/redis/connection.ts';
import { checkTlsFiles, TlsFiles } from '../adapters/tls-files.ts';
import { ApiSettings } from './api-config.ts';

const Address = z.string().regex(/^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, 'HOST:PORT');

const TOPIC_PREFIX = /^[a-zA-Z0-9._-]{0,200}$/;
const TOPIC_PREFIX_ALLOWED = 'letters, digits, dots, dashes';

const KafkaTls = z
  .strictObject({ enabled: z.boolean().default(false).describe('Speak TLS with the brokers.'), ...TlsFiles.shape })
  .superRefine(checkTlsFiles)
  .superRefine(({ enabled, ...files }, context) => {
    const [set] = Object.keys(files);
    if (enabled || set === undefined) return;
    context.addIssue({ code: 'custom', path: ['enabled'], message: `true, because kafka.tls.${set} is set` });
  });

const Kafka = z
  .strictObject({
    brokers: z.array(Address).min(1).default(['127.0.0.1:9092']).describe('Brokers to begin with, HOST:PORT.'),
    clientId: z.string().min(1).default('firebreak').describe('Name in the logs of the brokers.'),
    groupId: z
      .string()
      .min(1)
      .optional()
      .describe('Consumer group: its members share the partitions. Default: the topic prefix and `analyzer`.'),
    topicPrefix: z
      .string()
      .regex(TOPIC_PREFIX, TOPIC_PREFIX_ALLOWED)
      .default('firebreak.')
      .describe('Put before actions, commands, findings and the other topics.'),
    tls: KafkaTls.prefault({}).describe('Encryption.'),
    sasl: KafkaLogin.optional(),
    allowUnsafeTopic: z.boolean().default(false).describe('Run on a topic that init would have made otherwise.'),
  })
  .superRefine(({ tls, sasl }, context) => {
    if (tls.enabled || sasl === undefined || !sendsTheSecret(sasl)) return;
    const message = `true, because kafka.sasl.mechanism ${sasl.mechanism} sends the secret as it is`;
    context.addIssue({ code: 'custom', path: ['tls', 'enabled'], message });
  });

const Redis = RedisSettings.extend({
  url: z
    .string()
    .superRefine((url, context) => {
      try {
        parseRedisAddress(url);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
      }
    })
    .default('redis://127.0.0.1:6379')
    .describe(RedisSettings.shape.url.description!),
  keyPrefix: z
    .string()
    .regex(/^[^{}\s]{1,64}$/, 'up to 64 characters without braces or blanks')
    .default('fb')
    .describe('First part of every key.'),
  tls: TlsFiles.superRefine(checkTlsFiles).optional(),
}).superRefine(({ url, tls }, context) => {
  const [set] = Object.keys(tls ?? {});
  if (set === undefined || !isRedisAddress(url) || parseRedisAddress(url).tls) return;
  context.addIssue({ code: 'custom', path: ['url'], message: `rediss://, because redis.tls.${set} is set` });
});

function isRedisAddress(url: string): boolean {
  try {
    parseRedisAddress(url);
    return true;
  } catch {
    return false; // and therefore told by the field itself
  }
}

const Policy = z
  .strictObject({
    source: z
      .enum(['log', 'folder'])
      .default('log')
      .describe(
        'log: only `activate` changes the policy; folder: the rules folder does, at start and whenever it changes.',
      ),
    rules: z.string().min(1).optional().describe('Folder of rules; with it, `source` is folder.'),
    reloadIntervalMs: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(5000)
      .describe('Time between looks whether the folder has changed.'),
  })
  .refine(({ source, rules }) => source === 'log' || rules !== undefined, {
    path: ['rules'],
    message: 'a folder, because policy.source is folder',
  })
  .refine(({ source, rules }) => source === 'folder' || rules === undefined, {
    path: ['source'],
    message: 'folder, because policy.rules is set',
  });

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Everything that can be set. `describeConfig` (config-settings.ts) makes the table of it, `loadConfig` reads it. */
export const Config = z
  .strictObject({
    kafka: Kafka.prefault({}).describe('The log.'),
    redis: Redis.prefault({}).describe('The state.'),
    policy: Policy.prefault({}).describe('The rules.'),
    regroup: z
      .strictObject({
        from: z
          .string()
          .regex(TOPIC_PREFIX, TOPIC_PREFIX_ALLOWED)
          .optional()
          .describe(
            'Topic prefix of the Firebreak whose actions are copied into the log of this one, all sessions of an agent as its crowd.',
          ),
      })
      .prefault({})
      .describe('What this Firebreak judges by agent.'),
    checkpoint: z
      .strictObject({
        intervalMs: z
          .int()
          .min(0)
          .max(60_000)
          .default(1000)
          .describe('Time between checkpoints; 0: after every batch.'),
      })
      .prefault({})
      .describe('How much is repeated after a crash.'),
    memory: z
      .strictObject({
        sessionsMib: z
          .int()
          .min(16)
          .max(65_536)
          .default(256)
          .describe('About what sessions may take in memory; those that are idle are read from Redis when they act.'),
      })
      .prefault({})
      .describe('Memory.'),
    probe: z
      .strictObject({
        intervalMs: z
          .int()
          .min(100)
          .max(60_000)
          .default(1000)
          .describe('Time between checks that an idle state is still ours.'),
      })
      .prefault({})
      .describe('How soon a lost state is noticed.'),
    lease: z
      .strictObject({
        intervalMs: z.int().min(100).max(60_000).default(1000).describe('Time between the leases of a partition.'),
      })
      .prefault({})
      .describe('How soon enforcers notice that nobody judges.'),
    http: z
      .strictObject({
        host: z.string().min(1).default('0.0.0.0').describe('Address of /metrics, /livez and /readyz.'),
        port: z.int().min(0).max(65_535).default(9464).describe('Port of them; 0 takes a free one.'),
      })
      .prefault({})
      .describe('Metrics and health.'),
    api: ApiSettings.prefault({}).describe('The HTTP API.'),
    log: z
      .strictObject({ level: z.enum(LOG_LEVELS).default('info').describe('Least level that is written.') })
      .prefault({})
      .describe('Logging.'),
    tracing: z
      .strictObject({
        endpoint: z
          .url({ protocol: /^https?$/ })
          .optional()
          .describe('Collector that takes OTLP over HTTP, such as http://collector:4318. Absent: no spans are sent.'),
      })
      .prefault({})
      .describe('Traces.'),
    keys: z
      .strictObject({
        file: z.string().min(1).default('firebreak.keys.json').describe('Key file: signs, and says whom to believe.'),
        mustSign: z
          .array(z.string().min(1))
          .default([])
          .describe('Sources whose actions count only with the signature of a gateway; `*` is every action.'),
        signedBaselines: z
          .boolean()
          .default(false)
          .describe('Activate no baseline without the signature of a learner whom the key file trusts.'),
      })
      .prefault({})
      .describe('Signatures.'),
    shutdown: z
      .strictObject({
        deadlineMs: z
          .int()
          .min(1000)
          .max(300_000)
          .default(20_000)
          .describe('Time to drain before the process ends anyway.'),
      })
      .prefault({})
      .describe('Stopping.'),
  })
  .superRefine(({ kafka: { topicPrefix }, regroup: { from } }, context) => {
    if (from !== topicPrefix) return;
    const message = `another prefix than kafka.topicPrefix, which is ${topicPrefix} too: crowds are judged in a log of their own`;
    context.addIssue({ code: 'custom', path: ['regroup', 'from'], message });
  })
  .describe('Firebreak configuration');
export type Config = z.infer<typeof Config>;

/** Of its own for each topic prefix: a group with members on two logs would never settle. */
export function groupIdOf({ groupId, topicPrefix }: Config['kafka']): string {
  return groupId ?? `${topicPrefix}analyzer`;
}

/** The group that copies the actions of another Firebreak. */
export function regroupIdOf({ topicPrefix }: Pick<Config['kafka'], 'topicPrefix'>): string {
  return `${topicPrefix}regroup`;
}
