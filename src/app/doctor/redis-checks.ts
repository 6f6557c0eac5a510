import { connectRedis, type RedisSettings } from '../../adapters/redis/connection.ts';
import { readServerFacts, type ServerFacts } from '../../adapters/redis/server-facts.ts';
import type { Clock } from '../../ports.ts';
import { type Check, messageOf, ok, problem } from './check.ts';
import { skewOf } from './kafka-checks.ts';

const MIB = 1024 * 1024;
const FULL_FROM = 0.8;

export async function checkRedis(settings: RedisSettings, clock: Clock): Promise<Check[]> {
  let redis: Awaited<ReturnType<typeof connectRedis>>;
  try {
    redis = await connectRedis(settings, () => {}); // the same error rejects the call
  } catch (error) {
    // The message names what is wrong with the server and, where a command mends it, that command.
    return [problem('Redis', messageOf(error), 'mend what it says, or give another address with --redis')];
  }
  try {
    const facts = await readServerFacts(redis.state);
    const nowMs = clock.nowMs();
    return facts.flatMap((one) => serverChecks(one, nowMs));
  } finally {
    redis.close();
  }
}

function serverChecks(
  { where, version, clockMs, usedBytes, maxBytes, appendOnly, replicas }: ServerFacts,
  nowMs: number,
): Check[] {
  const safety =
    appendOnly || replicas > 0
      ? `${replicas} replicas, append-only ${appendOnly ? 'on' : 'off'}`
      : 'memory only: a restart means a rebuild from the log';
  return [
    ok(`Redis ${where}`, `version ${version}, noeviction, ${safety}`),
    memoryCheck(`memory of Redis ${where}`, usedBytes, maxBytes),
    skewOf(`clock of Redis ${where}`, clockMs - nowMs, 'NTP on that machine and here: chronyc tracking'),
  ];
}

function memoryCheck(about: string, usedBytes: number, maxBytes: number): Check {
  const used = `${Math.ceil(usedBytes / MIB)} MiB used`;
  if (maxBytes === 0) return ok(about, `${used}, no limit but the machine's`);
  const found = `${used} of ${Math.floor(maxBytes / MIB)}`;
  if (usedBytes < FULL_FROM * maxBytes) return ok(about, found);
  return problem(
    about,
    `${found}: when it is full no checkpoint is taken`,
    `redis-cli CONFIG SET maxmemory ${2 * maxBytes}, and in redis.conf`,
  );
}
