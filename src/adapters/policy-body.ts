import { createHash } from 'node:crypto';
import type { PolicyActivated } from '../domain/record.ts';

/** Policy bodies as every library stores them: by content, in chunks that fit a message. */
export const CHUNK_BYTES = 256 * 1024;

export function policyOf(body: Uint8Array, engine: number): PolicyActivated {
  if (body.length === 0) throw new Error('a policy body must not be empty');
  return { hash: hashOf(body), chunks: Math.ceil(body.length / CHUNK_BYTES), engine };
}

export function chunksOf(body: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += CHUNK_BYTES) chunks.push(body.subarray(at, at + CHUNK_BYTES));
  return chunks;
}

/** Joins the chunks; throws `PolicyUnavailable` unless they are the body that the hash names. */
export function bodyOf(policy: PolicyActivated, chunks: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(chunks);
  const found = hashOf(body);
  if (found !== policy.hash) throw new PolicyUnavailable(policy, `what is stored under it is ${found}`);
  return body;
}

/** No body may be judged by, and no other taken in its place. */
export class PolicyUnavailable extends Error {
  override readonly name = 'PolicyUnavailable';
  readonly hash: string;

  constructor(policy: PolicyActivated, reason: string) {
    super(`policy ${policy.hash} (${policy.chunks} chunks): ${reason}`);
    this.hash = policy.hash;
  }
}

function hashOf(body: Uint8Array): string {
  return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}
