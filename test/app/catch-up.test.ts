import { pino } from 'pino';
import { expect, it } from 'vitest';
import { ManualClock } from '../../src/adapters/memory/clock.ts';
import { CatchUp } from '../../src/app/catch-up.ts';
import type { PartitionWorker } from '../../src/app/partition-worker.ts';

it('says every ten seconds how far a partition is and how long it takes, and when it is there', () => {
  const clock = new ManualClock();
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) });
  const catchUp = new CatchUp({ clock, logger });
  const worker = { next: 1000, assignment: { partition: 3, high: 11_000 } };
  const at = (next: number, afterMs: number) => {
    clock.advance(afterMs);
    worker.next = next;
    catchUp.note(worker as PartitionWorker);
    return lines.splice(0).map(({ msg, next, high, percent, secondsLeft, seconds }) => ({
      msg,
      next,
      high,
      percent,
      secondsLeft,
      seconds,
    }));
  };
  expect(at(1000, 0)).toEqual([]);
  expect(at(2000, 9999)).toEqual([]);
  expect(at(2000, 1)).toEqual([{ msg: 'catching up', next: 2000, high: 11_000, percent: 18, secondsLeft: 90 }]);
  expect(at(3000, 5000)).toEqual([]);
  expect(at(11_000, 15_000)).toEqual([{ msg: 'caught up with the log', high: 11_000, seconds: 30 }]);
});

it('says nothing of a way of less than ten seconds', () => {
  const lines: string[] = [];
  const clock = new ManualClock();
  const catchUp = new CatchUp({ clock, logger: pino({ level: 'info' }, { write: (line) => void lines.push(line) }) });
  const worker = { next: 0, assignment: { partition: 3, high: 100 } };
  catchUp.note(worker as PartitionWorker);
  clock.advance(9000);
  worker.next = 100;
  catchUp.note(worker as PartitionWorker);
  expect(lines).toEqual([]);
});
