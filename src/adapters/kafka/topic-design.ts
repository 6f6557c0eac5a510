/** The topics of Firebreak, by the name after the prefix. */
export type TopicName =
  | 'actions'
  | 'commands'
  | 'findings'
  | 'verdicts'
  | 'leases'
  | 'audit'
  | 'quarantine'
  | 'policies'
  | 'acks'
  | 'decisions';

/** One setting of a topic: what `init` sets, and what an existing topic is held to. */
export interface TopicSetting {
  name: string;
  value: string;
  holds: { exactly: string } | { atMost: number } | { atLeast: number } | 'anything';
}

export interface TopicDesign {
  name: TopicName;
  partitions: number;
  settings: readonly TopicSetting[];
}

export interface DesignOptions {
  /** Partitions of the log of actions. */
  partitions: number;
  replicationFactor: number;
  /** How long records stay that somebody may have to read again; -1 for ever. */
  retentionMs: number;
  /** Longest life of a session. A rebuild replays one of them, so the log keeps at least two. */
  sessionLifetimeMs: number;
}

const KIB = 1024;
const AUDIT_RETENTION_MS = 90 * 86_400_000;

/**
 * kafkajs unpacks a batch at once, without a bound, and dies of one with more than some 125,000 records. What the
 * broker stores uncompressed in at most 512 KiB cannot hold so many (a record takes 7 bytes), whoever wrote it.
 */
const BATCH_BYTES_MAX = 512 * KIB;

/** The original bytes (1 MiB) and the headers that say what was wrong with them. */
const QUARANTINE_BYTES = 1088 * KIB;

export function topicDesigns(options: DesignOptions): TopicDesign[] {
  const { partitions, replicationFactor, retentionMs, sessionLifetimeMs } = options;
  const insync = replicationFactor >= 3 ? 2 : 1;
  const log = (keepMs: number, needsMs: number | undefined, ...others: TopicSetting[]): TopicSetting[] => [
    ...common(insync),
    ...others,
    exactly('cleanup.policy', 'delete'),
    { name: 'retention.ms', value: String(keepMs), holds: needsMs === undefined ? 'anything' : { atLeast: needsMs } },
  ];
  const latest = (segmentBytes: number): TopicSetting[] => [
    ...common(insync),
    bounded,
    exactly('cleanup.policy', 'compact'),
    // Only closed segments are compacted: small ones, or a newcomer reads a week of what is long superseded.
    { name: 'segment.bytes', value: String(segmentBytes), holds: 'anything' },
  ];
  const needsMs = 2 * sessionLifetimeMs;
  const logMs = retentionMs === -1 ? -1 : Math.max(retentionMs, needsMs); // -1 is without end, as in Kafka
  const designs: Record<TopicName, Omit<TopicDesign, 'name'>> = {
    actions: { partitions, settings: log(logMs, needsMs, bounded) },
    commands: { partitions, settings: log(retentionMs, undefined, bounded) },
    findings: { partitions, settings: log(retentionMs, undefined, bounded) },
    verdicts: { partitions, settings: latest(64 * KIB * KIB) },
    leases: { partitions, settings: latest(16 * KIB * KIB) },
    audit: { partitions, settings: log(AUDIT_RETENTION_MS, undefined, bounded) },
    quarantine: { partitions, settings: log(retentionMs, undefined, roomy) },
    policies: { partitions: 1, settings: latest(64 * KIB * KIB) },
    acks: { partitions, settings: log(retentionMs, undefined, bounded) },
    decisions: { partitions, settings: log(retentionMs, undefined, bounded) },
  };
  return Object.entries(designs).map(([name, design]) => ({ name: name as TopicName, ...design }));
}

/** Whether an existing topic with that value will do. */
export function settingHolds({ holds }: TopicSetting, found: string): boolean {
  if (holds === 'anything') return true;
  if ('exactly' in holds) return found === holds.exactly;
  if ('atMost' in holds) return Number(found) <= holds.atMost;
  return found === '-1' || Number(found) >= holds.atLeast; // -1 is without end
}

const bounded: TopicSetting = {
  name: 'max.message.bytes',
  value: String(BATCH_BYTES_MAX),
  holds: { atMost: BATCH_BYTES_MAX },
};
const roomy: TopicSetting = {
  name: 'max.message.bytes',
  value: String(QUARANTINE_BYTES),
  holds: { atLeast: QUARANTINE_BYTES },
};

/** LogAppendTime: only the broker may say when a record came and how old it is. Unclean elections take records back. */
function common(insync: number): TopicSetting[] {
  return [
    exactly('message.timestamp.type', 'LogAppendTime'),
    exactly('compression.type', 'uncompressed'),
    exactly('unclean.leader.election.enable', 'false'),
    { name: 'min.insync.replicas', value: String(insync), holds: { atLeast: insync } },
  ];
}

function exactly(name: string, value: string): TopicSetting {
  return { name, value, holds: { exactly: value } };
}
