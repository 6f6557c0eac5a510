import type { Kafka } from 'kafkajs';
import type { RawRecord } from '../../domain/record.ts';

/**
 * The cluster object inside kafkajs, for what its public calls do not offer. kafkajs is pinned exactly; whether the
 * names are there is checked when the object is made.
 */
export interface Broker {
  fetch(request: unknown): Promise<{ responses: { topicName: string; partitions: FetchedPartition[] }[] }>;
  offsetFetch(request: { groupId: string; topics: { topic: string; partitions: { partition: number }[] }[] }): Promise<{
    responses: { partitions: { offset: string }[] }[];
  }>;
}

export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  isConnected(): boolean;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  removeBroker(address: { host?: string; port?: number }): void;
  findTopicPartitionMetadata(topic: string): { partitionId: number }[];
  findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>;
  findBroker(node: { nodeId: string }): Promise<Broker>;
  findGroupCoordinator(group: { groupId: string }): Promise<Broker>;
  fetchTopicsOffset(
    topics: {
      topic: string;
      partitions: { partition: number }[];
      fromBeginning?: boolean;
      fromTimestamp?: number;
    }[],
  ): Promise<{ partitions: { partition: number; offset: string }[] }[]>;
}

export interface KafkaMessage {
  offset: string;
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers?: RawRecord['headers'];
}

export interface FetchedMessage extends KafkaMessage {
  isControlRecord: boolean;
  batchContext: { firstOffset: string; lastOffsetDelta: number };
}

export interface FetchedPartition {
  partition: number;
  highWatermark: string;
  lastStartOffset: string;
  messages: FetchedMessage[];
}

const METADATA_MAX_AGE_MS = 30_000;
export const READ_UNCOMMITTED = 0;

export function clusterOf(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  if (symbol === undefined) throw new Error('kafkajs: allowed is version 2.2.4, this one has no createCluster inside');
  const create = (kafka as unknown as Record<symbol, (options: unknown) => Cluster>)[symbol]!;
  return create({
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    isolationLevel: READ_UNCOMMITTED,
  });
}
