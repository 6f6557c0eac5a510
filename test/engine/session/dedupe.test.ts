import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../../src/domain/event.ts';
import { ByteReader, ByteWriter } from '../../../src/engine/session/bytes.ts';
import { Dedupe } from '../../../src/engine/session/dedupe.ts';

const EVENT: ActionEvent = {
  id: 'e',
  time: '2026-01-05T09:00:00Z',
  session: 's',
  agent: { id: 'a' },
  tool: 't',
  action: 'delete',
};

function bySeq(seq: number, source = 'gw'): ActionEvent {
  return { ...EVENT, id: `${source}-${seq}`, source, seq };
}

function byId(id: string, content: Partial<ActionEvent> = {}): ActionEvent {
  return { ...EVENT, ...content, id };
}

/** Every admission once as it is and once through bytes: both must answer the same. */
function admitAll(events: ActionEvent[]): string[] {
  const whole = new Dedupe();
  let coded = new Dedupe();
  return events.map((event) => {
    const to = new ByteWriter();
    coded.write(to);
    coded = Dedupe.read(new ByteReader(to.finish()));
    const arrival = whole.admit(event);
    expect(coded.admit(event)).toBe(arrival);
    return arrival;
  });
}

describe('by the number of a source', () => {
  it.each<[string, number[], string[]]>([
    ['rising', [0, 1, 2, 3], ['new', 'new', 'new', 'new']],
    ['the same again', [5, 5, 5], ['new', 'repeated', 'repeated']],
    ['out of order, each once', [9, 3, 7, 3, 7, 9], ['new', 'new', 'new', 'repeated', 'repeated', 'repeated']],
    ['the last number of the window', [100, 37, 37], ['new', 'new', 'repeated']],
    ['behind the window nobody knows: it counts', [100, 36, 36], ['new', 'new', 'new']],
    ['a jump by 31', [10, 41, 10, 11], ['new', 'new', 'repeated', 'new']],
    ['a jump by 32', [10, 42, 10, 11], ['new', 'new', 'repeated', 'new']],
    ['a jump by 33', [10, 43, 10, 11], ['new', 'new', 'repeated', 'new']],
    ['a jump by 63', [10, 73, 10, 11], ['new', 'new', 'repeated', 'new']],
    ['a jump by 64 forgets', [10, 74, 10], ['new', 'new', 'new']],
    ['from the first number to the last', [0, 2 ** 53 - 1, 2 ** 53 - 1, 0], ['new', 'new', 'repeated', 'new']],
  ])('%s', (_, seqs, expected) => {
    expect(admitAll(seqs.map((seq) => bySeq(seq)))).toEqual(expected);
  });

  it('agrees with a set inside the window, whatever the order', () => {
    const dedupe = new Dedupe();
    const seen = new Set<number>();
    let high = -1;
    let random = 1;
    for (let i = 0; i < 20_000; i++) {
      random = (Math.imul(random, 1103515245) + 12345) >>> 0;
      const seq = Math.max(0, high + 1 + (random % 70) - 66);
      const known = seen.has(seq) && high - seq < 64;
      expect(dedupe.admit(bySeq(seq))).toBe(known ? 'repeated' : 'new');
      seen.add(seq);
      high = Math.max(high, seq);
    }
  });

  it('keeps four sources apart; a fifth goes by id', () => {
    const events = ['a', 'b', 'c', 'd', 'e'].flatMap((source) => [bySeq(1, source), bySeq(1, source)]);
    expect(admitAll(events)).toEqual(events.map((_, i) => (i % 2 === 0 ? 'new' : 'repeated')));
    // Two numbers of the fifth under one id are what ids can tell apart, its numbers are not.
    const fifth = (seq: number) => ({ ...bySeq(seq, 'e'), id: 'same' });
    expect(admitAll([...events.filter((_, i) => i % 2 === 0), fifth(7), fifth(8)]).slice(-2)).toEqual([
      'new',
      'repeated',
    ]);
  });

  it('needs both, source and number; with one of them an event goes by id', () => {
    const { seq: _, ...noSeq } = bySeq(1);
    const { source: __, ...noSource } = bySeq(1);
    expect(admitAll([noSeq, { ...noSeq, id: 'other' }, noSeq])).toEqual(['new', 'new', 'repeated']);
    expect(admitAll([noSource, { ...noSource, seq: 2 }])).toEqual(['new', 'repeated']);
  });
});

