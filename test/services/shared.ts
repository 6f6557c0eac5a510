import { randomBytes } from 'node:crypto';
import { get } from 'node:http';
import { inject } from 'vitest';
import type { Shared } from './global-setup.ts';

/**
 * The Kafka of this run, started when the first file asks. Call it at the top level of a test file (`await
 * sharedKafka()`): no hook timeout then cuts a first download short. Topics and groups begin with `prefix`, which
 * nobody else has.
 */
export async function sharedKafka(): Promise<Shared['kafka'] & { prefix: string }> {
  return { ...(await ask('kafka')), prefix: ownPrefix() };
}

/** The Redis of this run, in a database of the caller's own. Never FLUSHALL it: `startRedis()` gives one for that. */
export async function sharedRedis(): Promise<Shared['redis'] & { prefix: string }> {
  return { ...(await ask('redis')), prefix: ownPrefix() };
}

/** The first part of names that nobody else has. */
export function ownPrefix(): string {
  return `t${randomBytes(6).toString('hex')}`;
}

async function ask<Name extends keyof Shared>(name: Name): Promise<Shared[Name]> {
  const text = await new Promise<string>((resolve, reject) => {
    const request = get(`${inject('services')}/${name}`, async (response) => {
      let body = '';
      for await (const part of response) body += part;
      resolve(body);
    });
    request.on('error', reject);
  });
  const answer = JSON.parse(text) as { value: Shared[Name] } | { error: string };
  if ('error' in answer) throw new Error(answer.error);
  return answer.value;
}
