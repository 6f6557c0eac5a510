import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { topicDesigns } from '../src/adapters/kafka/topic-design.ts';

const DAY_MS = 86_400_000;
/** What `init` takes when nobody says otherwise; partitions and replicas are values of the chart. */
const DESIGN = { partitions: 64, replicationFactor: 3, retentionMs: 7 * DAY_MS, sessionLifetimeMs: DAY_MS };

/** The topics as `firebreak init` makes them. `byPartition`: it has as many partitions as the log. */
export function chartTopics(): string {
  const topics = topicDesigns(DESIGN).map(({ name, partitions, settings }) => ({
    name,
    byPartition: partitions === DESIGN.partitions,
    config: Object.fromEntries(settings.map((setting) => [setting.name, setting.value])),
  }));
  return stringify({ topics });
}

interface Acl {
  type: 'topic' | 'group';
  name: string;
  pattern: 'literal' | 'prefix';
  operations: string[];
}

/** The users of deploy/SECURITY.md with the rights that stand there: its \`kafka-acls.sh\` lines, in the words of Strimzi. */
export function chartUsers(): string {
  const users = new Map<string, Acl[]>();
  for (const line of readFileSync('deploy/SECURITY.md', 'utf8').split('\n')) {
    if (!line.startsWith('kafka-acls.sh ')) continue;
    const values = (option: string) =>
      [...line.matchAll(new RegExp(`--${option} (\\S+)`, 'g'))].map(([, value]) => value!);
    const [user] = values('allow-principal').map((principal) => principal.replace('User:', ''));
    const pattern = line.includes('--resource-pattern-type prefixed') ? 'prefix' : 'literal';
    const acls = (['topic', 'group'] as const).flatMap((type) =>
      values(type).map((name): Acl => ({ type, name, pattern, operations: values('operation') })),
    );
    users.set(user!, [...(users.get(user!) ?? []), ...acls]);
  }
  return stringify({ users: [...users].map(([name, acls]) => ({ name, acls })) }, { aliasDuplicateObjects: false });
}
