import { parentPort, workerData } from 'node:worker_threads';
import type { PolicyBody } from '../../domain/rule.ts';
import { Shard } from './shard.ts';
import type { BySide } from './sides.ts';
import type { Answer, Call } from './threads.ts';

/** The thread that `startShard` starts: one shard, which does what it is told. */
const shard = new Shard(workerData as BySide<PolicyBody>);

parentPort!.on('message', ({ name, args }: Call) => {
  parentPort!.postMessage(answerTo(name, args));
});

function answerTo(name: Call['name'], args: Call['args']): Answer {
  const method = shard[name] as (...args: readonly unknown[]) => unknown;
  try {
    return { value: method.apply(shard, [...args]) };
  } catch (error) {
    return { error };
  }
}
