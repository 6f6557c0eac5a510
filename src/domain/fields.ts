import { type ActionEvent, affectedOf, targetsOf } from './event.ts';

export type FieldValue = string | number | boolean | null | undefined | readonly string[];
export type FieldType = 'text' | 'number' | 'boolean' | 'list';

interface Field {
  type: FieldType;
  read(event: ActionEvent): FieldValue;
}

/** The fields of an action that rules may name. `attributes.NAME` comes on top, of any scalar type. */
const FIELDS = {
  action: { type: 'text', read: (e) => e.action },
  outcome: { type: 'text', read: (e) => e.outcome ?? 'unknown' },
  tool: { type: 'text', read: (e) => e.tool },
  toolServer: { type: 'text', read: (e) => e.toolServer },
  'resource.type': { type: 'text', read: (e) => e.resource?.type },
  'resource.id': { type: 'text', read: (e) => e.resource?.id },
  'resource.sensitivity': { type: 'text', read: (e) => e.resource?.sensitivity },
  target: { type: 'list', read: targetsOf },
  affected: { type: 'number', read: affectedOf },
  amount: { type: 'number', read: (e) => e.amount },
  currency: { type: 'text', read: (e) => e.currency },
  bytes: { type: 'number', read: (e) => e.bytes },
  rows: { type: 'number', read: (e) => e.rows },
  'usage.tokens': { type: 'number', read: (e) => e.usage?.tokens },
  'usage.costUsd': { type: 'number', read: (e) => e.usage?.costUsd },
  session: { type: 'text', read: (e) => e.session },
  rootSession: { type: 'text', read: (e) => e.rootSession },
  'agent.id': { type: 'text', read: (e) => e.agent.id },
  'agent.role': { type: 'text', read: (e) => e.agent.role },
  'agent.version': { type: 'text', read: (e) => e.agent.version },
  'principal.id': { type: 'text', read: (e) => e.principal?.id },
  'principal.type': { type: 'text', read: (e) => e.principal?.type },
  delegation: { type: 'list', read: (e) => e.delegation },
  tenant: { type: 'text', read: (e) => e.tenant },
  task: { type: 'text', read: (e) => e.task },
  purpose: { type: 'text', read: (e) => e.purpose },
  source: { type: 'text', read: (e) => e.source },
  argsDigest: { type: 'text', read: (e) => e.argsDigest },
  'approval.required': { type: 'boolean', read: (e) => e.approval?.required },
  'approval.status': { type: 'text', read: (e) => e.approval?.status },
  'approval.approver': { type: 'text', read: (e) => e.approval?.approver },
} satisfies Record<string, Field>;

export const FIELD_NAMES: readonly string[] = [...Object.keys(FIELDS), 'attributes.NAME'];

const ATTRIBUTE = 'attributes.';

/** How a field is read; undefined for a name that no event has. An attribute's type is known only from its value. */
export function fieldOf(path: string): { type: FieldType | 'any'; read(event: ActionEvent): FieldValue } | undefined {
  if (Object.hasOwn(FIELDS, path)) return FIELDS[path as keyof typeof FIELDS];
  if (!path.startsWith(ATTRIBUTE) || path.length === ATTRIBUTE.length) return undefined;
  const name = path.slice(ATTRIBUTE.length);
  return {
    type: 'any',
    read: (event) => {
      const { attributes } = event;
      return attributes !== undefined && Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    },
  };
}
