import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { decodeSession } from '../../src/engine/session/codec.ts';
import { decodeRecord } from '../../src/formats/log-record.ts';
import { judgeSession, type Passing, passingAt } from '../properties/naive-engine.ts';
import type { Arrived } from '../properties/naive-measures.ts';
import type { SimulatedPolicy } from './policies.ts';
import { HOME, type World } from './world.ts';

/** One thing that a schedule came to and must not. */
export interface Fault {
  kind: 'diverged' | 'lost' | 'extra';
  what: string;
}

/** Compares what a world came to with what one process without failures comes to on the same log. */
export async function faultsOf(world: World): Promise<Fault[]> {
  const wanted = world.oracle();
  const { next, body, sessions } = await world.stored();
  const faults: Fault[] = [];
  const same = (what: string, found: string | undefined, want: string | undefined) => {
    if (found !== want) faults.push({ kind: 'diverged', what: `${what}: found ${found}, wanted ${want}` });
  };
  same('next', String(next), String(world.high));
  same('partition', body && canonicalJson(body.state), canonicalJson(JSON.parse(wanted.partition)));
  for (const id of new Set([...Object.keys(sessions), ...Object.keys(wanted.sessions)]))
    same(`session ${id}`, sessions[id], wanted.sessions[id]);
  // Whatever is lost and repeated, what the store holds is one consistent point: nobody ever throws it away.
  same('states thrown away', String(world.stats.discarded), '0');
  for (const error of world.fatal) faults.push({ kind: 'diverged', what: `fatal: ${error.message}` });
  if (body) {
    const { findings: _, refused, ...counts } = body.state.accounting;
    const accounted = [...Object.values(counts), ...Object.values(refused)].reduce((sum, count) => sum + count, 0);
    same('records accounted for', String(accounted), String(world.high));
  }
  const commands = new Set(world.said('commands').map(({ command }) => command.id));
  faults.push(...difference('command', commands, new Set(wanted.commands)));
  // While the log is read again only the latest of each session is said, so not all of them need to be there.
  const verdicts = new Set(world.said('verdicts').map(({ verdict }) => verdict.command));
  const latest = new Set(Object.values(wanted.verdicts));
  faults.push(...difference('verdict of command', verdicts, new Set(wanted.commands)).filter(isExtra));
  faults.push(...difference('verdict of command', verdicts, latest).filter((fault) => !isExtra(fault)));
  return faults;
}

/** The same with an oracle that shares nothing with the engine: each session judged from the list of its events. */
export async function naiveFaultsOf(world: World, policies: readonly SimulatedPolicy[]): Promise<Fault[]> {
  const arrivals = new Map<string, Arrived[]>();
  let policy: SimulatedPolicy | undefined;
  const passing: Passing[] = [];
  for (const raw of world.log.slice(0, 0, world.high)) {
    const { offset, appendMs, body } = decodeRecord(raw, undefined, HOME);
    passing.push(passingAt({ offset, appendMs }, policy?.naive, passing.at(-1)));
    const { clockMs } = passing.at(-1)!;
    if (body.type === 'policy') policy = policies.find(({ activated }) => activated.hash === body.policy.hash);
    if (body.type !== 'action' || policy === undefined) continue;
    const { event } = body;
    const before = arrivals.get(event.session) ?? [];
    arrivals.set(event.session, [...before, { offset, appendMs, clockMs, policy: policy.naive, event }]);
  }
  const wanted = new Set<string>();
  const faults: Fault[] = [];
  // What people decide, and the silence of people, the naive engine knows nothing of.
  const decided = new Set<string | undefined>();
  const said = world.said('commands').map(({ command }) => command);
  for (const { session, action, rule } of said)
    if (action === 'resume' || rule.startsWith('firebreak:')) decided.add(session);
  // Nor of acknowledgements: what was stopped is kept while its command has none, beyond the time of its mark.
  const stopped = new Set(said.map(({ session }) => session));
  for (const [session, history] of arrivals)
    if (stopped.has(session) && history.some((one, i) => outlasts(history[i - 1], one))) decided.add(session);
  const { sessions } = await world.stored();
  for (const [session, history] of arrivals) {
    if (decided.has(session)) continue;
    const { level: last, commands } = judgeSession(history, passing);
    for (const command of commands) wanted.add(`${session} ${command}`);
    const bytes = sessions[session];
    const level = bytes && decodeSession(session, Buffer.from(bytes, 'hex')).level;
    if (level !== undefined && level !== last)
      faults.push({ kind: 'diverged', what: `level of ${session}: found ${level}, wanted ${last} (naive)` });
  }
  const found = new Set(
    said
      .filter(({ session }) => !decided.has(session))
      .map(({ session, action, rule, position }) => `${session} ${action} ${rule} ${position.offset}`),
  );
  return [...faults, ...difference('command (naive)', found, wanted)];
}

/** Whether the mark of a stop might have been forgotten between two actions. */
function outlasts(before: Arrived | undefined, { clockMs, policy }: Arrived): boolean {
  return before !== undefined && clockMs - before.clockMs >= policy.settings.killMarkMs;
}

function difference(name: string, found: ReadonlySet<string>, wanted: ReadonlySet<string>): Fault[] {
  const lost = [...wanted].filter((id) => !found.has(id));
  const extra = [...found].filter((id) => !wanted.has(id));
  return [
    ...lost.map((id): Fault => ({ kind: 'lost', what: `${name} ${id}` })),
    ...extra.map((id): Fault => ({ kind: 'extra', what: `${name} ${id}` })),
  ];
}

function isExtra({ kind }: Fault): boolean {
  return kind === 'extra';
}
