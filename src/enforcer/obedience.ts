import type { Logger } from 'pino';
import type { Command } from '../domain/command.ts';
import type { Lease, Verdict } from '../domain/output.ts';
import type { Acknowledgement } from '../domain/record.ts';
import type { Clock } from '../ports.ts';
import type { DeadMan, Silence } from './dead-man.ts';
import { HAND_OF, type Hands, type HostedSession, scopesOf, type Why } from './hands.ts';
import { RANK, type Stand, type Standing, StandingTable, stronger } from './standing.ts';

export interface ObedienceParts {
  /** Name of this enforcer in acknowledgements. */
  name: string;
  /** Waits while a command or verdict names it in `standby`; undefined: never. */
  class: string | undefined;
  hands: Hands;
  /** Undefined: sessions run on while nobody judges. */
  deadMan: DeadMan | undefined;
  acknowledge(acknowledgement: Acknowledgement): void;
  clock: Clock;
  logger: Logger;
}

/** What is to be true of a session now, and by which command. */
interface Wanted {
  stand: Stand;
  why: Why;
}

const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 60_000;

/**
 * Brings the sessions that run here to where they are said to be. What was done is remembered, not what was read, so a
 * command is dropped only after it was enforced; a repeated one is answered again.
 *
 *   commands, verdicts ──► what is to be ──┐
 *   leases ──► does somebody judge? ───────┴─► settle: differs from what was done? ──► hand ──► acknowledgement
 */
export class Obedience {
  readonly #parts: ObedienceParts;
  readonly #table = new StandingTable();
  /** Of what ran before this process began, nobody knows what an earlier one did to it. */
  readonly #done = new Map<string, Stand | 'unknown'>();
  readonly #busy = new Map<string, Promise<void>>();
  #begun = false;
  readonly #failures = new Map<string, { times: number; againMs: number }>();
  /** Sessions that run on while nobody judges them. */
  readonly #unwatched = new Set<string>();
  /** The command that somebody waits to hear about. */
  readonly #asked = new Map<string, { command: string; stand: Stand }>();

  constructor(parts: ObedienceParts) {
    this.#parts = parts;
  }

