import type { AuditEntry, AuditedAction } from '../domain/audit.ts';
import type { ActionEvent } from '../domain/event.ts';
import { shownResource } from './session/evidence-step.ts';

/** What an entry of the trail is about. */
export type Audited = Pick<AuditEntry, 'finding' | 'command' | 'published' | 'acknowledged'>;

/** Of an action what an investigator asks for: nothing of its arguments or results. */
export function auditedAction(event: ActionEvent): AuditedAction {
  const { id, time, tool, toolServer, action, outcome = 'unknown', prompt, principal, delegation, purpose } = event;
  const resource = shownResource(event);
  const { required, status, approver } = event.approval ?? {};
  const approval = {
    ...(required === undefined ? {} : { required }),
    ...(status === undefined ? {} : { status }),
    ...(approver === undefined ? {} : { approver }),
  };
  return {
    eventId: id,
    time,
    tool,
    ...(toolServer === undefined ? {} : { toolServer }),
    action,
    ...(resource === undefined ? {} : { resource }),
    outcome,
    ...(prompt?.ref === undefined ? {} : { prompt: prompt.ref }),
    ...(principal === undefined ? {} : { principal: principal.id }),
    ...(delegation === undefined ? {} : { delegation }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(event.approval === undefined ? {} : { approval }),
  };
}
