import type { AuditEntry } from '../../domain/audit.ts';
import { type ActionEvent, type OUTCOMES, targetsOf } from '../../domain/event.ts';

type Outcome = (typeof OUTCOMES)[number];

/** More targets than this are counted, not listed. */
const TARGETS_LISTED_MAX = 20;

/** What a session tried with one tool, by what it got. */
export interface Access {
  tool: string;
  action: ActionEvent['action'];
  attempts: Record<Outcome, number>;
  /** Of those that were `ok`, the first ones. */
  accessed: string[];
  accessedMore: number;
}

/** What an investigator asks about one session. */
export interface SessionTrail {
  session: string;
  agent: string | undefined;
  /** Who initiated the query. */
  principals: string[];
  /** How the permissions were handed over, outermost actor first. */
  delegations: string[][];
  tenant: string | undefined;
  /** References to what was asked. */
  prompts: string[];
  /** By the log of actions; empty where that was not read or holds none of it any more. */
  access: Access[];
  entries: AuditEntry[];
}

/** Collects the trail of one session: its entries, and its actions where there are any. */
export class SessionTrailReader {
  readonly trail: SessionTrail;
  readonly #seen = new Set<string>();

  constructor(session: string) {
    const nobody = { agent: undefined, tenant: undefined, principals: [], delegations: [], prompts: [] };
    this.trail = { session, ...nobody, access: [], entries: [] };
  }

  /** A repeated entry counts once. */
  entry(entry: AuditEntry): void {
    const { session } = this.trail;
    if (entry.session !== session || this.#seen.has(entry.hash)) return;
    this.#seen.add(entry.hash);
    this.trail.entries.push(entry);
    const { action, command, finding } = entry;
    this.#who(command?.agent?.id ?? finding?.agent?.id, command?.tenant ?? finding?.tenant);
    note(this.trail.principals, action?.principal ?? command?.principal?.id);
    this.#delegated(action?.delegation ?? command?.delegation);
    note(this.trail.prompts, action?.prompt);
  }

  action(event: ActionEvent): void {
    if (event.session !== this.trail.session) return;
    const { tool, action, outcome = 'unknown' } = event;
    this.#who(event.agent.id, event.tenant);
    note(this.trail.principals, event.principal?.id);
    this.#delegated(event.delegation);
    note(this.trail.prompts, event.prompt?.ref);
    let access = this.trail.access.find((one) => one.tool === tool && one.action === action);
    if (access === undefined) {
      access = { tool, action, attempts: { ok: 0, error: 0, denied: 0, unknown: 0 }, accessed: [], accessedMore: 0 };
      this.trail.access.push(access);
    }
    access.attempts[outcome]++;
    if (outcome !== 'ok') return;
    for (const target of targetsOf(event)) {
      if (access.accessed.includes(target)) continue;
      if (access.accessed.length < TARGETS_LISTED_MAX) access.accessed.push(target);
      else access.accessedMore++;
    }
  }

  #who(agent: string | undefined, tenant: string | undefined): void {
    this.trail.agent ??= agent;
    this.trail.tenant ??= tenant;
  }

  #delegated(chain: readonly string[] | undefined): void {
    if (chain === undefined || chain.length === 0) return;
    const { delegations } = this.trail;
    if (!delegations.some((one) => one.join('\0') === chain.join('\0'))) delegations.push([...chain]);
  }
}

function note(list: string[], value: string | undefined): void {
  if (value !== undefined && !list.includes(value)) list.push(value);
}