  /** A command whose signature was found right, and which has not expired. `timeMs` is its append time. */
  command(command: Command, timeMs: number): void {
    if (this.#waits(command)) return;
    const taken = this.#table.takeCommand(command, timeMs);
    this.#parts.logger.info({ command: command.id, action: command.action, taken }, 'command');
    const stand = ({ pause: 'paused', resume: 'free', kill: 'killed' } as const)[command.action];
    for (const hosted of this.#parts.hands.sessions()) {
      if (!isMeant(command, hosted)) continue;
      this.#asked.set(hosted.session, { command: command.id, stand });
      this.#failures.delete(hosted.session);
      this.#acknowledge(hosted.session, command.id, 'received');
    }
  }

  verdict(verdict: Verdict, timeMs: number): void {
    if (this.#waits(verdict)) return;
    this.#table.takeVerdict(verdict, timeMs);
  }

  lease(lease: Lease): void {
    this.#parts.deadMan?.lease(lease, this.#parts.clock.monotonicMs());
  }

  /** What is to be true of a session, for a gateway that asks before it lets an action through. */
  stand(hosted: HostedSession): Stand {
    return this.#wanted(hosted).stand;
  }

  /** Begins whatever is to be done. To be called after each batch of records, and each second. */
  settle(): void {
    const hosted = new Map([...this.#parts.hands.sessions()].map((one) => [one.session, one]));
    if (!this.#begun) for (const session of hosted.keys()) this.#done.set(session, 'unknown');
    this.#begun = true;
    for (const one of hosted.values()) {
      if (this.#busy.has(one.session)) continue;
      const settled = this.#settle(one).finally(() => this.#busy.delete(one.session));
      this.#busy.set(one.session, settled);
    }
    for (const memory of [this.#done, this.#failures, this.#asked]) {
      for (const session of memory.keys()) if (!hosted.has(session)) memory.delete(session);
    }
  }

  /** Fulfilled when no hand is at work. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  async #settle(hosted: HostedSession): Promise<void> {
    const { session } = hosted;
    for (;;) {
      const wanted = this.#wanted(hosted);
      const done = this.#done.get(session) ?? 'free';
      if (wanted.stand === done) return this.#answer(session, done);
      if (!this.#isDue(session) || !(await this.#do(session, wanted))) return;
    }
  }

  #wanted(hosted: HostedSession): Wanted {
    const { deadMan, clock } = this.#parts;
    const said = stronger(this.#table.of(hosted.session), this.#table.ordered(scopesOf(hosted)));
    if (said !== undefined && said.stand !== 'free') return { stand: said.stand, why: whyOf(said) };
    const silence = deadMan?.silenceOf(hosted, clock.monotonicMs());
    this.#noteUnwatched(hosted, silence);
    if (silence?.then === 'pause') {
      const reason = `nobody has judged partition ${silence.partition} for ${Math.floor(silence.silentMs / 1000)} s`;
      return { stand: 'paused', why: { command: undefined, rule: undefined, reason } };
    }
    const why =
      said === undefined ? { command: undefined, rule: undefined, reason: 'nothing stands against it' } : whyOf(said);
    return { stand: 'free', why };
  }

  /** Told once for each time that a session runs on while nobody judges it. */
  #noteUnwatched({ session, tenant }: HostedSession, silence: Silence | undefined): void {
    if (silence?.then !== 'run') {
      if (silence === undefined) this.#unwatched.delete(session);
      return;
    }
    if (this.#unwatched.has(session)) return;
    this.#unwatched.add(session);
    this.#parts.logger.warn({ session, tenant, partition: silence.partition }, 'runs on while nobody judges it');
  }

  /** Whether it is done now. */
  async #do(session: string, { stand, why }: Wanted): Promise<boolean> {
    const { hands, logger } = this.#parts;
    const name = HAND_OF[stand];
    const hand = hands[name];
    const { command } = why;
    try {
      await hand?.(session, why);
    } catch (error) {
      this.#putOff(session);
      logger.error({ session, command, hand: name, err: error }, 'not enforced: trying again');
      if (command !== undefined) this.#acknowledge(session, command, 'failed', (error as Error).message);
      return false;
    }
    // What cannot be done will not be possible in a moment either: it is told once for each command.
    this.#done.set(session, stand);
    this.#failures.delete(session);
    logger.info({ session, command, hand: name, supported: hand !== undefined }, 'enforced');
    if (command === undefined) return true;
    if (this.#asked.get(session)?.command === command) this.#asked.delete(session);
    if (hand === undefined) this.#acknowledge(session, command, 'unsupported', `no ${name} here`);
    else this.#acknowledge(session, command, 'enforced');
    return true;
  }

  /** Says again what was done already. */
  #answer(session: string, done: Stand): void {
    const asked = this.#asked.get(session);
    if (asked === undefined) return;
    this.#asked.delete(session);
    const { command, stand } = asked;
    if (this.#parts.hands[HAND_OF[stand]] === undefined) {
      this.#acknowledge(session, command, 'unsupported', `no ${HAND_OF[stand]} here`);
    } else if (stand === 'free' ? done === 'free' : RANK[stand] <= RANK[done]) {
      this.#acknowledge(session, command, 'enforced');
    } else if (done === 'killed') {
      this.#acknowledge(session, command, 'failed', 'the session is killed: a new session id begins anew');
    }
    // What a later command has overtaken is not answered: it was not done.
  }

  /** It comes again, without the name of this class, should nobody before it confirm. */
  #waits({ standby }: Pick<Command, 'standby'>): boolean {
    const { class: own } = this.#parts;
    return own !== undefined && (standby?.includes(own) ?? false);
  }

  #isDue(session: string): boolean {
    const failed = this.#failures.get(session);
    return failed === undefined || this.#parts.clock.monotonicMs() >= failed.againMs;
  }

  #putOff(session: string): void {
    const times = (this.#failures.get(session)?.times ?? 0) + 1;
    const delayMs = Math.min(RETRY_MIN_MS * 2 ** (times - 1), RETRY_MAX_MS);
    this.#failures.set(session, { times, againMs: this.#parts.clock.monotonicMs() + delayMs });
  }

  #acknowledge(session: string, command: string, status: Acknowledgement['status'], reason?: string): void {
    const { name, class: of } = this.#parts;
    const id = `${command}/${name}/${status}`;
    this.#parts.acknowledge({
      id,
      command,
      session,
      status,
      enforcer: name,
      ...(of === undefined ? {} : { class: of }),
      ...(reason === undefined ? {} : { reason }),
    });
  }
}

function isMeant({ session, scope }: Command, hosted: HostedSession): boolean {
  return session === undefined ? scopesOf(hosted).includes(scope ?? '') : session === hosted.session;
}

function whyOf({ command, rule, reason, stand }: Standing): Why {
  return { command, rule, reason: reason ?? `${HAND_OF[stand]} by rule ${rule}` };
}
