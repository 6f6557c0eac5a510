import { describe, expect, it } from 'vitest';
import { isActionEvent } from '../../src/domain/event-check.ts';
import { RuleTest } from '../../src/domain/rule-test.ts';
import { eventsOf } from '../../src/formats/event-generator.ts';

function generate(events: unknown) {
  return eventsOf(RuleTest.parse({ name: 'a test', events, expect: [{ end: 'clear' }] }));
}

function seconds(events: unknown): [tool: string, second: number][] {
  return generate(events).events.map(({ tool, time }) => [tool, (Date.parse(time) - Date.UTC(2026, 0, 5, 9)) / 1000]);
}

describe('the events of a test', () => {
  it('fill in what the author left out', () => {
    const { events } = generate({ repeat: 2, event: { action: 'delete', 'resource.id': 'm-{i}' } });
    expect(events).toEqual([
      {
        id: 'event-1',
        time: '2026-01-05T09:00:00.000Z',
        session: 'test-session',
        agent: { id: 'test-agent' },
        tool: 'delete',
        action: 'delete',
        resource: { id: 'm-1' },
      },
      expect.objectContaining({ id: 'event-2', time: '2026-01-05T09:00:01.000Z', resource: { id: 'm-2' } }),
    ]);
    expect(events.every(isActionEvent)).toBe(true);
  });

  it('may be written dotted or nested, also mixed', () => {
    const event = {
      action: 'read',
      resource: { type: 'email' },
      'resource.id': '{i}-{i}',
      'attributes.k8s.pod.name': 'pod-{i}',
      attributes: { region: 'eu' },
      targets: ['a-{i}', 'b'],
      affected: -1,
    };
    expect(generate({ event }).events[0]).toMatchObject({
      resource: { type: 'email', id: '1-1' },
      attributes: { 'k8s.pod.name': 'pod-1', region: 'eu' },
      targets: ['a-1', 'b'],
      affected: -1,
    });
  });

  it.each<[string, unknown, [string, number][]]>([
    [
      'one after the other',
      [
        { repeat: 2, every: '10s', event: { tool: 'a' } },
        { repeat: 2, every: '3s', event: { tool: 'b' } },
      ],
      [
        ['a', 0],
        ['a', 10],
        ['b', 13],
        ['b', 16],
      ],
    ],
    [
      'at: from the start',
      [
        { repeat: 2, every: '10s', event: { tool: 'a' } },
        { at: '5s', event: { tool: 'b' } },
      ],
      [
        ['a', 0],
        ['b', 5],
        ['a', 10],
      ],
    ],
    [
      'after: from the last event before',
      [
        { repeat: 2, every: '10s', event: { tool: 'a' } },
        { after: '1m', event: { tool: 'b' } },
      ],
      [
        ['a', 0],
        ['a', 10],
        ['b', 70],
      ],
    ],
    [
      'of one moment: in the written order',
      [
        { at: '0s', event: { tool: 'a' } },
        { at: '0s', event: { tool: 'b' } },
      ],
      [
        ['a', 0],
        ['b', 0],
      ],
    ],
  ])('%s', (_, events, wanted) => expect(seconds(events)).toEqual(wanted));

  it.each<[unknown, string]>([
    [{ event: { acton: 'delete' } }, 'events.event.acton'],
    [{ event: { target: 'x' } }, 'events.event.target'],
    [{ event: { resource: { idd: 'x' } } }, 'events.event.resource.idd'],
    [[{ event: { action: 'read' } }, { event: { action: 'remove' } }], 'events.1.event.action'],
    [{ event: { 'resource.id': 5 } }, 'events.event.resource.id'],
    [{ event: { 'usage.tokens': 'many' } }, 'events.event.usage.tokens'],
  ])('%j: the mistake is at %s', (events, path) => {
    const { events: none, problems } = generate(events);
    expect(none).toEqual([]);
    expect(problems.map((one) => one.path.join('.'))).toEqual([path]);
  });

  it('are bounded', () => {
    const many = { repeat: 10_000, event: {} };
    expect(generate([many, many, many]).problems[0]!.message).toContain('at most 20000');
  });
});
