import type { z } from 'zod';
import { AuditEntry, auditHashOf } from '../../domain/audit.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { Command, shortForm } from '../../domain/command.ts';
import { explainLine } from '../../domain/explain.ts';
import { Finding, viewOf } from '../../domain/finding.ts';

/** What is wrong at one place. A closed set, for programs; `reason` is for people. */
export type FaultKind = 'unreadable' | 'changed' | 'missing' | 'broken_link' | 'contradiction' | 'not_in_trail';

export interface TrailFault {
  place: string;
  kind: FaultKind;
  reason: string;
}

/** One chain of a partition, as far as it was read. */
export interface Chain {
  partition: number;
  chain: string;
  /** Index of the first entry that is still there. */
  from: number;
  /** Entries, each counted once. */
  entries: number;
  repeated: number;
}

interface Reading extends Chain {
  /** Hash of each entry, by index from `from` on. */
  hashes: string[];
}

/**
 * Checks an audit trail, entry by entry as it is read, and what was published against it. An entry may come again, with
 * the same bytes; the beginning of a chain may be gone by retention; nothing else may be missing or different.
 */
export class Trail {
  readonly faults: TrailFault[] = [];
  readonly #chains = new Map<string, Reading>();
  /** Canonical JSON of each command that the trail holds, and of its short form, by id. */
  readonly #commands = new Map<string, Set<string>>();
  readonly #findings = new Map<string, string>();
  commands = 0;
  findings = 0;

  get chains(): readonly Chain[] {
    return [...this.#chains.values()];
  }

  /** Answers the entry where it is one, sound or not. */
  take(place: string, bytes: Uint8Array): AuditEntry | undefined {
    const entry = this.#read(place, bytes, AuditEntry);
    if (entry === undefined) return undefined;
    const hash = auditHashOf(entry);
    if (hash !== entry.hash) this.#fault(place, 'changed', `it says ${entry.hash}, its content has ${hash}`);
    else this.#link(place, entry);
    const { command, finding } = entry;
    if (command !== undefined) {
      const known = this.#commands.get(command.id) ?? new Set();
      for (const form of [command, shortForm(command)]) known.add(canonicalJson(form));
      this.#commands.set(command.id, known);
    }
    if (finding !== undefined) {
      this.#findings.set(finding.id, canonicalJson(finding));
      this.#checkView(place, finding);
    }
    return entry;
  }

  /** A published command has to be in the trail as it is, but for its signature. Only after the whole trail. */
  takeCommand(place: string, bytes: Uint8Array): void {
    const command = this.#read(place, bytes, Command);
    if (command === undefined) return;
    this.commands++;
    const { signature: _, ...unsigned } = command;
    const known = this.#commands.get(command.id);
    if (known === undefined) this.#fault(place, 'not_in_trail', `no entry is about the command ${command.id}`);
    else if (!known.has(canonicalJson(unsigned)))
      this.#fault(place, 'changed', `the command ${command.id} is another one in the trail`);
  }

  /** A published finding: a request with its view, and what else the trail holds. Only after the whole trail. */
  takeFinding(place: string, bytes: Uint8Array): void {
    const finding = this.#read(place, bytes, Finding);
    if (finding === undefined) return;
    this.findings++;
    const known = this.#findings.get(finding.id);
    if (known !== undefined && known !== canonicalJson(finding))
      this.#fault(place, 'changed', `the finding ${finding.id} is another one in the trail`);
    else if (known === undefined) this.#checkView(place, finding);
  }

  #checkView(place: string, finding: Finding): void {
    if (finding.code !== 'decision_requested' || finding.view === viewOf(finding)) return;
    this.#fault(place, 'changed', `the request says the view ${finding.view}, its content has ${viewOf(finding)}`);
  }

  #link(place: string, { position: { partition }, chain, index, previous, hash }: AuditEntry): void {
    const key = `${partition}/${chain}`;
    const reading = this.#chains.get(key);
    if (reading === undefined) {
      if (index === 0 && previous !== '') this.#fault(place, 'broken_link', 'the first entry names one before it');
      this.#chains.set(key, { partition, chain, from: index, entries: 1, repeated: 0, hashes: [hash] });
      return;
    }
    const { from, hashes } = reading;
    const at = index - from;
    if (at < hashes.length) {
      reading.repeated++;
      const reason = `entry ${index} of chain ${chain} in partition ${partition} was another one before`;
      if (hashes[at] !== hash) this.#fault(place, 'contradiction', reason);
      return;
    }
    if (at > hashes.length) {
      const gone = `entries ${from + hashes.length} to ${index - 1} of chain ${chain} in partition ${partition}`;
      this.#fault(place, 'missing', `${gone} are not there`);
      // What follows is held together by itself; the hole is told once.
      reading.from = index;
      reading.hashes = [];
    } else if (hashes.at(-1) !== previous) {
      this.#fault(place, 'broken_link', `it names ${previous}, the entry before it has ${hashes.at(-1)}`);
    }
    reading.hashes.push(hash);
    reading.entries++;
  }

  /** The value itself, not what a schema makes of it: everything in it is hashed. */
  #read<T>(place: string, bytes: Uint8Array, schema: z.ZodType<T>): T | undefined {
    let json: unknown;
    try {
      json = JSON.parse(Buffer.from(bytes).toString('utf8'));
    } catch (error) {
      this.#fault(place, 'unreadable', (error as Error).message);
      return undefined;
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return json as T;
    this.#fault(place, 'unreadable', explainLine(parsed.error, json));
    return undefined;
  }

  #fault(place: string, kind: FaultKind, reason: string): void {
    this.faults.push({ place, kind, reason });
  }
}
