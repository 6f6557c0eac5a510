import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEnforcer } from '../../src/enforcer/enforcer.ts';
import { decodeSession } from '../../src/engine/session/codec.ts';
import { crowdOf } from '../../src/engine/session/crowd-id.ts';
import { judgedActions, spread } from './crowd-traffic.ts';
import { type Analyzer, type Deployment, deploy } from './deployment.ts';

const MANY = `
id: many-deletions
title: Many deletions
severity: high
match: { action: delete, outcome: ok }
within: session
measure: { deletes: count }
when: { pause: deletes > 40, kill: deletes > 400 }
`;

describe('a second Firebreak that judges agents', { timeout: 120_000 }, () => {
  let sessions: Deployment;
  let crowds: Deployment;
  let analyzer: Analyzer;

  beforeAll(async () => {
    sessions = await deploy({ partitions: 3, rules: MANY });
    crowds = await deploy({ partitions: 2, rules: MANY });
    await sessions.run();
    analyzer = await crowds.run('--regroup-from', sessions.prefix);
  }, 120_000);
  afterAll(async () => {
    await crowds?.close();
    await sessions?.close();
  });

  it('pauses one whole whose sessions each delete a little', async () => {
    await sessions.produce(spread('mailer', { sessions: 12, each: 5 }));
    await sessions.produce(spread('quiet', { sessions: 6, each: 5 }));
    await sessions.settled();
    await expect.poll(() => judgedActions(crowds), { timeout: 60_000 }).toBe(60 + 30);
    expect(await sessions.commands()).toEqual([]);
    const commands = await crowds.commands();
    expect(commands).toMatchObject([
      { action: 'pause', scope: 'agent:mailer', rule: 'many-deletions', measures: { deletes: 41 } },
    ]);
    expect(commands[0]!.evidence!.length).toBeGreaterThan(5);
  });

  it('says where the analyzer is with its copying', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${analyzer.httpPort}/metrics`)).text();
    expect(metrics).toMatch(/firebreak_relayed_total\{topic="actions",outcome="copied"\} 90\n/);
  });

  it('is obeyed also by an enforcer that comes when the order stands, until it is lifted', async () => {
    const told: string[] = [];
    const hand = (what: string) => async (session: string) => void told.push(`${what} ${session}`);
    const enforcer = await connectEnforcer({
      name: 'late',
      brokers: crowds.flags[1]!.split(','),
      topicPrefix: crowds.prefix,
      keyFile: join(crowds.folder, 'keys.json'),
      sessions: () => [
        { session: 'mailer-99', agent: 'mailer' },
        { session: 'quiet-99', agent: 'quiet' },
      ],
      pause: hand('pause'),
      resume: hand('resume'),
      kill: hand('kill'),
    });
    try {
      await expect.poll(() => told, { timeout: 30_000 }).toContain('pause mailer-99');
      expect(enforcer.stand({ session: 'quiet-98', agent: 'quiet' })).toBe('free');
      await lifted();
      await expect.poll(() => told, { timeout: 30_000 }).toContain('resume mailer-99');
      expect(told.filter((what) => what.startsWith('pause'))).toEqual(['pause mailer-99']);
    } finally {
      await enforcer.stop();
    }
  });

  async function lifted(): Promise<void> {
    const { code, out } = await crowds.cli(
      ...['lift', '--agent', 'mailer', '--reason', 'a clean-up'],
      ...crowds.flags.slice(0, 6),
    );
    expect([code, out]).toEqual([0, expect.stringContaining('mailer')]);
  }

  it('lets it go on, counted anew, once a person has lifted the order', async () => {
    const actions = async () => (await crowds.commands()).map(({ action, scope }) => `${action} ${scope}`);
    await expect.poll(actions, { timeout: 60_000 }).toContain('resume agent:mailer');
    await sessions.produce(spread('mailer', { sessions: 4, each: 5, from: 20 }));
    await expect.poll(() => judgedActions(crowds), { timeout: 60_000 }).toBe(60 + 30 + 20);
    expect(await actions()).toEqual(['pause agent:mailer', 'resume agent:mailer']);
    await crowds.settled();
    const stored = await Promise.all([0, 1].map((partition) => crowds.stored(partition)));
    const bytes = stored.map(({ sessions: all }) => all[crowdOf('mailer')]).find((one) => one !== undefined)!;
    expect(decodeSession(crowdOf('mailer'), Buffer.from(bytes, 'hex'))).toMatchObject({ level: 'clear', actions: 20 });
  });
});
