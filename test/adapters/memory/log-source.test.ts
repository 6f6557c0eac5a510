import { MemoryLog } from '../../../src/adapters/memory/log.ts';
import { MemoryLogSource } from '../../../src/adapters/memory/log-source.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { logSourceContract } from '../../contracts/log-source.ts';

logSourceContract('memory', async () => {
  const log = new MemoryLog({ topic: 'firebreak.actions', topicId: 'memory-1', partitions: 2, clock: systemClock });
  const committed = new Map<number, number>();
  return {
    topicId: log.topicId,
    append: async (partition, { key, value, headers = {} }) => {
      const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
      const entry = {
        key: key === null ? null : Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        headers: Object.fromEntries(bytes),
      };
      return log.append(entry, partition).offset;
    },
    deleteBefore: async (partition, offset) => log.deleteBefore(partition, offset),
    source: () => new MemoryLogSource({ log, clock: systemClock, committed }),
    close: async () => {},
  };
});
