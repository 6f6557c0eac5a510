import type { Finding } from '../domain/finding.ts';
import type { Level } from '../domain/level.ts';
import type { Verdict } from '../domain/output.ts';

/** How a session stands, as people need it: read from verdicts and findings. */
export interface SessionView {
  session: string;
  level: Level;
  /** Since when, as the log's time. */
  since: string;
  /** What brought it here. */
  rule: string | undefined;
  command: string | undefined;
  agent?: Finding['agent'];
  principal?: Finding['principal'];
  tenant?: string;
  /** What the session waits for, whole as the approver must see it; only while it is paused. */
  request?: Finding;
  /** When waiting ends, once that is known. */
  answerUntil?: string;
  /** Who has agreed to a release that needs another. */
  approvedBy?: string[];
  /** The enforcement is in doubt: unacknowledged, escalated, or the session acts on. */
  alarm?: Finding;
}

const ALARMS: ReadonlySet<Finding['code']> = new Set([
  'action_after_kill',
  'action_while_paused',
  'command_unacknowledged',
  'command_escalated',
]);

interface Entry extends SessionView {
  offset: number;
}

/**
 * The sessions that are not clear, folded from `firebreak.verdicts` and `firebreak.findings` in whatever order the two
 * come; within a session the position in the log decides. A session that is clear again is forgotten.
 */
export class SessionBoard {
  readonly #sessions = new Map<string, Entry>();

  verdict({ session, level, command, rule, time, position }: Verdict): void {
    this.#stands(session, level, Number(position.offset), { since: time, rule, command });
  }

  finding(finding: Finding): void {
    const { session, code, level, position, time, rule, command, request } = finding;
    if (session === undefined) return;
    const offset = Number(position.offset);
    if (code === 'level_changed' && level) this.#stands(session, level.to, offset, { since: time, rule, command });
    const entry = this.#sessions.get(session);
    if (entry === undefined) return;
    const { agent, principal, tenant } = finding;
    Object.assign(entry, { ...(agent && { agent }), ...(principal && { principal }), ...(tenant && { tenant }) });
    if (code === 'decision_requested') {
      entry.request = finding;
      delete entry.approvedBy;
      delete entry.answerUntil;
    }
    if (request?.answerUntil !== undefined) entry.answerUntil = request.answerUntil;
    if (request !== undefined && request.approvedBy.length > 0) entry.approvedBy = request.approvedBy;
    if (ALARMS.has(code)) entry.alarm = finding;
  }

  of(session: string): SessionView | undefined {
    const entry = this.#sessions.get(session);
    return entry && viewOfEntry(entry);
  }

  /** The most urgent first: alarms, then who waits for an answer, then by level and age. */
  all(): SessionView[] {
    return [...this.#sessions.values()].map(viewOfEntry).sort((a, b) => urgency(b) - urgency(a) || compare(a, b));
  }

  #stands(session: string, level: Level, offset: number, how: Pick<SessionView, 'since' | 'rule' | 'command'>): void {
    const known = this.#sessions.get(session);
    if (known !== undefined && (known.level === 'killed' || offset < known.offset)) return;
    if (level === 'clear') {
      this.#sessions.delete(session);
    } else if (known === undefined) {
      this.#sessions.set(session, { session, level, offset, ...how });
    } else {
      // The verdict and the finding of one change tell the same; the command is in one of them only.
      if (known.level !== level || known.offset !== offset) known.since = how.since;
      if (known.level !== level) delete known.alarm;
      Object.assign(known, { level, offset, rule: how.rule ?? known.rule, command: how.command ?? known.command });
    }
  }
}

/** A request is open while its session is paused; what was asked before a release or a kill is history. */
function viewOfEntry({ offset: _, request, answerUntil, approvedBy, ...entry }: Entry): SessionView {
  if (entry.level !== 'paused' || request === undefined) return entry;
  return { ...entry, request, ...(answerUntil && { answerUntil }), ...(approvedBy && { approvedBy }) };
}

const LEVEL_URGENCY: Record<Level, number> = { clear: 0, watch: 1, killed: 2, paused: 3 };

function urgency({ level, alarm, request }: SessionView): number {
  return (alarm === undefined ? 0 : 100) + (request === undefined ? 0 : 10) + LEVEL_URGENCY[level];
}

function compare(a: SessionView, b: SessionView): number {
  return a.since < b.since ? -1 : a.since > b.since ? 1 : 0;
}
