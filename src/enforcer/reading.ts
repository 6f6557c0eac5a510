import { Command } from '../domain/command.ts';
import { parseInstant } from '../domain/instant.ts';
import { Lease, Verdict } from '../domain/output.ts';
import type { RawRecord } from '../domain/record.ts';
import { TYPE_PREFIX } from '../domain/record.ts';
import { claimOf, headerText } from '../formats/log-record.ts';
import { commandSignatureFault, controlSignatureFault, type Keyring } from '../formats/signature.ts';

/** What an enforcer makes of a record. A refusal says why it does not count; it is never an exception. */
export type Reading =
  | { type: 'command'; command: Command; timeMs: number }
  | { type: 'verdict'; verdict: Verdict; timeMs: number }
  | { type: 'lease'; lease: Lease }
  | { type: 'refused'; reason: string };

/** A command counts with the signature of an owner, and before it expires. A kill never does. */
export function readCommand(raw: RawRecord, keyring: Keyring, nowMs: number): Reading {
  const parsed = Command.safeParse(jsonIn(raw));
  if (!parsed.success) return refused('not a command');
  const command = parsed.data;
  const fault = commandSignatureFault(command, claimOf(raw), keyring);
  if (fault !== undefined) return refused(fault);
  const expires = command.action === 'kill' ? undefined : headerText(raw, 'expires');
  if (expires !== undefined && parseInstant(expires) < nowMs) {
    return refused(`expired at ${expires}: the verdict says what stands`);
  }
  return { type: 'command', command, timeMs: raw.appendMs };
}

export function readVerdict(raw: RawRecord, keyring: Keyring): Reading {
  const parsed = Verdict.safeParse(jsonIn(raw));
  if (!parsed.success) return refused('not a verdict');
  const fault = signatureFault(raw, 'verdict.v1', keyring);
  return fault === undefined ? { type: 'verdict', verdict: parsed.data, timeMs: raw.appendMs } : refused(fault);
}

export function readLease(raw: RawRecord, keyring: Keyring): Reading {
  const parsed = Lease.safeParse(jsonIn(raw));
  if (!parsed.success) return refused('not a lease');
  const fault = signatureFault(raw, 'lease.v1', keyring);
  return fault === undefined ? { type: 'lease', lease: parsed.data } : refused(fault);
}

function signatureFault(raw: RawRecord, type: string, keyring: Keyring): string | undefined {
  const content = { type: `${TYPE_PREFIX}${type}`, key: raw.key ?? new Uint8Array(), value: raw.value! };
  return controlSignatureFault(content, claimOf(raw), ['owner'], keyring);
}

function jsonIn({ value }: RawRecord): unknown {
  try {
    return value === null ? undefined : JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    return undefined; // and therefore refused by the schema
  }
}

function refused(reason: string): Reading {
  return { type: 'refused', reason };
}
