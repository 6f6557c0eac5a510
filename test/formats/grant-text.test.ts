import { expect, it } from 'vitest';
import { grantText, parseGrant } from '../../src/formats/grant-text.ts';

it.each([
  ['5 marks', { marks: 5 }, '5 marks'],
  ['1 mark,  10m', { marks: 1, minutes: 10 }, '1 mark, 10m'],
  ['2.5 points, 90s', { points: 2.5, minutes: 1.5 }, '2.5 points, 90s'],
  ['0 marks, targets msg-1  msg-2', { marks: 0, targets: ['msg-1', 'msg-2'] }, '0 marks, targets msg-1 msg-2'],
  ['7d', { minutes: 10_080 }, '7d'],
])('%s', (text, grant, told) => {
  expect(parseGrant(text)).toEqual({ ok: true, grant });
  expect(grantText(grant)).toBe(told);
  expect(parseGrant(told)).toEqual({ ok: true, grant });
});

it.each([
  ['', 'found ""'],
  ['everything', 'found "everything"'],
  ['targets msg-1', 'found "targets msg-1"'],
  ['5 marks, 6 marks', 'found marks twice'],
  ['1.5 marks', 'found marks: 1.5'],
  ['-1 marks', 'found "-1 marks"'],
  ['8d', 'found minutes: 11520'],
  ['5 marks,', 'found ""'],
  ['5 marks; 10m', 'found "5 marks; 10m"'],
])('refuses %j and says what is allowed', (text, found) => {
  const parsed = parseGrant(text);
  expect(parsed.ok ? parsed : parsed.problem).toContain(`grant: ${found}; allowed: parts with commas between them`);
});
