import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PartitionClient } from '../../src/adapters/kafka/partition-client.ts';
import { readRanges, wholeTopic } from '../../src/adapters/kafka/range-reader.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { Finding } from '../../src/domain/finding.ts';
import { type Analyzer, type Deployment, deploy } from './deployment.ts';
import { manyDeletions } from './runaway.ts';

const SESSION = 'runaway';
const WITHIN_MS = 20_000;
const RULES = manyDeletions('pause', {
  answerWithin: '6s',
  reminderBefore: '5s',
  decisionGrace: '2s',
  acknowledgeWithin: '10m',
});

describe('a runaway session, with an analyzer that dies after each step', () => {
  let deployment: Deployment;
  let client: PartitionClient;
  let analyzer: Analyzer;
  let deleted = 0;

  beforeAll(async () => {
    deployment = await deploy({ partitions: 1, rules: RULES });
    client = new PartitionClient(deployment.kafka);
    analyzer = await deployment.run();
  }, 60_000);
  afterAll(async () => {
    await client?.close();
    await deployment?.close();
  });

  const deletes = (count: number) =>
    deployment.produce(
      Array.from({ length: count }, () => {
        const resource = { type: 'mail', id: `m-${++deleted}` };
        const step = { id: `e-${deleted}`, time: new Date().toISOString(), session: SESSION, resource };
        const who = { agent: { id: 'mail-helper' }, principal: { id: 'kim' }, delegation: ['runtime'], tenant: 'corp' };
        const value = { ...step, ...who, tool: 'delete_mail', action: 'delete', outcome: 'ok', prompt: { ref: 'p-1' } };
        return { key: SESSION, value: JSON.stringify(value) };
      }),
    );

  const decide = async (decision: Partial<Decision> & Pick<Decision, 'kind'>) => {
    await deployment.decide({ id: randomUUID(), session: SESSION, by: { id: 'lee' }, ...decision });
  };

  const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
    for (const deadlineMs = Date.now() + WITHIN_MS; ; ) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > deadlineMs) throw new Error(`it does not come about:\n${analyzer.log().slice(-3000)}`);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  };
  /** The actions of the commands of the session, each once, as soon as there are so many. */
  const ordered = async (count: number) => {
    const distinct = () => deployment.commands().then((all) => [...new Map(all.map((one) => [one.id, one])).values()]);
    return until(async () => {
      const commands = await distinct();
      return commands.length < count ? undefined : commands.map(({ action }) => action);
    });
  };
  const findings = async (): Promise<Finding[]> => {
    const found: Finding[] = [];
    const topic = `${deployment.prefix}findings`;
    for await (const { record } of readRanges(client, topic, await wholeTopic(client, topic))) {
      found.push(JSON.parse(Buffer.from(record.value!).toString()));
    }
    return found;
  };
  const requested = () => findings().then((all) => all.findLast(({ code }) => code === 'decision_requested')!);
  const again = async () => {
    await analyzer.kill();
    analyzer = await deployment.run();
  };

  it('is paused, released for 5 more deletes, paused at the sixth, killed when nobody answers', {
    timeout: 60_000,
  }, async () => {
    await deletes(4);
    expect(await ordered(1)).toEqual(['pause']);
    const { command, view } = await requested();
    await decide({ kind: 'release', command: command!, view: view!, grant: { marks: 5 }, reason: 'known clean-up' });
    expect(await ordered(2)).toEqual(['pause', 'resume']);
    await again();
    await deletes(5);
    await deployment.settled();
    expect(await ordered(2)).toEqual(['pause', 'resume']);
    await again();
    await deletes(1);
    expect(await ordered(3)).toEqual(['pause', 'resume', 'pause']);
    await again();
    expect(await ordered(4)).toEqual(['pause', 'resume', 'pause', 'kill']);
    const codes = (await findings()).map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['decision_due', 'decision_accepted']));
    await deployment.settled();
    expect(await analyzer.stop()).toBe(0);
    const [wanted] = await deployment.oracle();
    const stored = await deployment.stored(0);
    expect([stored.sessions, JSON.parse(stored.partition)]).toEqual([wanted!.sessions, JSON.parse(wanted!.partition)]);

    const whole = await deployment.cli('audit', 'verify', ...deployment.flags.slice(0, 4));
    expect(whole.out).toMatch(/^the trail is whole: \d+ entries in 1 chain/);
    expect(whole.code).toBe(0);
    const shown = await deployment.cli('audit', 'show', SESSION, ...deployment.flags.slice(0, 4));
    expect(shown.out).toContain('release by lee: known clean-up');
    expect(shown.out).toContain(`who saw ${view}`);
    expect(shown.out).toMatch(/for +kim/);
    expect(shown.out).toMatch(/through +runtime/);
    expect(shown.out).toMatch(/asked +p-1/);
    expect(shown.out).toMatch(/tried +delete_mail \(delete\): 10 ok; did access m-1, m-2/);
  });
});
