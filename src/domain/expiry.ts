import { DAY_MS, endOfDay } from './calendar-date.ts';
import type { Rule } from './rule.ts';

export const EXPIRING = ['exception', 'shadow rule'] as const;

/** What a policy holds until a date, through that day, UTC. */
export interface Expiry {
  kind: (typeof EXPIRING)[number];
  name: string;
  /** Whom to ask; a rule names nobody. */
  owner: string | undefined;
  date: string;
}

/** Whatever expires in one rule. */
export function expiriesOf({
  id,
  shadowUntil,
  exceptions = [],
}: Pick<Rule, 'id' | 'shadowUntil' | 'exceptions'>): Expiry[] {
  const shadow: Expiry[] =
    shadowUntil === undefined ? [] : [{ kind: 'shadow rule', name: id, owner: undefined, date: shadowUntil }];
  return [
    ...exceptions.map(({ name, owner, expires }): Expiry => ({ kind: 'exception', name, owner, date: expires })),
    ...shadow,
  ];
}

export function isExpired({ date }: Expiry, nowMs: number): boolean {
  return endOfDay(date) <= nowMs;
}

const MEANS: Record<Expiry['kind'], string> = {
  exception: 'it lifts nothing; renew or remove it',
  'shadow rule': 'it judges nothing; enforce, renew or remove it',
};

/** `exception "cleanup" expired 3 days ago (2026-11-23), owner mail-team: it lifts nothing; renew or remove it` */
export function expiryText(expiry: Expiry, nowMs: number): string {
  const { kind, name, owner, date } = expiry;
  const left = daysLeft(expiry, nowMs);
  const when = left < 0 ? `expired ${days(-left)} ago` : left === 0 ? 'expires today' : `expires in ${days(left)}`;
  const asked = owner === undefined ? '' : `, owner ${owner}`;
  return `${kind} "${name}" ${when} (${date})${asked}${left < 0 ? `: ${MEANS[kind]}` : ''}`;
}

/** Days after today, UTC, that it still holds; below 0 once it is expired. */
export function daysLeft({ date }: Expiry, nowMs: number): number {
  return Math.ceil((endOfDay(date) - nowMs) / DAY_MS) - 1;
}

function days(count: number): string {
  return `${count} day${count === 1 ? '' : 's'}`;
}
