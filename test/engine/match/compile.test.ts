import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../../src/domain/event.ts';
import { Match } from '../../../src/domain/match.ts';
import { compileMatch } from '../../../src/engine/match/compile.ts';
import type { RuleProblem } from '../../../src/engine/problem.ts';

const EVENT: ActionEvent = {
  id: 'e-1',
  time: '2026-01-05T09:00:00Z',
  session: 's-1',
  agent: { id: 'mail-helper', role: 'Email-Assistant' },
  tool: 'delete_email',
  action: 'delete',
  resource: { type: 'email', id: 'msg-1' },
  targets: ['msg-1', 'Msg-2'],
  outcome: 'ok',
  rows: 40,
  affected: 3,
  approval: { required: true },
  attributes: {
    port: '8080',
    code: 7,
    ip: '10.1.2.3',
    six: 'fd00::1',
    mapped: '::ffff:10.1.2.3',
    zone: 'fe80::1%eth0',
    on: true,
    none: null,
    zeros: '007',
  },
};
const { outcome: _, resource: __, targets: ___, ...BARE } = EVENT;

function compiled(match: unknown) {
  const problems: RuleProblem[] = [];
  return { matcher: compileMatch(Match.parse(match), problems), problems };
}

function holds(match: unknown, event: ActionEvent = EVENT): boolean {
  const { matcher, problems } = compiled(match);
  expect(problems).toEqual([]);
  return matcher.test(event);
}

describe('maps and lists', () => {
  it.each<[unknown, boolean]>([
    [{}, true],
    [{ action: 'delete', outcome: 'ok' }, true],
    [{ action: 'delete', outcome: 'denied' }, false],
    [{ action: ['read', 'delete'] }, true],
    [{ action: ['read', 'list'] }, false],
    [[{ action: 'read' }, { outcome: 'ok' }], true],
    [[{ action: 'read' }, { outcome: 'denied' }], false],
    [[{ action: 'read' }, {}], true],
  ])('%j: %s', (match, wanted) => expect(holds(match)).toBe(wanted));
});

describe('values', () => {
  it.each<[unknown, boolean]>([
    [{ 'agent.role': 'email-assistant' }, true],
    [{ 'agent.role|cased': 'email-assistant' }, false],
    [{ 'agent.role|cased': 'Email-*' }, true],
    [{ tool: 'delete_*' }, true],
    // Numbers compare as numbers, also where one side is a numeric text.
    [{ rows: 40 }, true],
    [{ rows: '40' }, true],
    [{ rows: '40.0' }, true],
    [{ rows: '4*' }, false],
    [{ 'attributes.port': 8080 }, true],
    [{ 'attributes.port': '8080' }, true],
    [{ 'attributes.port|gt': 8000 }, true],
    [{ 'attributes.code': '7' }, true],
    [{ 'attributes.zeros': 7 }, true],
    [{ 'attributes.zeros': '7' }, false],
    [{ 'approval.required': true }, true],
    [{ 'approval.required': 'true' }, true],
    [{ 'attributes.on': true }, true],
    [{ 'rows|gt': 40 }, false],
    [{ 'rows|gte': 40 }, true],
    [{ 'rows|lt': 41 }, true],
    [{ 'rows|lte': 39 }, false],
    [{ 'affected|gt': 2 }, true],
    // Any element of a list-valued field.
    [{ target: 'msg-2' }, true],
    [{ 'target|startswith': 'msg' }, true],
    [{ 'target|all': ['msg-1', 'msg-2'] }, true],
    [{ 'target|all': ['msg-1', 'msg-3'] }, false],
    [{ 'tool|contains|all': ['delete', 'mail'] }, true],
    [{ 'tool|contains|all': ['delete', 'file'] }, false],
    [{ 'tool|contains': ['file', 'mail'] }, true],
  ])('%j: %s', (match, wanted) => expect(holds(match)).toBe(wanted));
});

describe('absent fields', () => {
  it.each<[unknown, boolean]>([
    [{ amount: 0 }, false],
    [{ 'amount|lt': 5 }, false],
    [{ 'principal.id': '*' }, false],
    [{ 'principal.id|re': '.*' }, false],
    [{ 'principal.id': null }, true],
    [{ 'principal.id|neq': null }, false],
    [{ tool: null }, false],
    [{ 'principal.id': ['kim', null] }, true],
    [{ 'principal.id|exists': false }, true],
    [{ 'principal.id|exists': true }, false],
    [{ 'tool|exists': true }, true],
    [{ 'amount|neq': 5 }, true],
    [{ 'amount|gt|neq': 5 }, true],
    // An attribute that is null is there.
    [{ 'attributes.none|exists': true }, true],
    [{ 'attributes.none': null }, true],
    [{ 'attributes.toString|exists': true }, false],
    [{ outcome: 'unknown' }, true],
    [{ 'target|exists': false }, true],
    [{ target: null }, true],
    [{ 'target|neq': 'x' }, true],
  ])('%j: %s', (match, wanted) => expect(holds(match, BARE as ActionEvent)).toBe(wanted));
});

