import { parentPort, Worker } from 'node:worker_threads';

/** One call of a method of the object in a thread. The answers come in the order of the calls. */
interface Call {
  name: string;
  args: readonly unknown[];
}
type Answer = { value: unknown } | { error: unknown };

/** An object whose methods are called here or in a thread. Calls are done in the order in which they are made. */
export type Remote<T> = {
  [K in keyof T]: T[K] extends (...args: infer Args) => infer Result ? (...args: Args) => Promise<Result> : never;
};

/** The buffers of a call that go over instead of being copied. */
type Transfer = (...args: never[]) => ArrayBuffer[];

export const COPIED: Transfer = () => [];

/**
 * Starts a thread at `entry`, which gives its object to `answerCalls`; the first call fails where the thread cannot
 * start. `methods` names what can be called.
 */
export function startThread<T>(
  entry: URL,
  workerData: unknown,
  methods: Record<keyof T & string, Transfer>,
): Remote<T> & { stop(): Promise<void> } {
  const worker = new Worker(entry, { workerData });
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
  worker.on('exit', (code) => fail(new Error(`a worker thread ended with ${code}`)));

  const call =
    (name: string, transferOf: Transfer) =>
    (...args: never[]) =>
      new Promise<unknown>((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        waiting.push({ resolve, reject });
        worker.postMessage({ name, args } satisfies Call, transferOf(...args));
      });
  const remote = Object.fromEntries(
    Object.entries<Transfer>(methods).map(([name, transferOf]) => [name, call(name, transferOf)]),
  );
  const stop = async () => {
    await worker.terminate();
  };
  return { ...(remote as unknown as Remote<T>), stop };
}

/** In a thread: does what it is told with the object, one call after the other. */
export function answerCalls(target: object): void {
  const methods = target as Record<string, (...args: readonly unknown[]) => unknown>;
  parentPort!.on('message', ({ name, args }: Call) => {
    parentPort!.postMessage(answerTo(() => methods[name]!(...args)));
  });
}

function answerTo(call: () => unknown): Answer {
  try {
    return { value: call() };
  } catch (error) {
    return { error };
  }
}
