import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startKafka } from './kafka.ts';
import { DATABASES, startRedis } from './redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    services: string;
  }
}

/** What a test file gets: `sharedKafka` and `sharedRedis` read it. */
export interface Shared {
  kafka: { brokers: string[]; version: string; logDir: string | undefined };
  redis: { url: string };
}

/** Starts one Kafka and one Redis for the whole run, each when the first test asks for it; ends them after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kafka = once(startKafka);
  const redis = once(startRedis);
  let databases = 0;
  const answers: { [name in keyof Shared]: () => Promise<Shared[name]> } = {
    async kafka() {
      const { brokers, version, logDir } = await kafka.get();
      return { brokers, version, logDir };
    },
    async redis() {
      const { url, kind } = await redis.get();
      return { url: kind === 'environment' ? url : `${url}/${databases++ % DATABASES}` };
    },
  };
  const server = createServer((request, response) => {
    const answer = answers[request.url?.slice(1) as keyof Shared];
    answer().then(
      (value) => response.end(JSON.stringify({ value })),
      (error: unknown) => response.end(JSON.stringify({ error: String(error) })),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  project.provide('services', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    await Promise.all([kafka.stop(), redis.stop()]);
  };
}

function once<Service extends { stop(): Promise<void> }>(start: () => Promise<Service>) {
  let started: Promise<Service> | undefined;
  return {
    get(): Promise<Service> {
      started ??= start();
      return started;
    },
    async stop(): Promise<void> {
      // A failed start was reported to the test that asked.
      await started?.then(
        (service) => service.stop(),
        () => {},
      );
    },
  };
}
