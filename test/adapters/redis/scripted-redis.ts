import type { Redis } from 'ioredis';
import type { RedisClient } from '../../../src/adapters/redis/client.ts';
import { stateKeys } from '../../../src/adapters/redis/keys.ts';
import { RedisStateStore } from '../../../src/adapters/redis/state-store.ts';
import { HEADER_BYTES, type StateServer } from '../../contracts/state-server.ts';
import type { WireFault } from '../../services/fault-proxy.ts';
import { foreignHand, loadScripts } from './foreign-hand.ts';

type Argument = string | Buffer | number;

/**
 * A real server behind a client that meets faults itself: what a broken connection does to a call, without the time
 * that connecting again takes.
 */
export class ScriptedRedis implements StateServer {
  readonly #admin: Redis;
  readonly #faults: WireFault[] = [];
  #inFlight: (() => Promise<unknown>)[] = [];
  readonly mark: StateServer['mark'];
  readonly flush: StateServer['flush'];
  readonly remove: StateServer['remove'];
  readonly put: StateServer['put'];
  readonly setNext: StateServer['setNext'];

  private constructor(admin: Redis) {
    this.#admin = admin;
    ({
      mark: this.mark,
      flush: this.flush,
      remove: this.remove,
      put: this.put,
      setNext: this.setNext,
    } = foreignHand(admin));
  }

  static async start(admin: Redis): Promise<ScriptedRedis> {
    await loadScripts(admin);
    return new ScriptedRedis(admin);
  }

  async open(): Promise<RedisStateStore> {
    const callBuffer = (command: string, ...args: Argument[]) =>
      this.#meet(() => this.#admin.callBuffer(command, ...args));
    const client = { status: 'ready', callBuffer } as unknown as RedisClient;
    const connections = { state: client, probe: client, readyTimeoutMs: 1000, close: () => {} };
    return new RedisStateStore(connections, { headerBytes: HEADER_BYTES });
  }

  failNext(...faults: WireFault[]): void {
    this.#faults.push(...faults);
  }

  async deliver(): Promise<void> {
    const arriving = this.#inFlight;
    this.#inFlight = [];
    for (const call of arriving) await call().catch(() => undefined); // nobody gets its answer
  }

  /** Removes what a sequence has left. */
  async forget(partition: number): Promise<void> {
    await this.#admin.unlink(...stateKeys('fb', partition));
  }

  /** The server is its starter's. */
  async stop(): Promise<void> {}

  async #meet<T>(call: () => Promise<T>): Promise<T> {
    const fault = this.#faults.shift();
    if (fault === 'late' || fault === 'twice') this.#inFlight.push(call);
    if (fault === 'refused' || fault === 'late') throw new Error(`told to: ${fault}`);
    const answer = await call();
    if (fault === 'reply_lost') throw new Error(`told to: ${fault}`);
    return answer;
  }
}
