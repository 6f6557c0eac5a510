// What reading the log costs in Node at all: kafkajs, eachBatch, JSON.parse, nothing else. A process of its own, started
// by throughput.ts, as `firebreak run` is. Prints one line of JSON when it has seen EVENTS records.
import kafkajs from 'kafkajs';
import { FETCHING } from '../../dist/adapters/kafka/log-source.js';

const [brokers, topic, groupId, events] = process.argv.slice(2);
const kafka = new kafkajs.Kafka({ brokers: brokers.split(','), clientId: 'null', logLevel: kafkajs.logLevel.NOTHING });
const consumer = kafka.consumer({ groupId, readUncommitted: true, ...FETCHING });
let seen = 0;
let first;
let parsed = 0;

await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  // As often as firebreak saves.
  autoCommitInterval: 1000,
  partitionsConsumedConcurrently: 8,
  eachBatch: async ({ batch }) => {
    for (const { value } of batch.messages) if (JSON.parse(value.toString()).id !== undefined) parsed++;
    seen += batch.messages.length;
    first ??= { atMs: performance.now(), seen, cpu: process.cpuUsage() };
    if (seen < Number(events)) return;
    const cpu = process.cpuUsage(first.cpu);
    const result = {
      events: seen - first.seen,
      elapsedMs: performance.now() - first.atMs,
      cpuMs: (cpu.user + cpu.system) / 1000,
      parsed,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
  },
});
