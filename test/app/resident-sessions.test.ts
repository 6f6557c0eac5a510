import { describe, expect, it } from 'vitest';
import { ResidentSessions } from '../../src/app/resident-sessions.ts';
import type { Level } from '../../src/domain/level.ts';
import { Partition } from '../../src/engine/partition.ts';

/** A partition with these sessions, all saved. */
function saved(...ids: string[]) {
  const partition = new Partition('topic', 0);
  const resident = new ResidentSessions(partition);
  const touch = (id: string) => partition.touched(partition.open(id));
  const save = () => resident.saved(partition.takeChanges());
  for (const id of ids) touch(id);
  save();
  const inMemory = () => [...partition.sessions.keys()].sort();
  return { partition, resident, touch, save, inMemory };
}

describe('sessions in memory', () => {
  it('stay where there is room', () => {
    const { resident, partition, inMemory } = saved('a', 'b');
    resident.makeRoom(resident.bytes);
    expect([inMemory(), partition.stored.size]).toEqual([['a', 'b'], 0]);
  });

  it('go when there is none, those first that have not changed for longest; all are counted on', () => {
    const { resident, partition, touch, save, inMemory } = saved('a', 'b', 'c', 'd');
    touch('a');
    save();
    resident.makeRoom(resident.bytes - 1);
    expect(inMemory()).toEqual(['a', 'd']);
    expect([...partition.stored.keys()]).toEqual(['b', 'c']);
    expect(partition.sessionCount).toBe(4);
  });

  it('are counted at their levels whether they are in memory, dropped, loaded again or killed since', () => {
    const { resident, partition, save } = saved('a', 'b', 'c');
    const at = (id: string, level: Level) => {
      const session = partition.find(id)!;
      session.level = level;
      partition.touched(session);
    };
    at('b', 'paused');
    at('c', 'paused');
    save();
    const paused = partition.find('b')!;
    resident.makeRoom(0);
    expect([partition.sessions.size, partition.countLevels()]).toEqual([
      0,
      { clear: 1, watch: 0, paused: 2, killed: 0 },
    ]);
    partition.adopt(paused);
    at('b', 'killed');
    expect(partition.countLevels()).toEqual({ clear: 1, watch: 0, paused: 1, killed: 1 });
    partition.forget(paused);
    expect(partition.countLevels()).toEqual({ clear: 1, watch: 0, paused: 1, killed: 0 });
  });

  it('stay as long as a change of theirs is not saved', () => {
    const { resident, touch, save, inMemory } = saved('a', 'b');
    touch('a');
    resident.makeRoom(0);
    expect(inMemory()).toEqual(['a']);
    save();
    resident.makeRoom(0);
    expect(inMemory()).toEqual([]);
  });

  it('are counted once, however often they are saved, and not at all when they are forgotten', () => {
    const { resident, partition, touch, save } = saved('a');
    const one = resident.bytes;
    touch('a');
    save();
    expect(resident.bytes).toBe(one);
    partition.forget(partition.find('a')!);
    save();
    expect(resident.bytes).toBe(0);
  });
});

it('a session whose changes no checkpoint holds cannot be released', () => {
  const partition = new Partition('topic', 0);
  const session = partition.open('a');
  partition.touched(session);
  expect(() => partition.release(session)).toThrow('session "a" has changes that no checkpoint holds');
});