describe('by id', () => {
  it('knows the last 32, and counts what it does not know any more', () => {
    const ids = Array.from({ length: 33 }, (_, i) => byId(`e-${i}`));
    const arrivals = admitAll([...ids.slice(0, 32), ids[0]!, ids[32]!, ids[0]!, ids[2]!]);
    expect(arrivals.slice(32)).toEqual(['repeated', 'new', 'new', 'repeated']);
  });

  it.each<[string, Partial<ActionEvent>, Partial<ActionEvent>]>([
    ['tool', { tool: 'a' }, { tool: 'b' }],
    ['resource', { resource: { id: 'a' } }, { resource: { id: 'b' } }],
    ['sensitivity', { resource: { sensitivity: 'low' } }, { resource: { sensitivity: 'high' } }],
    ['targets', { targets: ['a'] }, { targets: ['a', 'b'] }],
    ['time', {}, { time: '2026-01-05T09:00:01Z' }],
    ['amount', { amount: 1 }, { amount: 2 }],
    ['currency', { amount: 1, currency: 'EUR' }, { amount: 1, currency: 'USD' }],
    ['cost', { usage: { costUsd: 1 } }, { usage: { costUsd: 2 } }],
    ['attributes', { attributes: { env: 'test' } }, { attributes: { env: 'prod' } }],
    ['approval', { approval: { status: 'approved' } }, { approval: { status: 'rejected' } }],
    ['principal', { principal: { id: 'a' } }, { principal: { id: 'b' } }],
    ['agent', {}, { agent: { id: 'b' } }],
    ['outcome', { outcome: 'error' }, { outcome: 'ok' }],
  ])('the same id with another %s is a new event', (_, first, second) => {
    expect(admitAll([byId('x', first), byId('x', second)])).toEqual(['new', 'reused']);
  });

  it('knows each content of a reused id, in whatever order they come again', () => {
    const [a, b] = [byId('x', { tool: 'a' }), byId('x', { tool: 'b' })] as const;
    expect(admitAll([a, b, a, b, a])).toEqual(['new', 'reused', 'repeated', 'repeated', 'repeated']);
  });

  it('does not mind what no rule can see, nor the order of attributes', () => {
    const first = byId('x', { trace: { traceparent: '1' }, attributes: { a: 1, b: 2 } });
    const again = byId('x', { trace: { traceparent: '2' }, attributes: { b: 2, a: 1 } });
    expect(admitAll([first, again])).toEqual(['new', 'repeated']);
  });
});

describe('by the place that a copy came from', () => {
  const copy = (offset: number, partition = 0, log = 'L'): ActionEvent =>
    byId(`${log}-${partition}-${offset}`, { origin: { log, partition, offset } });
  const far = Array.from({ length: 500 }, (_, i) => copy(10 * i));

  it.each<[string, ActionEvent[], string[]]>([
    ['rising, with gaps', [copy(0), copy(7), copy(8)], ['new', 'new', 'new']],
    [
      'copied again from an earlier one',
      [copy(3), copy(9), copy(3), copy(9), copy(10)],
      ['new', 'new', 'repeated', 'repeated', 'new'],
    ],
    ['each partition by itself', [copy(9), copy(3, 1), copy(3, 1), copy(3, 2)], ['new', 'new', 'repeated', 'new']],
    ['each log by itself', [copy(9), copy(3, 0, 'M'), copy(9)], ['new', 'new', 'repeated']],
    [
      'too far behind for a copy that is made again',
      [copy(200_000), copy(100_001), copy(100_000)],
      ['new', 'repeated', 'new'],
    ],
    [
      'the same event at two places',
      [copy(1), { ...copy(1), origin: { log: 'L', partition: 0, offset: 2 } }],
      ['new', 'repeated'],
    ],
  ])('%s', (_, events, expected) => {
    expect(admitAll(events)).toEqual(expected);
  });

  it('knows all of a long stretch that is copied again, and none of what follows', () => {
    const arrivals = admitAll([...far, ...far, copy(4999)]);
    expect(arrivals.slice(0, 500)).toEqual(far.map(() => 'new'));
    expect(arrivals.slice(500, 1000)).toEqual(far.map(() => 'repeated'));
    expect(arrivals.at(-1)).toBe('new');
  });
});
