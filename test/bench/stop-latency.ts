import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, expect, it } from 'vitest';
import { connectEnforcer, type Enforcer } from '../../src/enforcer/enforcer.ts';
import { deploy } from '../integration/deployment.ts';
import { manyDeletions } from '../integration/runaway.ts';

/*
 * From the broker's append of the action that crosses the threshold to the real process being stopped, while other sessions
 * act at a steady rate. Broker, Redis, analyzer, enforcer and the producer share the machine.
 */

const RATE = Number(process.env['BENCH_RATE'] ?? 5000);
const STOPS = Number(process.env['BENCH_STOPS'] ?? 200);
const BETWEEN_MS = 100;
const SESSIONS = 2000;
const RULES = manyDeletions('pause');

const deployment = await deploy({ partitions: 8, rules: RULES });
const children: ChildProcess[] = [];
let enforcer: Enforcer | undefined;
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await enforcer?.stop();
  await deployment.close();
});

let events = 0;
function action(session: string, kind: 'read' | 'delete') {
  const id = `e-${++events}`;
  const resource = { type: 'm', id };
  const event = { id, time: new Date().toISOString(), session, agent: { id: 'a' }, tool: 't', action: kind, resource };
  return { key: session, value: JSON.stringify({ ...event, outcome: 'ok' }) };
}

it(`stops ${STOPS} processes at ${RATE} events a second beside them`, async () => {
  const analyzer = await deployment.run();
  const hosted = new Map<string, ChildProcess>();
  const stoppedMs = new Map<string, number>();
  const [, brokers, , topicPrefix, , keyFile] = deployment.flags as [string, string, string, string, string, string];
  enforcer = await connectEnforcer({
    ...{ name: 'bench', topicPrefix, keyFile, brokers: brokers.split(','), logger: pino({ level: 'silent' }) },
    sessions: () => [...hosted.keys()].map((session) => ({ session })),
    pause(session) {
      hosted.get(session)!.kill('SIGSTOP');
      stoppedMs.set(session, Date.now());
    },
  });
  const startedMs = Date.now();
  let sent = 0;
  let going = true;
  const background = (async () => {
    while (going) {
      const due = Math.floor(((Date.now() - startedMs) / 1000) * RATE) - sent;
      if (due > 0)
        await deployment.produce(Array.from({ length: due }, () => action(`s-${events % SESSIONS}`, 'read')));
      sent += Math.max(0, due);
      await sleep(20);
    }
  })();
  await sleep(3000);
  for (let i = 0; i < STOPS; i++) {
    const session = `stop-${i}`;
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    children.push(child);
    hosted.set(session, child);
    await deployment.produce(Array.from({ length: 4 }, () => action(session, 'delete')));
    await sleep(BETWEEN_MS);
  }
  while (stoppedMs.size < STOPS) await sleep(100);
  const seconds = (Date.now() - startedMs) / 1000;
  going = false;
  await background;
  const causedMs = new Map<string, number>();
  for (const record of [...(await deployment.log()).values()].flat()) {
    const session = Buffer.from(record.key ?? []).toString();
    // The last of the four: equal batches are appended at once, so the last one is the one that crosses it.
    if (session.startsWith('stop-') && record.headers['ce_type'] === undefined) causedMs.set(session, record.appendMs);
  }
  const latencies = [...stoppedMs].map(([session, atMs]) => atMs - causedMs.get(session)!).sort((a, b) => a - b);
  const at = (part: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))]!;
  console.log(
    `${STOPS} stops at ${Math.round(sent / seconds)} events/s: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, most ${latencies.at(-1)} ms`,
  );
  expect(latencies).toHaveLength(STOPS);
  expect(await analyzer.stop()).toBe(0);
});
