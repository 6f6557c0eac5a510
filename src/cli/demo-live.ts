import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { systemClock } from '../adapters/system-clock.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import { startInMemory } from '../app/in-memory.ts';
import { ActionEvent } from '../domain/event.ts';
import type { Finding } from '../domain/finding.ts';
import { formatInstant } from '../domain/instant.ts';
import type { Output } from '../domain/output.ts';
import type { PolicyBody } from '../domain/rule.ts';
import { Obedience } from '../enforcer/obedience.ts';
import { AGENT } from './shipped.ts';

const SESSION = 'live';
/** Enough for every rule that ships; the process ends by itself after them. */
const CALLS = 200;
const CALL_EVERY_MS = 20;
const GRANT = { marks: 5 };
/** The person of the demo thinks for so long, once; the second request is not answered. */
const LOOK_MS = 700;
const ANSWER_WITHIN_MS = 2000;
const GRACE_MS = 200;
/** Whatever the machine does, nothing of the demo is left after so long. */
const AT_MOST_MS = 30_000;

const SIGNALS = { pause: 'SIGSTOP', resume: 'SIGCONT', kill: 'SIGKILL' } as const;

/**
 * A real process as the agent, which says that it deletes and touches nothing; around it the engine, the relay's records
 * and the hands of `firebreak/enforcer`, without Kafka and Redis. It has ended when this is fulfilled, whatever happened.
 */
export async function demoLive(body: PolicyBody, write: (line: string) => void, stopped: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [AGENT, String(CALLS), String(CALL_EVERY_MS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = () => void child.kill('SIGKILL');
  // Also where an error ends the demo: a stopped process would stay for ever.
  process.once('exit', end);
  try {
    await once(child, 'spawn');
    await watched(child, body, write, AbortSignal.any([stopped, AbortSignal.timeout(AT_MOST_MS)]));
  } finally {
    end();
    process.off('exit', end);
  }
}

async function watched(
  child: ChildProcess,
  body: PolicyBody,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const beganMs = systemClock.monotonicMs();
  const exited = once(child, 'exit', { signal }) as Promise<[number | null, NodeJS.Signals | null]>;
  const lines = createInterface(child.stdout!);
  let deletions = 0;
  const tell = (what: string, text: string) => {
    const seconds = ((systemClock.monotonicMs() - beganMs) / 1000).toFixed(1).padStart(5);
    write(`${seconds} s  ${what}  ${text}`);
  };
  const logger = createLogger('fatal');
  const hand = (name: keyof typeof SIGNALS, reason: string) => {
    child.kill(SIGNALS[name]);
    tell(SIGNALS[name], `after ${deletions} deletions: ${reason}`);
  };
  const enforcer = new Obedience({
    name: 'demo',
    class: undefined,
    hands: {
      sessions: () => [{ session: SESSION, agent: 'mail-helper' }],
      pause: (_, { reason }) => hand('pause', reason),
      // A new enforcer lets run what may run; only what follows a command is worth a line.
      resume: (_, { command, reason }) => void (command !== undefined && hand('resume', reason)),
      async kill(_, { reason }) {
        hand('kill', reason);
        await exited;
      },
    },
    deadMan: undefined,
    acknowledge: (acknowledgement) =>
      void firebreak.say(SESSION, { type: 'command.acknowledged.v1', body: acknowledgement }),
    clock: systemClock,
    logger,
  });
  let requests = 0;
  const answer = async ({ command, view }: Finding) => {
    if (++requests > 1) return;
    await systemClock.sleep(LOOK_MS, signal);
    const about = { session: SESSION, command: command!, view: view!, reason: 'these few may go' };
    const body = { id: 'demo', kind: 'release' as const, by: { id: 'kim' }, grant: GRANT, ...about };
    if (!signal.aborted) await firebreak.say(SESSION, { type: 'decision.v1', body });
  };
  const hear = (output: Output) => {
    if (output.topic === 'commands') enforcer.command(output.command, systemClock.nowMs());
    else if (output.topic === 'verdicts') enforcer.verdict(output.verdict, systemClock.nowMs());
    else if (output.topic === 'findings' && output.finding.code === 'decision_requested') void answer(output.finding);
    else return;
    enforcer.settle();
  };
  tell('started', `process ${child.pid}`);
  const firebreak = await startInMemory(hurried(body), hear, logger);
  enforcer.settle();
  lines.on('line', (line) => {
    const id = `${SESSION}-${++deletions}`;
    const about = { id, time: formatInstant(systemClock.nowMs()), session: SESSION, agent: { id: 'mail-helper' } };
    firebreak.act(ActionEvent.parse({ ...about, outcome: 'ok', ...JSON.parse(line) }));
  });
  try {
    const [, by] = (await Promise.race([exited, firebreak.ended])) as Awaited<typeof exited>;
    if (by === null) tell('ended  ', `by itself after ${deletions} deletions: these rules let it finish`);
  } catch (error) {
    if (!signal.aborted) throw error;
    tell('SIGKILL', 'the demo is over');
  } finally {
    lines.close();
    await firebreak.stop();
  }
}

/** Nobody wants to wait a quarter of an hour for nobody's answer. */
function hurried(body: PolicyBody): PolicyBody {
  const answer = { answerWithinMs: ANSWER_WITHIN_MS, reminderBeforeMs: ANSWER_WITHIN_MS, decisionGraceMs: GRACE_MS };
  return { ...body, settings: { ...body.settings, ...answer } };
}
