import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSession } from '../../src/engine/session/codec.ts';
import { judgedActions, spread } from './crowd-traffic.ts';
import { type Deployment, deploy, metricsOf } from './deployment.ts';

const AGENTS = 40;
const SESSIONS = 25;
const EACH = 20;
/** Offsets of each partition that are copied again. */
const LOST = 1500;
const NEVER = `
id: deletions
title: Deletions
severity: high
match: { action: delete }
within: session
measure: { deletes: count }
when: { pause: deletes > 1000000 }
`;

describe('an analyzer of crowds that is killed while it copies and judges', () => {
  let sessions: Deployment;
  let crowds: Deployment;

  beforeAll(async () => {
    sessions = await deploy({ partitions: 4, rules: NEVER });
    crowds = await deploy({ partitions: 3, rules: NEVER });
  }, 120_000);
  afterAll(async () => {
    await crowds?.close();
    await sessions?.close();
  });

  /** As if so many of its commits had never come through: nobody else is to blame for what is then copied again. */
  async function commitsLost(): Promise<void> {
    const admin = sessions.kafka.admin();
    await admin.connect();
    const [groupId, topic] = [`${crowds.prefix}regroup`, `${sessions.prefix}actions`];
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const back = committed!.partitions.map(({ partition, offset }) => ({
      partition,
      offset: String(Math.max(0, Number(offset) - LOST)),
    }));
    await admin.setOffsets({ groupId, topic, partitions: back });
    await admin.disconnect();
  }

  it('copies all, and what it copied twice counts once', { timeout: 240_000 }, async () => {
    const from = ['--regroup-from', sessions.prefix] as const;
    let analyzer = await crowds.run(...from);
    for (let round = 0; round < 4; round++) {
      const all = Array.from({ length: AGENTS }, (_, agent) =>
        spread(`agent-${agent}`, { sessions: SESSIONS, each: EACH, from: round * SESSIONS }),
      );
      // Interleaved, so that a batch which is copied again holds something of every agent.
      const messages = Array.from({ length: SESSIONS * EACH }, (_, i) => all.map((one) => one[i]!)).flat();
      const producing = sessions.produce(messages);
      if (round < 3) {
        const before = await judgedActions(crowds);
        await expect.poll(() => judgedActions(crowds), { timeout: 60_000, interval: 20 }).toBeGreaterThan(before);
        if (round === 2) {
          expect(await analyzer.stop()).toBe(0);
          await commitsLost();
        } else await analyzer.kill();
        analyzer = await crowds.run(...from);
      }
      await producing;
    }
    const total = 4 * AGENTS * SESSIONS * EACH;
    await expect.poll(() => judgedActions(crowds), { timeout: 120_000, interval: 500 }).toBe(total);
    await crowds.settled(60_000);
    expect(await judgedActions(crowds)).toBe(total);
    const counts: number[] = [];
    for (let partition = 0; partition < crowds.partitions; partition++) {
      const { sessions: stored } = await crowds.stored(partition);
      for (const [id, bytes] of Object.entries(stored))
        counts.push(decodeSession(id, Buffer.from(bytes, 'hex')).actions);
    }
    expect(counts).toEqual(Array.from({ length: AGENTS }, () => total / AGENTS));
    const records = [...(await crowds.log()).values()].flat();
    const copies = records.filter(({ headers }) => headers['ce_type'] === undefined).length;
    expect(copies).toBeGreaterThan(total + LOST);
    expect(await metricsOf(analyzer)).toContain('firebreak_relayed_total{topic="actions",outcome="failed"} 0');
  });
});
