import type { Kafka, Message, Producer } from 'kafkajs';
import type { Logger } from 'pino';
import type { Output } from '../../domain/output.ts';
import type { Clock, Outlet } from '../../ports.ts';
import { toWire, type WireMessage, type WireOptions } from '../wire.ts';
import { minimalForm } from './minimal-form.ts';
import { inRequests, sendWhole, wholeProducer } from './whole-send.ts';

export interface KafkaOutletOptions extends Omit<WireOptions, 'nowMs' | 'attempt'> {
  kafka: Kafka;
  clock: Clock;
  logger: Logger;
  /** The broker refused this output for good, and got its minimal form. */
  onMinimalForm: (output: Output, code: string) => void;
}

const MESSAGE_OVERHEAD = 128;
const ACK_TIMEOUT_MS = 10_000;
const ATTEMPTS_REMEMBERED = 10_000;

/** Answers that the same bytes will always get. */
const REFUSED_FOR_GOOD = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

interface Wired {
  output: Output;
  messages: WireMessage[];
}

/**
 * A plain producer: acks of all in-sync replicas, one request in flight, no idempotence (kafkajs's has a history of
 * OUT_OF_ORDER_SEQUENCE); receivers know a repeated output by its id.
 */
export class KafkaOutlet implements Outlet {
  readonly #options: KafkaOutletOptions;
  /** How often each command was published, for its header. A restart begins again at 1. */
  readonly #attempts = new Map<string, number>();
  #producer: Promise<Producer> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: KafkaOutletOptions) {
    this.#options = options;
  }

  publish(outputs: readonly Output[]): Promise<void> {
    if (outputs.length === 0) return Promise.resolve();
    const published = this.#last.then(() => this.#publish(outputs));
    this.#last = published.catch(() => undefined); // told to the caller by `published`
    return published;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#dropProducer();
  }

  async #publish(outputs: readonly Output[]): Promise<void> {
    const bytesOf = ({ messages }: Wired) => messages.reduce((sum, message) => sum + sizeOf(message), 0);
    for (const request of inRequests(this.#wired(outputs), bytesOf)) await this.#sendTogether(request);
  }

  *#wired(outputs: readonly Output[]): Generator<Wired> {
    for (const output of outputs) yield { output, messages: this.#wire(output) };
  }

  async #sendTogether(request: readonly Wired[]): Promise<void> {
    const refused = await this.#send(request.flatMap(({ messages }) => messages));
    if (refused === undefined) return;
    // The answer does not say which output it means, so each one is asked about. What was written is written again.
    for (const { output, messages } of request) {
      const code = request.length === 1 ? refused : await this.#send(messages);
      if (code !== undefined) await this.#sendMinimal(output, code);
    }
  }

  async #sendMinimal(output: Output, code: string): Promise<void> {
    const minimal = minimalForm(output);
    if (minimal === undefined) throw new Error(`the broker refuses ${nameOf(output)} for good: ${code}`);
    const refused = await this.#send(this.#wire(minimal));
    if (refused !== undefined) {
      throw new Error(`the broker refuses ${nameOf(output)} for good: ${code}; and its minimal form: ${refused}`);
    }
    this.#options.logger.error(
      { output: nameOf(output), code },
      'the broker refused an output: minimal form published',
    );
    this.#options.onMinimalForm(output, code);
  }

  /** The code with which the broker refuses the bytes for good; undefined when they are durable. */
  async #send(messages: readonly WireMessage[]): Promise<string | undefined> {
    try {
      const producer = await this.#connected();
      const topicMessages = byTopic(messages);
      await sendWhole(producer, { timeout: ACK_TIMEOUT_MS, topicMessages }, this.#options.clock);
      return undefined;
    } catch (error) {
      const code = refusalOf(error);
      if (code !== undefined) return code;
      await this.#dropProducer();
      throw error;
    }
  }

  #connected(): Promise<Producer> {
    this.#producer ??= (async () => {
      const producer = wholeProducer(this.#options.kafka, {
        maxInFlightRequests: 1,
        idempotent: false,
        metadataMaxAge: 30_000,
      });
      await producer.connect();
      return producer;
    })();
    return this.#producer;
  }

  async #dropProducer(): Promise<void> {
    const dropped = this.#producer;
    this.#producer = undefined;
    try {
      await (await dropped)?.disconnect();
    } catch (error) {
      // It never connected or is broken, and nobody uses it any more.
      this.#options.logger.debug({ err: error }, 'producer not disconnected');
    }
  }

  #wire(output: Output): WireMessage[] {
    const { clock, ...options } = this.#options;
    return toWire(output, { ...options, nowMs: clock.nowMs(), attempt: this.#attempt(output) });
  }

  #attempt(output: Output): number {
    if (output.topic !== 'commands') return 1;
    const { id } = output.command;
    // The log may know of more than this process does: it began again at 1.
    const attempt = Math.max((this.#attempts.get(id) ?? 0) + 1, output.attempt ?? 1);
    this.#attempts.delete(id);
    this.#attempts.set(id, attempt);
    if (this.#attempts.size > ATTEMPTS_REMEMBERED) {
      const [oldest] = this.#attempts.keys();
      this.#attempts.delete(oldest!);
    }
    return attempt;
  }
}

function byTopic(messages: readonly WireMessage[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const { topic, partition, key, value, headers } of messages) {
    const message: Message = {
      key: key === null ? null : bufferOf(key),
      value: value === null ? null : bufferOf(value),
      headers: Object.fromEntries(
        Object.entries(headers)
          .filter(([, found]) => found !== undefined)
          .map(([name, found]) => [name, Array.isArray(found) ? found.map(headerOf) : headerOf(found!)]),
      ),
      ...(partition === undefined ? {} : { partition }),
    };
    const found = topics.get(topic);
    if (found === undefined) topics.set(topic, [message]);
    else found.push(message);
  }
  return [...topics].map(([topic, of]) => ({ topic, messages: of }));
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function headerOf(value: Uint8Array | string): Buffer | string {
  return typeof value === 'string' ? value : bufferOf(value);
}

function sizeOf({ key, value, headers }: WireMessage): number {
  let size = MESSAGE_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) {
    for (const item of [headers[name]].flat()) size += name.length + (item?.length ?? 0);
  }
  return size;
}

function nameOf(output: Output): string {
  switch (output.topic) {
    case 'commands':
      return `command ${output.command.id}`;
    case 'findings':
      return `finding ${output.finding.id}`;
    case 'audit':
      return `audit entry ${output.entry.chain}/${output.entry.index} of ${output.key}`;
    case 'verdicts':
    case 'leases':
      return `${output.topic} of ${output.key}`;
    case 'acks':
      return `acknowledgement ${output.acknowledgement.id}`;
    case 'quarantine':
      return `quarantined record ${output.position.partition}/${output.position.offset}`;
    case 'actions':
      return `${output.record.type} for partition ${output.partition}`;
  }
}

/** kafkajs wraps the broker's answer, sometimes twice. */
function refusalOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { type } = at as { type?: string };
    if (type !== undefined && REFUSED_FOR_GOOD.has(type)) return type;
  }
  return undefined;
}
