import type { Notice } from '../../adapters/http/webhooks.ts';
import { plainText } from '../../domain/explain.ts';
import type { Finding } from '../../domain/finding.ts';

const TEXT_MAX = 300;

/** What chat tools are told of a finding; undefined: nothing, it can wait for whoever looks. */
export function noticeOf(finding: Finding): Notice | undefined {
  const text = textOf(finding);
  if (text === undefined) return undefined;
  const { id, code, time, session, command, view } = finding;
  return {
    id,
    text: plainText(text, TEXT_MAX),
    code,
    time,
    session,
    command: command ?? finding.request?.command,
    view,
    finding,
  };
}

function textOf({ code, session, reason, level, request, severity, scope }: Finding): string | undefined {
  switch (code) {
    case 'decision_requested':
      return `Session ${session} is paused and waits for an answer: ${reason}. firebreak show ${session}`;
    case 'decision_reminder':
      return `Session ${session} still waits; without an answer by ${request?.answerUntil} it is killed. firebreak show ${session}`;
    case 'level_changed':
      return level?.to === 'killed' ? `Session ${session} is killed: ${reason}` : undefined;
    case 'order_in_force':
      return `Order in force for ${scope}: ${reason}`;
    case 'command_escalated':
      return severity === 'critical'
        ? `Nobody has enforced a command for ${session}: ${reason}. Stop it by hand.`
        : `A command for ${session} is not enforced yet: ${reason}`;
    case 'action_after_kill':
      return `Session ${session} acts although it is killed: ${reason}. Stop it by hand.`;
    default:
      return undefined;
  }
}
