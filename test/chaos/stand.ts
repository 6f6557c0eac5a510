import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Brokers } from './brokers.ts';
import type { Disk, Disks } from './disk.ts';
import { type RedisNodes, startRedisNodes, type Topology } from './redis-nodes.ts';

/** The servers of a run. Deployments come and go on them, each under names of its own. */
export class Stand {
  readonly folder: string;
  readonly brokers: Brokers;
  readonly redis: RedisNodes;

  private constructor(folder: string, brokers: Brokers, redis: RedisNodes) {
    this.folder = folder;
    this.brokers = brokers;
    this.redis = redis;
  }

  static async start(topology: Topology, disks: Disks): Promise<Stand> {
    const folder = mkdtempSync(join(tmpdir(), 'firebreak-chaos-'));
    const [brokers, redis] = await Promise.all([
      Brokers.start(folder, disks),
      startRedisNodes(topology, folder, disks),
    ]);
    return new Stand(folder, brokers, redis);
  }

  /** Those that can be full; none where the servers use the machine's. */
  get disks(): Disk[] {
    return [...this.brokers.disks, ...this.redis.disks];
  }

  /** A name that nothing on these servers has, and a folder of that name. */
  place(name: string): { prefix: string; folder: string } {
    const prefix = `c${randomBytes(4).toString('hex')}`;
    const folder = join(this.folder, `${name}-${prefix}`);
    mkdirSync(folder);
    return { prefix, folder };
  }

  async stop(keep: 'keep' | 'remove'): Promise<void> {
    await Promise.all([this.brokers.stop(), this.redis.stop()]);
    await Promise.all(this.disks.map((disk) => disk.unmount()));
    if (keep === 'remove') rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A folder of rules, as users keep one. */
export function writeRules(folder: string, yaml: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'rules.yaml'), yaml);
  return folder;
}
