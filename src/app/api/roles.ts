import type { Claims } from '../../adapters/http/bearer.ts';
import type { ApiSettings } from '../api-config.ts';

/** Each may do what the one before it may. */
export const API_ROLES = ['viewer', 'approver', 'admin'] as const;
export type ApiRole = (typeof API_ROLES)[number];

/** The highest role that the claims give; undefined: none. */
export function roleOf(claims: Claims, settings: ApiSettings): ApiRole | undefined {
  const given = rolesIn(claims, settings.rolesClaim);
  const names = { viewer: settings.viewerRole, approver: settings.approverRole, admin: settings.adminRole };
  return API_ROLES.findLast((role) => given.includes(names[role]));
}

export function mayAct(role: ApiRole | undefined, needed: ApiRole): boolean {
  return role !== undefined && API_ROLES.indexOf(role) >= API_ROLES.indexOf(needed);
}

/** A list of texts, or one text as `scope` has it; anything else gives no role. */
function rolesIn(claims: Claims, path: string): string[] {
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
    value = (value as Record<string, unknown>)[name];
  }
  if (typeof value === 'string') return value.split(' ');
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
