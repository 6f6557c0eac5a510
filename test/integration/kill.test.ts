import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../services/redis.ts';
import { type Analyzer, type Deployment, deploy } from './deployment.ts';
import { mulberry, RULES, traffic } from './traffic.ts';

const PARTITIONS = 8;
const EVENTS = 50_000;

/** Final states and command ids must be those of one process over the same log, byte for byte. */
async function expectOracle(deployment: Deployment): Promise<void> {
  const oracle = await deployment.oracle();
  let judged = 0;
  for (const [partition, wanted] of oracle.entries()) {
    const found = await deployment.stored(partition);
    expect(differences(found.sessions, wanted.sessions), `sessions of partition ${partition}`).toEqual([]);
    expect(JSON.parse(found.partition)).toEqual(JSON.parse(wanted.partition));
    const { judged: once, afterKill, repeated } = JSON.parse(wanted.partition).accounting;
    judged += once + afterKill;
    expect(repeated).toBe(0);
  }
  expect(judged).toBe(EVENTS);
  const { distinct, published } = await deployment.commandIds();
  expect(distinct).toEqual(oracle.flatMap((one) => one.commands).sort());
  expect(distinct.length).toBeGreaterThan(20);
  console.log(
    `${EVENTS} events judged once, ${distinct.length} commands, ${published - distinct.length} published again`,
  );
}

/** Sessions whose bytes are not the same, with the first place where they part: a diff of all would be megabytes. */
function differences(found: Record<string, string>, wanted: Record<string, string>): string[] {
  return [...new Set([...Object.keys(found), ...Object.keys(wanted)])].flatMap((id) => {
    const a = found[id] ?? '';
    const b = wanted[id] ?? '';
    if (a === b) return [];
    // Behind the header, whose checksum only says that something differs.
    let at = 64;
    while (at < a.length && a[at] === b[at]) at++;
    return [
      `${id}: byte ${at >> 1} of ${a.length >> 1} and ${b.length >> 1}: ${a.slice(at, at + 40)} / ${b.slice(at, at + 40)}`,
    ];
  });
}

describe.each(['as it is', 'with FLUSHALL in between'])('two analyzers, one of them killed three times, %s', (how) => {
  let deployment: Deployment;
  let redis: Awaited<ReturnType<typeof startRedis>>;

  beforeAll(async () => {
    redis = await startRedis(); // of its own: FLUSHALL concerns everybody
    deployment = await deploy({ partitions: PARTITIONS, rules: RULES, redisUrl: redis.url });
  }, 120_000);
  afterAll(async () => {
    await deployment?.close();
    await redis?.stop();
  });

  it('loses nothing, counts nothing twice', { timeout: 180_000 }, async () => {
    const random = mulberry(how.length);
    const messages = traffic({ sessions: 200, events: EVENTS, seed: how.length, startMs: Date.now() });
    const first = await deployment.run();
    let second: Analyzer = await deployment.run();
    const quarter = EVENTS / 4;
    for (let round = 0; round < 4; round++) {
      const producing = deployment.produce(messages.slice(round * quarter, (round + 1) * quarter));
      if (round < 3) {
        await new Promise((resolve) => setTimeout(resolve, 500 + random() * 2000));
        await second.kill();
        if (round === 1 && how !== 'as it is') await deployment.redis.flushall();
        second = await deployment.run();
      }
      await producing;
    }
    await deployment.settled(120_000);
    if (how !== 'as it is') expect(first.log() + second.log()).toContain('rebuilding it from the whole log');
    expect(await first.stop()).toBe(0);
    expect(await second.stop()).toBe(0);
    await expectOracle(deployment);
  });
});
