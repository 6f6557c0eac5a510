import { z } from 'zod';
import { Config } from './config.ts';

/** Settings that a command line sets often enough to have a flag. */
export const FLAGS: Readonly<Record<string, string>> = {
  'kafka.brokers': '--brokers',
  'kafka.groupId': '--group',
  'kafka.topicPrefix': '--topic-prefix',
  'kafka.allowUnsafeTopic': '--allow-unsafe-topic',
  'redis.url': '--redis',
  'policy.rules': '--rules',
  'regroup.from': '--regroup-from',
  'http.port': '--http-port',
  'api.port': '--port',
  'log.level': '--log-level',
  'keys.file': '--keys',
};

/** Settings whose values are never shown, and whose variables also exist as `…_FILE`. */
const SECRETS: ReadonlySet<string> = new Set([
  'kafka.sasl.password',
  'kafka.tls.keyPassphrase',
  'redis.url',
  'redis.password',
  'redis.sentinelPassword',
  'redis.tls.keyPassphrase',
  'api.webhookSecret',
  'api.webhookUrls',
]);

/** How the text of a variable is read. */
export type Reading = 'text' | 'number' | 'boolean' | 'list';

/** One setting: a line of the table in the documentation. */
export interface Setting {
  path: string;
  env: string;
  flag: string | undefined;
  secret: boolean;
  reading: Reading;
  default: unknown;
  description: string;
}

/** Every setting, in the order of the schema. */
export function describeConfig(): Setting[] {
  return settingsOf(Config, [], undefined);
}

function settingsOf(schema: z.ZodType, path: readonly string[], preset: unknown): Setting[] {
  if (schema instanceof z.ZodDefault) return settingsOf(schema.unwrap() as z.ZodType, path, schema.def.defaultValue);
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return settingsOf(schema.unwrap() as z.ZodType, path, preset);
  }
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([key, field]) => {
      const found = settingsOf(field as z.ZodType, [...path, key], undefined);
      const { description } = field as z.ZodType;
      return found.map((setting) =>
        setting.description === '' ? { ...setting, description: description ?? '' } : setting,
      );
    });
  }
  const name = path.join('.');
  return [
    {
      path: name,
      env: `FIREBREAK_${path.map((part) => part.replace(/[A-Z]/g, '_$&').toUpperCase()).join('__')}`,
      flag: FLAGS[name],
      secret: SECRETS.has(name),
      reading: readingOf(schema),
      default: preset,
      description: schema.description ?? '',
    },
  ];
}

function readingOf(schema: z.ZodType): Reading {
  if (schema instanceof z.ZodArray) return 'list';
  if (schema instanceof z.ZodBoolean) return 'boolean';
  return schema instanceof z.ZodNumber ? 'number' : 'text';
}
