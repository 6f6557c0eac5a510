import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What a network does to the connections between clients and one server.
 *
 *   pass              as it should be
 *   cut               reset, and new ones are reset too
 *   hole              open, but nothing gets through; what was sent arrives when it ends: late, or behind a failover
 *   slow              each piece comes later, in order
 *   lost_replies      the server gets everything, the client hears nothing; ends with a reset
 *   held_replication  a Redis replica hears nothing, everybody else does; ends with a reset of the replica
 *   no_produce        a Kafka client that produces is reset, one that only fetches is not
 */
export type LinkMode = 'pass' | 'cut' | 'hole' | 'slow' | 'lost_replies' | 'held_replication' | 'no_produce';

const SLOW_MS = 300;
const PRODUCE = 0;

interface Pair {
  client: Socket;
  upstream: Socket;
  replication: boolean;
  /** Where the next Kafka request begins, counted in bytes from what comes next. */
  untilRequest: number;
}

export class Link {
  readonly #server: Server;
  readonly #upstreamPort: number;
  readonly #pairs = new Set<Pair>();
  readonly #waiting = new WeakMap<Socket, number>();
  #mode: LinkMode = 'pass';

  private constructor(upstreamPort: number) {
    this.#upstreamPort = upstreamPort;
    this.#server = createServer((client) => this.#serve(client));
  }

  static async start(port: number, upstreamPort: number): Promise<Link> {
    const link = new Link(upstreamPort);
    await new Promise<void>((resolve) => link.#server.listen(port, '127.0.0.1', resolve));
    return link;
  }

  set(mode: LinkMode): void {
    const before = this.#mode;
    this.#mode = mode;
    for (const pair of this.#pairs) {
      const harmed = before === 'lost_replies' || (before === 'held_replication' && pair.replication);
      if (mode === 'cut' || harmed) reset(pair);
      else if (mode === 'hole') for (const socket of [pair.client, pair.upstream]) socket.pause();
      else if (before === 'hole') for (const socket of [pair.client, pair.upstream]) socket.resume();
    }
  }

  async stop(): Promise<void> {
    this.#mode = 'cut';
    for (const pair of this.#pairs) reset(pair);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    if (this.#mode === 'cut') return void client.resetAndDestroy();
    const upstream = connect(this.#upstreamPort, '127.0.0.1');
    const pair = { client, upstream, replication: false, untilRequest: 0 };
    this.#pairs.add(pair);
    const end = () => {
      client.destroy();
      upstream.destroy();
      this.#pairs.delete(pair);
    };
    for (const socket of [client, upstream]) socket.setNoDelay(true).on('error', end).on('close', end);
    client.on('data', (bytes) => this.#ask(pair, bytes));
    upstream.on('data', (bytes) => this.#answer(pair, bytes));
    if (this.#mode === 'hole') for (const socket of [client, upstream]) socket.pause();
  }

  #ask(pair: Pair, bytes: Buffer): void {
    pair.replication ||= bytes.subarray(0, 64).toString('latin1').toUpperCase().includes('REPLCONF');
    const produces = asksToProduce(pair, bytes);
    if (produces && this.#mode === 'no_produce') reset(pair);
    else this.#pass(bytes, pair.upstream);
  }

  #answer(pair: Pair, bytes: Buffer): void {
    if (this.#mode === 'lost_replies') return;
    if (this.#mode === 'held_replication' && pair.replication) return;
    this.#pass(bytes, pair.client);
  }

  #pass(bytes: Buffer, to: Socket): void {
    const waiting = this.#waiting.get(to) ?? 0;
    // Behind what still waits nothing is faster: timers of one length fire in the order in which they were set.
    if (this.#mode !== 'slow' && waiting === 0) {
      to.write(bytes);
      return;
    }
    this.#waiting.set(to, waiting + 1);
    setTimeout(() => {
      this.#waiting.set(to, this.#waiting.get(to)! - 1);
      if (to.writable) to.write(bytes);
    }, SLOW_MS);
  }
}

function reset({ client, upstream }: Pair): void {
  client.resetAndDestroy();
  upstream.resetAndDestroy();
}

/** Requests of Kafka: `size (4 bytes) | api key (2 bytes) | …`. Of Redis it makes nothing that means anything. */
function asksToProduce(pair: Pair, bytes: Buffer): boolean {
  let produces = false;
  let at = pair.untilRequest;
  while (at + 6 <= bytes.length) {
    produces ||= bytes.readInt16BE(at + 4) === PRODUCE;
    at += 4 + Math.max(0, bytes.readInt32BE(at));
  }
  pair.untilRequest = Math.max(0, at - bytes.length);
  return produces;
}
