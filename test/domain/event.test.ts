import { describe, expect, it } from 'vitest';
import {
  type ActionEvent,
  affectedOf,
  hasValidAffected,
  isPlaceholderSession,
  targetsOf,
} from '../../src/domain/event.ts';

const event: ActionEvent = {
  id: 'e-1',
  time: '2026-11-23T10:15:30Z',
  session: 's-1',
  agent: { id: 'a-1' },
  tool: 't',
  action: 'delete',
};

describe('action event', () => {
  it.each([
    [undefined, true, 1],
    [1, true, 1],
    [500, true, 500],
    [1e9, true, 1e9],
    [1e9 + 1, false, 1],
    [0, false, 1],
    [-1, false, 1],
    [2.5, false, 1],
    [Number.NaN, false, 1],
    [Number.POSITIVE_INFINITY, false, 1],
    ['7', false, 1],
    [null, false, 1],
    [[3], false, 1],
  ])('affected %j: valid %j, counts %d', (affected, valid, count) => {
    expect(hasValidAffected({ ...event, affected })).toBe(valid);
    expect(affectedOf({ ...event, affected })).toBe(count);
  });

  it.each([
    ['none without resource', {}, []],
    ['the resource', { resource: { id: 'r' } }, ['r']],
    ['none for a resource without id', { resource: { type: 'email' } }, []],
    ['the list rather than the resource', { resource: { id: 'r' }, targets: ['a', 'b'] }, ['a', 'b']],
    ['the resource for an empty list', { resource: { id: 'r' }, targets: [] }, ['r']],
  ])('targets: %s', (_, fields, targets) => {
    expect(targetsOf({ ...event, ...fields })).toEqual(targets);
  });

  it.each(['', ' ', 'default', 'Default', ' UNKNOWN ', 'null', 'undefined', 'none', '-', '0'])(
    'session %j is a placeholder',
    (session) => {
      expect(isPlaceholderSession(session)).toBe(true);
    },
  );

  it.each(['default-1', 's', '1', 'nulls'])('session %j is one', (session) => {
    expect(isPlaceholderSession(session)).toBe(false);
  });
});
