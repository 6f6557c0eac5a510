import { readFile } from 'node:fs/promises';
import {
  type AclEntry,
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  ResourcePatternTypes,
} from 'kafkajs';

const OPERATIONS: Record<string, AclOperationTypes> = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Create: AclOperationTypes.CREATE,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
};

/** The ACLs that deploy/SECURITY.md gives, for another topic prefix. An option that it does not know fails. */
export async function documentedAcls(topicPrefix: string): Promise<AclEntry[]> {
  const lines = (await documentation()).split('\n').filter((line) => line.startsWith('kafka-acls.sh '));
  return lines.flatMap((line) => aclsOf(line.replaceAll('firebreak.', topicPrefix)));
}

export async function grant(admin: Admin, acls: AclEntry[]): Promise<void> {
  await admin.createAcls({ acl: acls });
}

function aclsOf(line: string): AclEntry[] {
  const [, ...words] = line.split(' ');
  let principal = '';
  let pattern = ResourcePatternTypes.LITERAL;
  const operations: AclOperationTypes[] = [];
  const resources: { resourceType: AclResourceTypes; resourceName: string }[] = [];
  while (words.length > 0) {
    const option = words.shift()!;
    if (option === '--add') continue;
    const value = words.shift()!;
    if (option === '--allow-principal') principal = value;
    else if (option === '--operation' && value in OPERATIONS) operations.push(OPERATIONS[value]!);
    else if (option === '--topic') resources.push({ resourceType: AclResourceTypes.TOPIC, resourceName: value });
    else if (option === '--group') resources.push({ resourceType: AclResourceTypes.GROUP, resourceName: value });
    else if (option === '--resource-pattern-type' && value === 'prefixed') pattern = ResourcePatternTypes.PREFIXED;
    else if (option !== '--bootstrap-server') throw new Error(`not understood: ${option} ${value} in ${line}`);
  }
  return resources.flatMap((resource) =>
    operations.map((operation) => ({
      ...resource,
      principal,
      operation,
      host: '*',
      permissionType: AclPermissionTypes.ALLOW,
      resourcePatternType: pattern,
    })),
  );
}

/** The words behind `ACL` of the Redis user that deploy/SECURITY.md gives, for another password and key prefix. */
export async function documentedRedisUser(password: string, keyPrefix: string): Promise<string[]> {
  const line = (await documentation()).split('\n').find((one) => one.startsWith('ACL SETUSER '));
  return line!
    .split(' ')
    .slice(1)
    .map((word) => (word === '>PASSWORD' ? `>${password}` : word === '~fb:*' ? `~${keyPrefix}:*` : word));
}

function documentation(): Promise<string> {
  return readFile('deploy/SECURITY.md', 'utf8');
}
