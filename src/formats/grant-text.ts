import { GRANT_MARKS_MAX, GRANT_MINUTES_MAX, GRANT_TARGETS_MAX, Grant } from '../domain/decision.ts';
import { DURATION, formatDuration, parseDuration } from '../domain/duration.ts';

/** How people write a grant: `5 marks, 10m, targets msg-1 msg-2`. */
export const GRANT_ALLOWED =
  'parts with commas between them: "N marks", "N points", a duration such as 10m or 2h, "targets A B …"; ' +
  'at least one of marks, points and a duration';

export type ParsedGrant = { ok: true; grant: Grant } | { ok: false; problem: string };

const MINUTE_MS = 60_000;

/** Reads a grant. A part that is there twice, or that is no part of a grant, is refused: nobody grants by accident. */
export function parseGrant(text: string): ParsedGrant {
  const grant: Record<string, unknown> = {};
  for (const part of text.split(',').map((one) => one.trim())) {
    const read = readPart(part);
    if (read === undefined) return refused(`found "${part}"`);
    const [name, value] = read;
    if (name in grant) return refused(`found ${name} twice`);
    grant[name] = value;
  }
  const parsed = Grant.safeParse(grant);
  if (parsed.success) return { ok: true, grant: parsed.data };
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0] ?? '');
  return refused(name === '' ? `found "${text}"` : `found ${name}: ${JSON.stringify(grant[name])}`);
}

export function grantText({ marks, points, minutes, targets }: Grant): string {
  return [
    ...(marks === undefined ? [] : [`${marks} ${marks === 1 ? 'mark' : 'marks'}`]),
    ...(points === undefined ? [] : [`${points} ${points === 1 ? 'point' : 'points'}`]),
    ...(minutes === undefined ? [] : [formatDuration(minutes * MINUTE_MS)]),
    ...(targets === undefined ? [] : [`targets ${targets.join(' ')}`]),
  ].join(', ');
}

function readPart(part: string): [name: keyof Grant, value: unknown] | undefined {
  const counted = /^(\d+(?:\.\d+)?)\s+(mark|point)s?$/.exec(part);
  if (counted) return [`${counted[2] as 'mark' | 'point'}s`, Number(counted[1])];
  if (DURATION.test(part)) return ['minutes', parseDuration(part) / MINUTE_MS];
  const listed = /^targets?\s+(\S.*)$/.exec(part);
  return listed ? ['targets', listed[1]!.split(/\s+/)] : undefined;
}

function refused(found: string): ParsedGrant {
  const bounds = `up to ${GRANT_MARKS_MAX} marks, ${formatDuration(GRANT_MINUTES_MAX * MINUTE_MS)}, ${GRANT_TARGETS_MAX} targets`;
  return { ok: false, problem: `grant: ${found}; allowed: ${GRANT_ALLOWED} (${bounds})` };
}
