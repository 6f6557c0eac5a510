import type { Grant } from '../../domain/decision.ts';
import type { ByteReader, ByteWriter } from '../session/bytes.ts';

/** What two people grant together: of each bound the narrower one. */
export function narrower(a: Grant, b: Grant): Grant {
  const least = (x: number | undefined, y: number | undefined) =>
    x === undefined || y === undefined ? (x ?? y) : Math.min(x, y);
  const both = { marks: least(a.marks, b.marks), points: least(a.points, b.points) };
  const minutes = least(a.minutes, b.minutes);
  const targets =
    a.targets && b.targets ? a.targets.filter((one) => b.targets!.includes(one)) : (a.targets ?? b.targets);
  return {
    ...(both.marks === undefined ? {} : { marks: both.marks }),
    ...(both.points === undefined ? {} : { points: both.points }),
    ...(minutes === undefined ? {} : { minutes }),
    ...(targets === undefined ? {} : { targets }),
  };
}

/** `5 marks, 10 minutes, on 2 targets`, for people. */
export function grantText({ marks, points, minutes, targets }: Grant): string {
  return [
    ...(marks === undefined ? [] : [`${marks} mark${marks === 1 ? '' : 's'}`]),
    ...(points === undefined ? [] : [`${points} point${points === 1 ? '' : 's'}`]),
    ...(minutes === undefined ? [] : [`${minutes} minute${minutes === 1 ? '' : 's'}`]),
    ...(targets === undefined ? [] : [`on ${targets.length} target${targets.length === 1 ? '' : 's'}`]),
  ].join(', ');
}

const NUMBERS = ['marks', 'points', 'minutes'] as const;

export function writeGrant(to: ByteWriter, grant: Grant): void {
  for (const name of NUMBERS) {
    const value = grant[name];
    to.flag(value !== undefined);
    if (value !== undefined) to.number(value);
  }
  to.flag(grant.targets !== undefined);
  if (grant.targets === undefined) return;
  to.count(grant.targets.length);
  for (const target of grant.targets) to.text(target);
}

export function readGrant(from: ByteReader): Grant {
  const grant: Grant = {};
  for (const name of NUMBERS) if (from.flag()) grant[name] = from.number();
  if (from.flag()) grant.targets = Array.from({ length: from.length() }, () => from.text());
  return grant;
}
