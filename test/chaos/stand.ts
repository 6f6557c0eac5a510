import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Brokers } from './brokers.ts';
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

  static async start(topology: Topology): Promise<Stand> {
    const folder = mkdtempSync(join(tmpdir(), 'firebreak-chaos-'));
    const [brokers, redis] = await Promise.all([Brokers.start(folder), startRedisNodes(topology, folder)]);
    return new Stand(folder, brokers, redis);
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
    if (keep === 'remove') rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs a command to its end. */
export async function run(
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(command[0]!, command.slice(1), { env: { ...process.env, ...env } });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

/** A folder of rules, as users keep one. */
export function writeRules(folder: string, yaml: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'rules.yaml'), yaml);
  return folder;
}
