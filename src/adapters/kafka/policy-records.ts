import { PolicyActivated, TYPE_PREFIX } from '../../domain/record.ts';
import type { PartitionClient } from './partition-client.ts';
import { readRanges } from './range-reader.ts';

const POLICY_TYPE = `${TYPE_PREFIX}policy.activated.v1`;

/**
 * Hashes of the policies that one partition of the log activated, the newest last, as far as the log reaches back.
 * For advice to people only: it believes every signature, a partition does not.
 */
export async function latestPolicies(client: PartitionClient, topic: string, partition: number): Promise<string[]> {
  const { low, high } = await client.bounds(topic, partition);
  const hashes: string[] = [];
  for await (const { record } of readRanges(client, topic, [{ partition, from: low, to: high }])) {
    if (String(record.headers['ce_type']) !== POLICY_TYPE || record.value === null) continue;
    const parsed = PolicyActivated.safeParse(JSON.parse(Buffer.from(record.value).toString('utf8')));
    if (parsed.success && hashes.at(-1) !== parsed.data.hash) hashes.push(parsed.data.hash);
  }
  return hashes;
}
