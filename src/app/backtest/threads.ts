import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PolicyBody } from '../../domain/rule.ts';
import type { RemoteShard, Shard } from './shard.ts';
import type { BySide } from './sides.ts';

/** One call of a method of the shard in a thread. The answers come in the order of the calls. */
export interface Call {
  name: keyof Shard;
  args: readonly unknown[];
}
export type Answer = { value: unknown } | { error: unknown };

/** This file is `threads.ts` or the built `threads.js`, and the worker beside it has the same kind of name. */
const ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

/** A shard in a thread of its own. */
export interface ThreadShard extends RemoteShard {
  stop(): Promise<void>;
}

/** Starts the thread; the rules are compiled there, and the first call fails where they cannot be. */
export function startShard(rules: BySide<PolicyBody>): ThreadShard {
  const worker = new Worker(ENTRY, { workerData: rules });
  const waiting: { resolve(value: unknown): void; reject(error: unknown): void }[] = [];
  let failure: unknown;
  const fail = (error: unknown) => {
    failure ??= error;
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  worker.on('message', (answer: Answer) => {
    const { resolve, reject } = waiting.shift()!;
    if ('error' in answer) reject(answer.error);
    else resolve(answer.value);
  });
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`a worker of the backtest ended with ${code}`)));

  function method<Name extends keyof Shard>(name: Name, transferOf: TransferOf<Name> = () => []): RemoteShard[Name] {
    const call = (...args: Parameters<Shard[Name]>) =>
      new Promise<unknown>((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        waiting.push({ resolve, reject });
        worker.postMessage({ name, args } satisfies Call, transferOf(...args));
      });
    return call as RemoteShard[Name];
  }

  return {
    judge: method('judge', ({ marks, bytes }) => [marks.buffer as ArrayBuffer, bytes.buffer as ArrayBuffer]),
    pendingUntilMs: method('pendingUntilMs'),
    runOn: method('runOn'),
    end: method('end'),
    totals: method('totals'),
    takeSessions: method('takeSessions'),
    stop: async () => {
      await worker.terminate();
    },
  };
}

/** The buffers that go over instead of being copied. */
type TransferOf<Name extends keyof Shard> = (...args: Parameters<Shard[Name]>) => ArrayBuffer[];
