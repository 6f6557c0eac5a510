import type { Redis } from 'ioredis';
import type { Message } from 'kafkajs';
import type { RawRecord } from '../../src/domain/record.ts';

export const CANARY = 'canary-5aa9e1c07f';

/** The secret in every place of an action that rules cannot name. */
export function withCanary(message: Message): Message {
  const event = JSON.parse(String(message.value));
  const raw = {
    args: { to: CANARY, nested: [{ body: CANARY }] },
    result: CANARY,
    headers: { authorization: CANARY },
    prompt: { ref: 'p-1', text: CANARY },
    agent: { ...event.agent, instructions: CANARY },
    resource: { ...event.resource, content: CANARY },
    trace: { tracestate: CANARY },
    attributes: { 'http.body': CANARY },
    [CANARY]: 1,
  };
  return { ...message, value: JSON.stringify({ ...event, ...raw }), headers: { 'x-token': CANARY } };
}

/** As text, and as JSON or a debugger writes bytes. Base64 begins at one of three places. */
export function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((shift) => bytes.subarray(shift, shift + 3 * Math.floor((bytes.length - shift) / 3)));
  return [secret, bytes.toString('hex'), bytes.join(','), ...base64.map((part) => part.toString('base64'))];
}

/** Everything that a record carries. */
export function bytesOf({ key, value, headers }: RawRecord): Buffer[] {
  return [key, value, JSON.stringify(headers), ...Object.values(headers).flat()].flatMap((part) =>
    part === null || part === undefined ? [] : [Buffer.from(part as string)],
  );
}

/** Every key, field and value of a server that holds state and nothing else. */
export async function everythingIn(redis: Redis): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for (const key of await redis.keys('*')) {
    const fields = await redis.hgetallBuffer(key);
    found.push(Buffer.from(key), ...Object.entries(fields).flatMap(([name, value]) => [Buffer.from(name), value]));
  }
  return found;
}
