import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Message, Producer } from 'kafkajs';
import { sendWhole, wholeProducer } from '../../src/adapters/kafka/whole-send.ts';
import { stateKeys } from '../../src/adapters/redis/keys.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { loadPolicyFolder, policyHash } from '../../src/app/rule-folder.ts';
import type { RawRecord } from '../../src/domain/record.ts';
import { Fleet } from './fleet.ts';
import type { Findings, Manifest } from './manifest.ts';
import { type ChaosPolicy, POLICIES } from './policies.ts';
import { readTopic } from './read-topic.ts';
import { ask } from './redis-nodes.ts';
import { run } from './run.ts';
import { type Stand, writeRules } from './stand.ts';
import { ChaosTraffic, ORDINARY, type TrafficShape } from './traffic.ts';

const MAIN = ['dist/cli/main.js'];
const TICK_MS = 100;
const POLL_MS = 100;
const ANSWERS_WITHIN_MS = 120_000;
const PRELOAD = 'test/chaos/preload.mjs';

export interface DeploymentOptions {
  name: string;
  seed: number;
  partitions?: number;
  analyzers?: number;
  perSecond?: number;
  policies?: readonly ChaosPolicy[];
}

/** Firebreak on a stand: topics, analyzers, and people at work whose actions it judges. */
export class Deployment {
  readonly stand: Stand;
  readonly prefix: string;
  /** Rules, keys and logs. */
  readonly folder: string;
  readonly partitions: number;
  readonly fleet: Fleet;
  readonly traffic: ChaosTraffic;
  readonly topic: string;
  /** Changes what is produced from here on. */
  shape: TrafficShape = ORDINARY;
  perSecond: number;
  readonly #flags: string[];
  readonly #policies: readonly ChaosPolicy[];
  readonly #producer: Producer;
  #pumping: Promise<void> | undefined;
  #burst = 0;
  #mustReach: number[] = [];

