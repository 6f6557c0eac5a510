import type { SessionView } from '../app/session-board.ts';
import { formatDuration } from '../domain/duration.ts';
import type { DecisionRequest, Finding } from '../domain/finding.ts';
import { viewOf } from '../domain/finding.ts';
import { parseInstant } from '../domain/instant.ts';
import { alignedWithin, hanging } from './columns.ts';
import { evidenceLines, shown, title, whoText } from './explain-text.ts';
import { terminal } from './terminal.ts';
import { shortNumber } from './test-timeline.ts';

/** What a person has to see before deciding: exactly what the view digest covers, in the order of importance. */
export function requestText(view: SessionView & { request: Finding }, nowMs: number, width: number): string[] {
  const { request, answerUntil, approvedBy = [] } = view;
  const asked = request.request!;
  const { agent, principal, delegation, tenant, evidence = [], evidenceOmitted = 0 } = request;
  const who = agent === undefined ? 'unknown' : whoText({ agent, principal: principal?.id, tenant });
  const through = delegation === undefined ? '' : `, through ${delegation.map(shown).join(', ')}`;
  const more = evidenceOmitted === 0 ? '' : `, the last of at least ${evidence.length + evidenceOmitted}`;
  return [
    ...title(`session ${shown(view.session)} is paused and waits for an answer`, width),
    ...hanging('  who      ', who + through, width),
    ...hanging('  why      ', request.reason, width),
    ...hanging('  answer   ', answerText(asked, answerUntil, approvedBy, nowMs), width),
    ...(viewOf(request) === request.view
      ? []
      : [terminal().red('  WARNING  what you see does not fit its digest: it was changed on its way; do not release')]),
    '  a release would suspend these conditions, and no other:',
    ...asked.conditions.flatMap(({ rule, condition, reason, score, threshold }) =>
      hanging(
        '    - ',
        `${rule} (${condition}): ${reason} [${shortNumber(score)} against ${shortNumber(threshold)}]`,
        width,
      ),
    ),
    ...(asked.conditionsOmitted === 0 ? [] : [`    and ${asked.conditionsOmitted} more`]),
    ...(evidence.length === 0 ? [] : [`  steps that contributed${more}:`, ...evidenceLines(evidence, width)]),
    `  pause    ${asked.command}`,
    `  policy   ${request.policyHash}`,
    `  view     ${request.view}`,
  ];
}

function answerText(
  { answerWithinMs, approvals }: DecisionRequest,
  answerUntil: string | undefined,
  approvedBy: readonly string[],
  nowMs: number,
): string {
  const people =
    approvals === 1
      ? ''
      : ` A release needs ${approvals} people; ${approvedBy.length === 0 ? 'nobody has' : `${approvedBy.join(', ')} has`} agreed so far.`;
  if (answerWithinMs === undefined) return `It waits without end.${people}`;
  if (answerUntil === undefined) return `No answer within ${formatDuration(answerWithinMs)} is a no.${people}`;
  const leftMs = parseInstant(answerUntil) - nowMs;
  const left = leftMs > 0 ? `in ${roughly(leftMs)}` : `${roughly(-leftMs)} ago`;
  return `No answer is a no: killed after ${answerUntil}, ${left}.${people}`;
}

/** The two largest units at most: nobody on call needs milliseconds. */
export function roughly(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/** One line for each session, the most urgent first. */
export function sessionLines(views: readonly SessionView[], nowMs: number, width: number): string[] {
  const rows = views.map((view) => [
    levelText(view),
    shown(view.session),
    view.agent === undefined ? '' : shown(view.agent.id),
    view.tenant === undefined ? '' : shown(view.tenant),
    roughly(Math.max(0, nowMs - parseInstant(view.since))),
    view.rule ?? '',
    waitsText(view, nowMs),
  ]);
  return alignedWithin([['LEVEL', 'SESSION', 'AGENT', 'TENANT', 'FOR', 'BY', 'NEXT'], ...rows], width, [1, 2, 3, 6]);
}

function levelText({ level, request }: SessionView): string {
  return request === undefined ? level : `${level} ?`;
}

function waitsText({ level, request, answerUntil, alarm }: SessionView, nowMs: number): string {
  if (alarm !== undefined) return `! ${alarm.reason}`;
  if (request !== undefined) {
    if (answerUntil === undefined) return 'waits for an answer';
    const leftMs = parseInstant(answerUntil) - nowMs;
    return leftMs > 0 ? `killed in ${roughly(leftMs)} without an answer` : 'the time for an answer is over';
  }
  return level === 'paused' ? 'paused; its request is older than what was read: --since' : '';
}

/** What has happened, oldest first. */
export function findingLines(findings: readonly Finding[], width: number): string[] {
  const rows = findings.map(({ time, code, reason, decision }) => [
    `  ${time}`,
    code,
    decision === undefined ? reason : `${reason} (${decision.by.id}${decision.reason ? `: ${decision.reason}` : ''})`,
  ]);
  return alignedWithin(rows, width, [2]);
}
