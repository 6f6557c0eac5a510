import { type Kafka, Partitioners } from 'kafkajs';
import { PartitionClient } from '../../src/adapters/kafka/partition-client.ts';

/** What a login sees, or why there is none. */
export async function topicsSeen(client: Kafka): Promise<string> {
  const admin = client.admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    return (await admin.listTopics()).join();
  } catch (error) {
    return (error as Error).message;
  } finally {
    await admin.disconnect();
  }
}

/** `written`, `refused`, or what else happened. */
export async function write(client: Kafka, topic: string): Promise<string> {
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner, retry: { retries: 0 } });
  await producer.connect();
  try {
    await producer.send({ topic: topic, acks: -1, messages: [{ key: 'k', value: '{}' }] });
    return 'written';
  } catch (error) {
    return refusalOf(error);
  } finally {
    await producer.disconnect();
  }
}

export async function read(client: Kafka, topic: string): Promise<string> {
  const reader = new PartitionClient(client);
  try {
    await reader.fetch(topic, 0, 0, 1024);
    return 'read';
  } catch (error) {
    return refusalOf(error);
  } finally {
    await reader.close();
  }
}

/** kafkajs tells it as a code or as a sentence. */
function refusalOf(error: unknown): string {
  return /not authorized|authorization failed/i.test(String(error)) ? 'refused' : String(error);
}

/** Unsecured, as the broker's own validator for tests wants it. */
export function tokenOf(subject: string): string {
  const part = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now, exp: now + 3600 })}.`;
}

/** Opens one and gives it up. */
export async function transaction(client: Kafka): Promise<void> {
  const producer = client.producer({ transactionalId: 't', idempotent: true, retry: { retries: 5 } });
  try {
    await producer.connect();
    await (await producer.transaction()).abort();
  } finally {
    await producer.disconnect();
  }
}