  private constructor(stand: Stand, options: DeploymentOptions) {
    const { partitions = 6, analyzers = 2, perSecond = 150, policies = POLICIES, seed, name } = options;
    const { prefix, folder } = stand.place(name);
    this.stand = stand;
    this.prefix = prefix;
    this.partitions = partitions;
    this.perSecond = perSecond;
    this.traffic = new ChaosTraffic(seed);
    this.topic = `${prefix}.actions`;
    this.folder = folder;
    this.#policies = policies;
    this.#flags = ['--topic-prefix', `${prefix}.`, '--keys', join(folder, 'keys.json')];
    const { brokers, redis } = stand;
    this.fleet = new Fleet({
      size: analyzers,
      flags: [...this.#flags, '--brokers', brokers.linked.join(','), '--redis', redis.url],
      env: { FIREBREAK_REDIS__KEY_PREFIX: prefix, FIREBREAK_CHECKPOINT__INTERVAL_MS: '500' },
      folder,
      preload: `./${PRELOAD}`,
    });
    this.#producer = wholeProducer(brokers.client());
  }

  static async start(stand: Stand, options: DeploymentOptions): Promise<Deployment> {
    const deployment = new Deployment(stand, options);
    await deployment.#init();
    return deployment;
  }

  async cli(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const flags = [...this.#flags, '--brokers', this.stand.brokers.direct.join(',')];
    return run([process.execPath, ...MAIN, ...args, ...flags]);
  }

  /** Makes the policy of that number the one in force. */
  async activate(number: number): Promise<void> {
    const { code, err } = await this.cli('activate', this.#rulesOf(number), '--force');
    if (code !== 0) throw new Error(`activate failed: ${err}`);
  }

  get policyCount(): number {
    return this.#policies.length;
  }

  /** Begins to produce, at the pace that is set. */
  pump(): void {
    const stopped = () => this.#pumping === undefined;
    this.#pumping = (async () => {
      await sleep(0);
      for (let fraction = 0; !stopped(); ) {
        const due = fraction + (this.perSecond * TICK_MS) / 1000 + this.#burst;
        this.#burst = 0;
        fraction = due - Math.floor(due);
        await this.produce(this.traffic.next(Math.floor(due), Date.now(), this.shape));
        await sleep(TICK_MS);
      }
    })();
  }

  burst(count: number): void {
    this.#burst += count;
  }

  async stopPump(): Promise<void> {
    const pumping = this.#pumping;
    this.#pumping = undefined;
    await pumping;
    this.#mustReach = await this.highs();
  }

  /** Until it is in the log: what is sent again after an error may stand there twice, as in production. */
  async produce(messages: readonly Message[]): Promise<void> {
    for (let at = 0; at < messages.length; ) {
      const part = messages.slice(at, at + 300);
      try {
        await sendWhole(this.#producer, { topicMessages: [{ topic: this.topic, messages: part }] }, systemClock);
        at += part.length;
      } catch {
        await sleep(TICK_MS); // no broker is there: the actions wait in their gateways
      }
    }
  }

  /** By a new client each time: one that knew the leaders before a fault may ask them for minutes. */
  async highs(): Promise<number[]> {
    const { brokers } = this.stand;
    const deadlineMs = performance.now() + ANSWERS_WITHIN_MS;
    for (;;) {
      try {
        const offsets = await brokers.withAdmin((admin) => admin.fetchTopicOffsets(this.topic));
        return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
      } catch (error) {
        if (performance.now() > deadlineMs) throw error;
        await sleep(POLL_MS);
      }
    }
  }

  /** By partition of the topic. */
  leases(): Promise<Map<number, RawRecord[]>> {
    return readTopic(this.stand.brokers.client(), `${this.prefix}.leases`);
  }

  /** `next` of each partition in Redis; -1 where there is none. */
  async nexts(): Promise<number[]> {
    const found = Array.from({ length: this.partitions }, () => -1);
    const { redis } = this.stand;
    for (const node of await redis.primaries()) {
      const port = redis.ports[node]!;
      await ask(port, async (client) => {
        for (let partition = 0; partition < this.partitions; partition++) {
          const [meta] = stateKeys(this.prefix, partition);
          const next = await client.hget(meta, 'next').catch((error: Error) => {
            if (error.message.startsWith('MOVED')) return null; // another node has it
            throw error;
          });
          if (next !== null) found[partition] = Number(next);
        }
      });
    }
    return found;
  }

  /** Waits until every partition has passed what the log holds now; answers how long that took, ms. */
  async recovered(withinMs = 120_000): Promise<number> {
    const beganMs = performance.now();
    await sleep(2 * POLL_MS);
    const marks = await this.highs();
    for (;;) {
      const nexts = await this.nexts().catch(() => [] as number[]); // Redis is away
      if (nexts.length > 0 && nexts.every((next, partition) => next >= marks[partition]!)) break;
      if (performance.now() - beganMs > withinMs) throw new Error(`not recovered: at ${nexts}, the log at ${marks}`);
      await sleep(POLL_MS);
    }
    return performance.now() - beganMs;
  }

  /** Ends traffic and analyzers in good order, and has the verifier judge what they left. */
  async verify(): Promise<Findings> {
    await this.stopPump();
    await this.recovered();
    const codes = await this.fleet.stop();
    const file = join(this.folder, 'manifest.json');
    writeFileSync(file, JSON.stringify(await this.#manifest()));
    const verifier = fileURLToPath(new URL('./verifier.js', import.meta.url));
    const { code, out, err } = await run([process.execPath, '--max-old-space-size=8192', verifier, file]);
    if (code !== 0) throw new Error(`the verifier ended with ${code}: ${err}`);
    const findings = JSON.parse(out) as Findings;
    for (const [at, exit] of codes.entries()) {
      // null: it had just been started and did not listen for signals yet.
      if (exit !== 0 && exit !== null) findings.faults.push(`analyzer ${at + 1} ended with ${exit} at SIGTERM`);
    }
    return findings;
  }

  async close(): Promise<void> {
    this.#pumping = undefined;
    await this.fleet.killAll();
    await this.#producer.disconnect();
  }

  async #init(): Promise<void> {
    for (const [number, { yaml }] of this.#policies.entries()) writeRules(this.#rulesOf(number), yaml);
    const size = ['--partitions', String(this.partitions), '--replication-factor', '3'];
    const { code, out, err } = await this.cli('init', ...size, '--rules', this.#rulesOf(0));
    if (code !== 0) throw new Error(`init failed: ${out}${err}`);
    await this.#producer.connect();
    this.fleet.start();
    this.pump();
    await this.recovered();
  }

  #rulesOf(number: number): string {
    return join(this.folder, `rules-${number}`);
  }

  async #manifest(): Promise<Manifest> {
    const { brokers, redis } = this.stand;
    const policies = await Promise.all(
      this.#policies.map(async ({ naive }, number) => {
        const body = await loadPolicyFolder(this.#rulesOf(number));
        return { hash: policyHash(body), body, naive };
      }),
    );
    const { key, trusted } = JSON.parse(readFileSync(join(this.folder, 'keys.json'), 'utf8'));
    const { d: _, ...own } = key;
    return {
      brokers: brokers.direct,
      redisPorts: (await redis.primaries()).map((node) => redis.ports[node]!),
      topicPrefix: `${this.prefix}.`,
      keyPrefix: this.prefix,
      partitions: this.partitions,
      mustReach: this.#mustReach,
      trusted: [own, ...trusted],
      policies,
    };
  }
}
