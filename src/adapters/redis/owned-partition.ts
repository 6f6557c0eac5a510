import { type Checkpoint, type Chunk, TenureLost } from '../../ports.ts';
import type { RedisClient } from './client.ts';
import type { StateKeys } from './keys.ts';
import { ACQUIRE } from './scripts/acquire-3.ts';
import { CHECKPOINT } from './scripts/checkpoint-3.ts';
import { DISCARD } from './scripts/discard-3.ts';
import { HEADERS } from './scripts/headers-3.ts';
import { LOAD } from './scripts/load-3.ts';
import { PROBE } from './scripts/probe-3.ts';
import { RESTORE } from './scripts/restore-3.ts';
import type { Script } from './scripts/script.ts';
import { WRITE_CHUNK } from './scripts/write-chunk-3.ts';

type Argument = string | Buffer;
type Reply = readonly (Buffer | null)[];

/** What `acquire` found: recorded is what the owner before counted, held is what is there. */
export interface Found {
  sessions: { held: number; recorded: number };
  journal: { held: number; recorded: number };
}

const RESTORED_AT_ONCE = 400;
const HEADERS_AT_ONCE = 1000;
const SESSIONS_AT_MOST = 1000;

/**
 * The scripts of one partition under one token, typed. Knows the sequence that the server must have: every writing
 * script that answers OK counts it up by one, here as there. Not for calls that overlap.
 */
export class OwnedPartition {
  readonly #partition: number;
  readonly #keys: StateKeys;
  readonly #token: string;
  #seq = 0;

  constructor(partition: number, keys: StateKeys, token: string) {
    this.#partition = partition;
    this.#keys = keys;
    this.#token = token;
  }

  async acquire(redis: RedisClient): Promise<Found> {
    const [seq, held, recorded, journalHeld, journalRecorded] = this.#accepted(
      await runScript(redis, ACQUIRE, this.#keys, [this.#token]),
    ).map(number);
    this.#seq = seq!;
    return {
      sessions: { held: held!, recorded: recorded! },
      journal: { held: journalHeld!, recorded: journalRecorded! },
    };
  }

  async discard(redis: RedisClient): Promise<void> {
    await this.#run(redis, DISCARD, []);
    this.#seq += 1;
  }

  /** Puts the next part of the journal back; answers how many entries are left. */
  async restore(redis: RedisClient): Promise<number> {
    const [left] = await this.#run(redis, RESTORE, [String(RESTORED_AT_ONCE)]);
    this.#seq += 1;
    return number(left);
  }

  async checkpoint(redis: RedisClient): Promise<{ point: Checkpoint | undefined; held: number }> {
    const [next, partition, sessions, held] = await this.#run(redis, CHECKPOINT, []);
    const point = next && partition && sessions;
    return {
      point: point ? { next: number(next), partition, sessions: number(sessions) } : undefined,
      held: number(held),
    };
  }

  async headers(redis: RedisClient, headerBytes: number): Promise<Map<string, Uint8Array>> {
    const headers = new Map<string, Uint8Array>();
    let cursor = '0';
    do {
      const [next, ...entries] = await this.#run(redis, HEADERS, [
        cursor,
        String(HEADERS_AT_ONCE),
        String(headerBytes),
      ]);
      for (let i = 0; i < entries.length; i += 2) headers.set(entries[i]!.toString(), entries[i + 1]!);
      cursor = next!.toString();
    } while (cursor !== '0');
    return headers;
  }

  async load(redis: RedisClient, sessions: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const loaded: (Uint8Array | undefined)[] = [];
    for (let from = 0; from < sessions.length; from += SESSIONS_AT_MOST) {
      const part = await this.#run(redis, LOAD, sessions.slice(from, from + SESSIONS_AT_MOST));
      for (const bytes of part) loaded.push(bytes ?? undefined);
    }
    return loaded;
  }

  async write(redis: RedisClient, chunk: Chunk): Promise<void> {
    if (chunk.sessions.size > SESSIONS_AT_MOST) {
      throw new RangeError(`a chunk has ${chunk.sessions.size} sessions; one script takes ${SESSIONS_AT_MOST} at most`);
    }
    const written: Argument[] = [];
    const deleted: Argument[] = [];
    for (const [session, bytes] of chunk.sessions) {
      if (bytes) written.push(session, view(bytes));
      else deleted.push(session);
    }
    const point: Argument[] = [];
    if (chunk.checkpoint) {
      const { next, partition, sessions } = chunk.checkpoint;
      const facts = JSON.stringify({ token: this.#token, seq: this.#seq, sessions: chunk.sessions.size });
      point.push(String(next), view(partition), String(sessions), facts);
    }
    const counts = [String(written.length / 2), String(deleted.length)];
    await this.#run(redis, WRITE_CHUNK, [...counts, ...written, ...deleted, ...point]);
    this.#seq += 1;
  }

  async probe(redis: RedisClient): Promise<{ next: number | undefined; held: number; runId: string }> {
    const [next, held, runId] = await this.#run(redis, PROBE, []);
    return { next: next ? number(next) : undefined, held: number(held), runId: String(runId) };
  }

  async #run(redis: RedisClient, script: Script, args: readonly Argument[]): Promise<Reply> {
    return this.#accepted(await runScript(redis, script, this.#keys, [this.#token, String(this.#seq), ...args]));
  }

  #accepted([status, ...rest]: Reply): Reply {
    const where = `state of partition ${this.#partition}`;
    switch (status?.toString()) {
      case 'OK':
        return rest;
      case 'FENCED':
        throw new TenureLost('fenced', `${where}: owned by ${rest[0]} now`);
      case 'CONFLICT':
        throw new TenureLost('rolled_back', `${where}: at sequence ${rest[0]} instead of ${this.#seq}`);
      case 'LOST':
        throw new TenureLost('state_lost', `${where}: ${rest[0]}`);
      case 'MISCOUNT':
        throw new Error(`${where}: the checkpoint would hold ${rest[0]} sessions, which is not what it says`);
      default:
        throw new Error(`${where}: a script answered ${status}`);
    }
  }
}

/** EVALSHA; a server that does not know the script has not run it, and gets its text. */
async function runScript(
  redis: RedisClient,
  script: Script,
  keys: StateKeys,
  args: readonly Argument[],
): Promise<Reply> {
  const rest = [String(keys.length), ...keys, ...args];
  try {
    return (await redis.callBuffer('EVALSHA', script.sha1, ...rest)) as Reply;
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return (await redis.callBuffer('EVAL', script.lua, ...rest)) as Reply;
  }
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function number(text: Buffer | null | undefined): number {
  const value = Number(text?.toString());
  if (!Number.isSafeInteger(value)) throw new Error(`the state store holds ${text} where a number must be`);
  return value;
}
