import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from '../../src/domain/finding.ts';
import { Agent, EnforcerProcess, until } from './agents.ts';
import { Deployment, type DeploymentOptions } from './deployment.ts';
import { policiesWith } from './policies.ts';
import { readTopic } from './read-topic.ts';
import { report, type Told } from './report.ts';
import type { Stand } from './stand.ts';

/** More deletions than the first rule of the policies lets pass: its pause, its kill. */
const TO_PAUSE = 6;
const TO_KILL = 9;
const DEAD_MAN_AFTER_MS = 8000;
/** A lease each second, and a look at it each second. */
const DEAD_MAN_WITHIN_MS = DEAD_MAN_AFTER_MS + 5000;
/** Longer than the partitions of a killed analyzer wait for another one: acknowledgements wait as long. */
const ACKNOWLEDGE_WITHIN = { yaml: '15s', ms: 15_000 };
const ESCALATED_WITHIN_MS = 90_000;

/** No analyzer lives any more: who has chosen so is paused, who has chosen otherwise runs on, and both are told. */
export async function deadMan(stand: Stand, told: Told): Promise<string[]> {
  const waits = [new Agent('waits-1'), new Agent('waits-2', 'other')];
  const runsOn = [new Agent('runs-1', 'acme'), new Agent('runs-2', 'acme')];
  const held = new Agent('held', 'acme');
  const agents = [...waits, ...runsOn, held];
  return withDeployment(stand, { name: 'dead-man', seed: told.seed }, agents, async (deployment) => {
    const whileBlind = { tenants: { acme: 'run' }, others: 'pause' } as const;
    const enforcer = new EnforcerProcess(deployment, 'one', agents, { deadManAfterMs: DEAD_MAN_AFTER_MS, whileBlind });
    await enforcer.ready();
    await deployment.produce(deployment.traffic.deletions(['held'], TO_PAUSE, Date.now()));
    await until('a pause by command', 30_000, () => held.is === 'stopped');
    const faults: string[] = [];
    const expect = (when: string, wanted: Record<string, readonly Agent[]>) => {
      for (const [is, of] of Object.entries(wanted))
        for (const agent of of) if (agent.is !== is) faults.push(`${when}: ${agent.session} is ${agent.is}, not ${is}`);
    };
    expect('while judged', { running: [...waits, ...runsOn], stopped: [held] });
    await deployment.fleet.killAll();
    const ms = await until('the dead man pauses', DEAD_MAN_WITHIN_MS, () => waits.every(({ is }) => is === 'stopped'));
    told.say(`    every analyzer: SIGKILL; ${waits.length} agents stopped ${seconds(ms)} s later, without a command`);
    await sleep(DEAD_MAN_AFTER_MS);
    expect('while nobody judges', { running: runsOn, stopped: [...waits, held] });
    for (const { session } of runsOn) {
      if (!new RegExp(`"session":"${session}".*runs on while nobody judges it`).test(enforcer.said))
        faults.push(`nothing is said of ${session}, which runs on unwatched`);
    }
    const seen = await deployment.cli('doctor', '--redis', stand.redis.url);
    const about = /.*no members: nothing is judged.*/.exec(seen.out)?.[0];
    if (seen.code !== 1 || about === undefined) faults.push(`doctor does not say it: ${seen.out}${seen.err}`);
    told.say(`    doctor: ${about?.trim()}`);
    deployment.fleet.start();
    const again = await until('they go on', 60_000, () => waits.every(({ is }) => is === 'running'));
    told.say(`    analyzers again: they go on ${seconds(again)} s later, what a command has paused does not`);
    await deployment.recovered();
    expect('when somebody judges again', { running: [...waits, ...runsOn], stopped: [held] });
    return [...faults, ...report(await deployment.verify(), told)];
  });
}

/** The enforcer that should act first is frozen: the next class does it, and where there is none people are called. */
export async function enforcerSilent(stand: Stand, told: Told): Promise<string[]> {
  const layered = [1, 2, 3, 4].map((number) => new Agent(`layered-${number}`));
  const alone = [1, 2].map((number) => new Agent(`alone-${number}`));
  const agents = [...layered, ...alone];
  const policies = policiesWith(
    `acknowledgeWithin: ${ACKNOWLEDGE_WITHIN.yaml}\npublishAttempts: 1\nenforcers: [runtime, gateway]\n`,
    { acknowledgeWithinMs: ACKNOWLEDGE_WITHIN.ms, publishAttempts: 1, enforcers: ['runtime', 'gateway'] },
  );
  const options = { name: 'enforcer-silent', seed: told.seed, policies };
  return withDeployment(stand, options, agents, async (deployment) => {
    const runtime = new EnforcerProcess(deployment, 'first', agents, { class: 'runtime' });
    const gateway = new EnforcerProcess(deployment, 'second', layered, { class: 'gateway' });
    await Promise.all([runtime.ready(), gateway.ready()]);
    runtime.child.signal('SIGSTOP');
    const sessions = agents.map(({ session }) => session);
    await deployment.produce(deployment.traffic.deletions(sessions, TO_KILL, Date.now()));
    await deployment.recovered();
    const [first] = deployment.fleet.members;
    await deployment.fleet.kill(first!); // the time that is left is in the state
    const ms = await until('the second class kills', ESCALATED_WITHIN_MS, () =>
      layered.every(({ is }) => is === 'dead'),
    );
    told.say(
      `    enforcer first: SIGSTOP, ${first!.name}: SIGKILL; the second class has killed ${seconds(ms)} s later`,
    );
    const faults = alone.filter(({ is }) => is !== 'running').map(({ session }) => `${session} was stopped by nobody`);
    const called = new Set<string>();
    const people = await until('people are called for whom nobody has stopped', ESCALATED_WITHIN_MS, async () => {
      for (const { session, severity } of await escalations(deployment))
        if (severity === 'critical') called.add(session!);
      return alone.every(({ session }) => called.has(session));
    });
    told.say(`    people are called for the others after ${seconds(ms + people)} s`);
    for (const { session } of layered)
      if (called.has(session)) faults.push(`people are called for ${session}, which is dead`);
    runtime.child.signal('SIGCONT');
    await until('who wakes obeys', 60_000, () => alone.every(({ is }) => is === 'dead'));
    return [...faults, ...report(await deployment.verify(), told)];
  });
}

async function escalations(deployment: Deployment): Promise<Pick<Finding, 'session' | 'severity'>[]> {
  const records = await readTopic(deployment.stand.brokers.client(), `${deployment.prefix}.findings`);
  return [...records.values()].flat().flatMap(({ value }) => {
    const { code, session, severity } = JSON.parse(String(value)) as Finding;
    return code === 'command_escalated' ? [{ session, severity }] : [];
  });
}

async function withDeployment(
  stand: Stand,
  options: DeploymentOptions,
  agents: readonly Agent[],
  work: (deployment: Deployment) => Promise<string[]>,
): Promise<string[]> {
  const deployment = await Deployment.start(stand, options);
  try {
    return await work(deployment);
  } finally {
    for (const agent of agents) agent.end();
    await deployment.close();
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
