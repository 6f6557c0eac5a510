import { ConfigResourceTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Check } from '../../src/app/doctor/check.ts';
import { startRedis } from '../services/redis.ts';
import { type Deployment, deploy } from './deployment.ts';
import { RULES } from './traffic.ts';

describe('firebreak doctor', { timeout: 60_000 }, () => {
  let deployment: Deployment;
  let redis: Awaited<ReturnType<typeof startRedis>>;

  const examined = async () => {
    const { code, out } = await deployment.cli('doctor', '--json', ...deployment.flags);
    const checks = JSON.parse(out) as Check[];
    const problems = checks.filter(({ status }) => status === 'problem');
    return { code, checks, problems, about: problems.map(({ about }) => about).sort() };
  };
  const setTopic = async (value: string) => {
    const admin = deployment.kafka.admin();
    await admin.connect();
    const configEntries = [{ name: 'unclean.leader.election.enable', value }];
    const name = `${deployment.prefix}verdicts`;
    // The old call replaces all settings of a topic: the others are given again as they are.
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name }],
    });
    const kept = resources[0]!.configEntries
      .filter(({ configName, isDefault }) => !isDefault && configName !== configEntries[0]!.name)
      .map(({ configName, configValue }) => ({ name: configName, value: configValue }));
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries: [...kept, ...configEntries] }],
    });
    await admin.disconnect();
  };

  beforeAll(async () => {
    redis = await startRedis(); // of its own: its settings are changed
    deployment = await deploy({ partitions: 2, rules: RULES, policy: 'later', redisUrl: redis.url });
  }, 60_000);
  afterAll(async () => {
    await deployment?.close();
    await redis?.stop();
  });

  it('names what is wrong and the command that mends it, and exits with 1', async () => {
    await setTopic('true');
    await deployment.redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const { code, problems, about } = await examined();
    const group = `group ${deployment.prefix}analyzer`;
    const topic = `topic ${deployment.prefix}verdicts`;
    expect([code, about]).toEqual([1, ['ACLs', 'Redis', group, 'policy', topic].sort()]);
    const mends = Object.fromEntries(problems.map((one) => [one.about, `${one.found} ${one.mend}`]));
    expect(mends[topic]).toContain('--add-config unclean.leader.election.enable=false');
    expect(mends['Redis']).toContain('CONFIG SET maxmemory-policy noeviction');
    expect(mends['policy']).toContain('firebreak activate');
    expect(mends[group]).toContain('firebreak run');
  });

  it('finds nothing more once that is mended: but that this Kafka lets everybody write', async () => {
    await setTopic('false');
    await deployment.redis.config('SET', 'maxmemory-policy', 'noeviction');
    const activated = await deployment.cli('activate', deployment.folder, ...deployment.flags.slice(0, -2));
    expect(activated).toMatchObject({ code: 0 });
    await deployment.run();
    await expect.poll(async () => (await examined()).about, { timeout: 40_000 }).toEqual(['ACLs']);
    const { checks } = await examined();
    const clock = checks.find(({ about }) => about === 'clock of the brokers');
    expect(clock).toMatchObject({ status: 'ok' });
    expect(checks.filter(({ status, mend }) => status === 'problem' && mend === undefined)).toEqual([]);
  });

  it('tells people in lines', async () => {
    const { out } = await deployment.cli('doctor', ...deployment.flags);
    expect(out).toMatch(/^ok {7}topics: all there/m);
    expect(out).toMatch(/^PROBLEM {2}ACLs: .*\n {9}→ set authorizer\.class\.name=/m);
  });
});
