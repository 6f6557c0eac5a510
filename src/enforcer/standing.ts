import type { Command, Position } from '../domain/command.ts';
import type { Verdict } from '../domain/output.ts';

/** What is to be true of a session. `free` is clear and watch alike: nobody holds it. */
export type Stand = 'free' | 'paused' | 'killed';

/** Why a session is to be so: the command that an acknowledgement names. */
export interface Standing {
  stand: Stand;
  command: string;
  rule: string;
  reason: string | undefined;
  position: Position;
  /** Append time of the cause, ms. It orders positions of different incarnations of the log. */
  timeMs: number;
}

/** What became of a command or verdict that was taken in. A closed set: it is a field of the log. */
export type Taken = 'newer' | 'known' | 'superseded' | 'killed_already';

const STAND_OF_ACTION = { pause: 'paused', resume: 'free', kill: 'killed' } as const;
const STAND_OF_LEVEL = { clear: 'free', watch: 'free', paused: 'paused', killed: 'killed' } as const;

/**
 * The latest that was said of each session, and of each agent, principal and tenant that an order holds for.
 *
 * - Nothing leaves `killed`: a kill counts wherever in the log it stands, and everything after it is void.
 * - Of the rest only what stands above the last position counts, so an old resume that comes late frees nobody.
 *
 * It holds one entry for each session of the compacted topic that is paused or killed, and grows with them.
 */
export class StandingTable {
  readonly #sessions = new Map<string, Standing>();
  /** By scope and partition: an order is said once in each partition, and each counts for itself. */
  readonly #orders = new Map<string, Standing>();

  takeCommand(command: Command, timeMs: number): Taken {
    const { id, action, session, scope, rule, reason, position } = command;
    const standing = { stand: STAND_OF_ACTION[action], command: id, rule, reason, position, timeMs };
    if (session !== undefined) return take(this.#sessions, session, standing);
    return take(this.#orders, `${scope}\n${position.partition}`, standing);
  }

  takeVerdict({ session, level, command, rule, position }: Verdict, timeMs: number): Taken {
    const standing = { stand: STAND_OF_LEVEL[level], command, rule, reason: undefined, position, timeMs };
    return take(this.#sessions, session, standing);
  }

  /** What is said of the session itself; undefined: nothing. */
  of(session: string): Standing | undefined {
    return this.#sessions.get(session);
  }

  /** The order that holds for one of these scopes. */
  ordered(scopes: readonly string[]): Standing | undefined {
    for (const [key, standing] of this.#orders) {
      if (standing.stand !== 'free' && scopes.includes(key.slice(0, key.lastIndexOf('\n')))) return standing;
    }
    return undefined;
  }
}

function take(table: Map<string, Standing>, key: string, said: Standing): Taken {
  const known = table.get(key);
  if (known !== undefined && known.command === said.command && known.stand === said.stand) {
    known.reason ??= said.reason; // a verdict has none
    return 'known';
  }
  if (known?.stand === 'killed') return said.stand === 'killed' ? 'known' : 'killed_already';
  if (known !== undefined && said.stand !== 'killed' && !isAbove(said, known)) return 'superseded';
  table.set(key, said);
  return 'newer';
}

/** At the same position the stronger one counts: a session is not freed by what caused its pause. */
function isAbove(said: Standing, known: Standing): boolean {
  if (said.position.topicId !== known.position.topicId) return said.timeMs > known.timeMs;
  const by = Number(said.position.offset) - Number(known.position.offset);
  return by > 0 || (by === 0 && said.stand === 'paused' && known.stand === 'free');
}

/** The stronger of two; undefined is nothing said. */
export function stronger(first: Standing | undefined, second: Standing | undefined): Standing | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return RANK[second.stand] > RANK[first.stand] ? second : first;
}

export const RANK: Record<Stand, number> = { free: 0, paused: 1, killed: 2 };
