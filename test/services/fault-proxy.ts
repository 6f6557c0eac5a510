import { connect, createServer, type Server, type Socket } from 'node:net';

/** See `Fault` of the memory state: the same four, on the wire between a client and a real Redis. */
export type WireFault = 'refused' | 'reply_lost' | 'late' | 'twice';

/** Stands between Redis clients and a server, and does to single EVALSHA calls what networks do. */
export class FaultProxy {
  readonly #server: Server;
  readonly #upstreamPort: number;
  readonly #faults: WireFault[] = [];
  readonly #sockets = new Set<Socket>();
  #inFlight: Buffer[] = [];

  private constructor(upstreamPort: number) {
    this.#upstreamPort = upstreamPort;
    this.#server = createServer((client) => this.#serve(client));
  }

  static async start(upstreamPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstreamPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  failNext(...faults: WireFault[]): void {
    this.#faults.push(...faults);
  }

  /** What was held back or is to come twice reaches the server now. Fulfilled when the server has answered all. */
  async deliver(): Promise<void> {
    const arriving = this.#inFlight;
    this.#inFlight = [];
    for (const command of arriving) await this.#send(command);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    const upstream = connect(this.#upstreamPort, '127.0.0.1');
    let waiting: Buffer = Buffer.alloc(0);
    let replyIsLost = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
      this.#sockets.delete(client);
    };
    this.#sockets.add(client);
    for (const socket of [client, upstream]) socket.setNoDelay(true).on('error', end).on('close', end);
    upstream.on('data', (reply) => (replyIsLost ? end() : client.write(reply)));
    client.on('data', (data) => {
      waiting = waiting.length === 0 ? data : Buffer.concat([waiting, data]);
      for (let end = commandEnd(waiting); end !== undefined; end = commandEnd(waiting)) {
        const command = waiting.subarray(0, end);
        waiting = waiting.subarray(end);
        const fault = isScript(command) ? this.#faults.shift() : undefined;
        if (fault === 'late' || fault === 'twice') this.#inFlight.push(Buffer.from(command));
        if (fault === 'refused' || fault === 'late') return void client.destroy();
        replyIsLost ||= fault === 'reply_lost';
        upstream.write(command);
      }
    });
  }

  #send(command: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const upstream = connect(this.#upstreamPort, '127.0.0.1', () => upstream.write(command));
      upstream.once('error', reject);
      upstream.once('data', () => {
        upstream.destroy();
        resolve();
      });
    });
  }
}

function isScript(command: Buffer): boolean {
  return command.subarray(0, 40).toString('latin1').toLowerCase().includes('\r\nevalsha\r\n');
}

/** Where the first complete request of these bytes ends: `*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n`. */
function commandEnd(bytes: Buffer): number | undefined {
  let at = bytes.indexOf('\r\n');
  if (at < 0) return undefined;
  const parts = Number(bytes.subarray(1, at).toString());
  at += 2;
  for (let part = 0; part < parts; part += 1) {
    const lengthEnd = bytes.indexOf('\r\n', at);
    if (lengthEnd < 0) return undefined;
    at = lengthEnd + 2 + Number(bytes.subarray(at + 1, lengthEnd).toString()) + 2;
  }
  return at <= bytes.length ? at : undefined;
}