describe('neq is the opposite', () => {
  it.each<[unknown, boolean]>([
    [{ 'action|neq': 'read' }, true],
    [{ 'action|neq': ['read', 'delete'] }, false],
    [{ 'target|neq': 'msg-1' }, false],
    [{ 'tool|contains|neq': 'mail' }, false],
    [{ 'tool|contains|all|neq': ['delete', 'file'] }, true],
    [{ 'tool|re|neq': '^send' }, true],
  ])('%j: %s', (match, wanted) => expect(holds(match)).toBe(wanted));
});

describe('networks and regular expressions', () => {
  it.each<[unknown, boolean]>([
    [{ 'attributes.ip|cidr': '10.0.0.0/8' }, true],
    [{ 'attributes.ip|cidr': '10.2.0.0/16' }, false],
    [{ 'attributes.ip|cidr': ['192.168.0.0/16', '10.1.2.3/32'] }, true],
    [{ 'attributes.ip|cidr': '0.0.0.0/0' }, true],
    [{ 'attributes.six|cidr': 'fd00::/8' }, true],
    [{ 'attributes.six|cidr': '10.0.0.0/8' }, false],
    [{ 'attributes.mapped|cidr': '10.0.0.0/8' }, true],
    [{ 'attributes.zone|cidr': 'fe80::/10' }, true],
    [{ 'tool|cidr': '10.0.0.0/8' }, false],
    [{ 'tool|re': '^delete_(email|file)$' }, true],
    [{ 'tool|re': 'EMAIL' }, false],
    [{ 'tool|re': '(?i)EMAIL' }, true],
    [{ 'target|re': '-2$' }, true],
    [{ 'rows|re': '^4' }, false],
  ])('%j: %s', (match, wanted) => expect(holds(match)).toBe(wanted));

  it('a pattern that would take a backtracking engine hours is answered at once', () => {
    expect(holds({ 'tool|re': '^(a+)+$' }, { ...EVENT, tool: `${'a'.repeat(250)}!` })).toBe(false);
  }, 2000);
});

describe('mistakes', () => {
  it.each<[unknown, RegExp]>([
    [{ acton: 'delete' }, /unknown field "acton"; did you mean "action"\?/],
    [{ 'tool|conatins': 'x' }, /unknown modifier "conatins"; did you mean "contains"\?/],
    [{ 'tool|contains|startswith': 'x' }, /"contains" and "startswith" cannot be combined/],
    [{ 'tool|contains|all': 'x' }, /"all" needs a list of at least two/],
    [{ 'tool|contains': '' }, /not empty/],
    [{ 'tool|contains': 5 }, /takes a text/],
    [{ 'rows|gt': '5' }, /takes a number/],
    [{ 'tool|lt': 5 }, /this field has none/],
    [{ 'tool|exists': 'yes' }, /true or false/],
    [{ 'tool|re': '(' }, /linear time/],
    [{ 'tool|re': '(?=x)' }, /linear time/],
    [{ 'tool|re': 'x'.repeat(257) }, /at most 256/],
    [{ 'attributes.ip|cidr': '10.0.0.0' }, /takes a network/],
    [{ 'attributes.ip|cidr': '10.0.0.0/33' }, /takes a network/],
    [{ action: 'delet' }, /"delet" is not an action; did you mean "delete"\?/],
    [{ 'action|neq': 'delet' }, /did you mean "delete"\?/],
    [{ outcome: ['ok', 'refused'] }, /"refused" is not an outcome/],
    [{ outcome: true }, /true is not an outcome/],
    [{ action: null }, /null is not an action/],
    [{ 'rows|gt|cased': 5 }, /"cased" compares texts/],
    [{ 'tool|re|cased': 'x' }, /"cased" compares texts/],
  ])('%j', (match, wanted) => {
    const { problems } = compiled(match);
    expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(wanted)]);
  });

  it('names the place in a list of maps', () => {
    const { problems } = compiled([{ action: 'read' }, { 'tool|re': '(', acton: 'x' }]);
    expect(problems.map(({ path, place }) => [path.join('/'), place])).toEqual([
      ['match/1/tool|re', undefined],
      ['match/1/acton', 'key'],
    ]);
  });
});

describe('the actions that can pass', () => {
  it.each<[unknown, string[] | undefined]>([
    [{ action: 'Delete' }, ['delete']],
    [{ action: ['read', 'list'], outcome: 'ok' }, ['read', 'list']],
    [
      [{ action: 'read' }, { action: 'send' }],
      ['read', 'send'],
    ],
    [[{ action: 'read' }, { outcome: 'ok' }], undefined],
    [{ action: 're*' }, undefined],
    [{ 'action|neq': 'read' }, undefined],
    [{}, undefined],
  ])('of %j: %j', (match, wanted) => {
    const { actions } = compiled(match).matcher;
    expect(actions && [...actions]).toEqual(wanted);
  });
});
