import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../src/app/config.ts';
import { describeConfig, FLAGS } from '../../src/app/config-settings.ts';
import { type ConfigSources, loadConfig } from '../../src/app/config-sources.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'firebreak-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
function file(text: string): string {
  const path = join(folder, `${++count}.yaml`);
  writeFileSync(path, text);
  return path;
}

interface Given {
  yaml?: string;
  env?: ConfigSources['env'];
  flags?: ConfigSources['flags'];
}

function load({ yaml, env = {}, flags = {} }: Given) {
  return loadConfig({ file: yaml === undefined ? undefined : file(yaml), env, flags });
}

function config(given: Given): Config {
  const loaded = load(given);
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

function problems(given: Given): string[] {
  const loaded = load(given);
  if (loaded.ok) throw new Error('loaded');
  return loaded.problems.map((problem) => problem.replaceAll(folder, '.').replace(/\.\/\d+\.yaml/, 'FILE'));
}

describe('loadConfig', () => {
  it('needs nothing', () => {
    expect(config({})).toMatchObject({
      kafka: {
        brokers: ['127.0.0.1:9092'],
        topicPrefix: 'firebreak.',
        tls: { enabled: false },
        allowUnsafeTopic: false,
      },
      redis: { url: 'redis://127.0.0.1:6379', keyPrefix: 'fb' },
      policy: { source: 'log' },
      checkpoint: { intervalMs: 1000 },
      http: { port: 9464 },
    });
    for (const yaml of ['', '# nothing\n', 'kafka: {}\n', '---\n...\n']) expect(config({ yaml })).toEqual(config({}));
  });

  it('takes a flag before the environment before the file before the default', () => {
    const yaml = 'http: { port: 1 }\nlog: { level: warn }\nkafka:\n  groupId: of-file\n  brokers: [a:1, b:2]\n';
    const env = { FIREBREAK_HTTP__PORT: '2', FIREBREAK_LOG__LEVEL: 'debug' };
    const flags = { 'http.port': 3, 'log.level': undefined };
    expect(config({ yaml, env, flags })).toMatchObject({
      http: { port: 3, host: '0.0.0.0' },
      log: { level: 'debug' },
      kafka: { groupId: 'of-file', brokers: ['a:1', 'b:2'], clientId: 'firebreak' },
    });
  });

  it('reads lists, numbers and truth values from variables, and secrets from files', () => {
    const secret = file('s3cret \n');
    const env = {
      FIREBREAK_KAFKA__BROKERS: 'a:1, b:2',
      FIREBREAK_KAFKA__TLS__ENABLED: 'true',
      FIREBREAK_KAFKA__SASL__MECHANISM: 'scram-sha-256',
      FIREBREAK_KAFKA__SASL__USERNAME: '123',
      FIREBREAK_KAFKA__SASL__PASSWORD_FILE: secret,
      FIREBREAK_CHECKPOINT__INTERVAL_MS: '0',
      FIREBREAK_CONFIG: 'read by the CLI',
      FIREBREAK_SERVICE_HOST: '10.0.0.1',
      FIREBREAK_PORT_9464_TCP: 'tcp://10.0.0.1:9464',
    };
    expect(config({ env })).toMatchObject({
      kafka: {
        brokers: ['a:1', 'b:2'],
        tls: { enabled: true },
        sasl: { mechanism: 'scram-sha-256', username: '123', password: 's3cret ' },
      },
      checkpoint: { intervalMs: 0 },
    });
  });

  it('takes a rules folder as the source of the policy', () => {
    expect(config({ flags: { 'policy.rules': 'rules' } }).policy).toMatchObject({ source: 'folder', rules: 'rules' });
    expect(config({ env: { FIREBREAK_POLICY__RULES: 'rules' } }).policy.source).toBe('folder');
  });

  it.each<[string, Given, string[]]>([
    [
      'a variable with a wrong value',
      { env: { FIREBREAK_HTTP__PORT: '70000', FIREBREAK_KAFKA__TLS__ENABLED: 'yes', FIREBREAK_LOG__LEVEL: 'loud' } },
      [
        'FIREBREAK_KAFKA__TLS__ENABLED: kafka.tls.enabled: found "yes", allowed: true or false',
        'FIREBREAK_HTTP__PORT: http.port: found 70000, allowed: at most 65535',
        'FIREBREAK_LOG__LEVEL: log.level: found "loud", allowed: fatal, error, warn, info, debug, trace, silent',
      ],
    ],
    [
      'one item of a list',
      { env: { FIREBREAK_KAFKA__BROKERS: 'a:1,b' } },
      ['FIREBREAK_KAFKA__BROKERS: kafka.brokers.1: found "b", allowed: HOST:PORT'],
    ],
    [
      'a misspelt variable, and one with a _ too few',
      { env: { FIREBREAK_KAFKA__BROKER: 'a:1', FIREBREAK_KAFKA_BROKERS: 'a:1', FIREBREAK_FROG__LEGS: '4' } },
      [
        'FIREBREAK_KAFKA__BROKER: no such setting; did you mean FIREBREAK_KAFKA__BROKERS?',
        'FIREBREAK_KAFKA_BROKERS: no such setting; did you mean FIREBREAK_KAFKA__BROKERS?',
        'FIREBREAK_FROG__LEGS: no such setting',
      ],
    ],
    [
      'lines of the file',
      { yaml: 'kafka:\n  groupID: x\n  clientId: 5\n\ncheckpoint:\n  intervalMs: -1\nfrogs: 3\n' },
      [
        'FILE:3: kafka.clientId: found 5, allowed: a string',
        'FILE:2: no such setting: kafka.groupID; did you mean kafka.groupId?',
        'FILE:6: checkpoint.intervalMs: found -1, allowed: at least 0',
        'FILE:7: no such setting: frogs',
      ],
    ],
    ['a section that is none', { yaml: 'kafka: 5\n' }, ['FILE:1: kafka: found 5, allowed: an object']],
    [
      'a section that is none and a variable within',
      { yaml: 'kafka: 5\n', env: { FIREBREAK_KAFKA__TLS__ENABLED: 'true' } },
      ['FILE:1: kafka: found 5, allowed: an object'],
    ],
    ['a list as file', { yaml: '- kafka\n' }, ['FILE:1: found a list, allowed: a map of settings']],
    [
      'a key twice and the other mistakes too',
      { yaml: 'http:\n  port: 1\n  port: 2\n', env: { FIREBREAK_LOG__LEVEL: 'x' } },
      [
        'FILE:3: Map keys must be unique',
        'FIREBREAK_LOG__LEVEL: log.level: found "x", allowed: fatal, error, warn, info, debug, trace, silent',
      ],
    ],
    ['a flag', { flags: { 'http.port': 'x' } }, ['--http-port: http.port: found "x", allowed: a number']],
    [
      'half a login, and how to set the rest',
      { env: { FIREBREAK_KAFKA__SASL__USERNAME: 'u', FIREBREAK_KAFKA__SASL__MECHANISM: 'scram-sha-512' } },
      ['kafka.sasl.password: found nothing, allowed: a string; set FIREBREAK_KAFKA__SASL__PASSWORD_FILE'],
    ],
    [
      'a secret without repeating it',
      { env: { FIREBREAK_REDIS__URL: 'http://user:hunter2@redis' } },
      [expect.stringMatching(/^FIREBREAK_REDIS__URL: redis\.url: found a secret that does not fit, allowed: .*redis:/)],
    ],
    [
      'a secret in two places, and a file that is not there',
      { env: { FIREBREAK_REDIS__PASSWORD: 'x', FIREBREAK_REDIS__PASSWORD_FILE: '/nowhere' } },
      [
        'FIREBREAK_REDIS__PASSWORD_FILE: FIREBREAK_REDIS__PASSWORD is set too; allowed: one of them',
        'FIREBREAK_REDIS__PASSWORD_FILE: /nowhere cannot be read (ENOENT)',
      ],
    ],
    [
      '_FILE for what is no secret',
      { env: { FIREBREAK_LOG__LEVEL_FILE: '/x' } },
      [expect.stringMatching(/^FIREBREAK_LOG__LEVEL_FILE: no such setting/)],
    ],
    [
      'its own log to copy from',
      { yaml: 'regroup: { from: firebreak. }\n' },
      [
        expect.stringMatching(
          /^FILE:1: regroup.from: .*another prefix than kafka.topicPrefix, which is firebreak. too/,
        ),
      ],
    ],
    [
      'a folder as source without folder',
      { yaml: 'policy: { source: folder }\n' },
      [
        'FILE:1: policy.rules: found nothing, allowed: a folder, because policy.source is folder; set FIREBREAK_POLICY__RULES',
      ],
    ],
    [
      'a folder that nobody reads',
      { yaml: 'policy:\n  source: log\n  rules: x\n' },
      ['FILE:2: policy.source: found "log", allowed: folder, because policy.rules is set'],
    ],
  ])('names %s', (_, given, expected) => {
    const found = problems(given);
    expect(found).toHaveLength(expected.length);
    for (const [at, problem] of expected.entries()) expect(found[at]).toEqual(problem);
    expect(found.join()).not.toContain('hunter2');
  });

  it('names a file that is not there', () => {
    expect(loadConfig({ file: '/nowhere.yaml', env: {}, flags: {} })).toEqual({
      ok: false,
      problems: ['/nowhere.yaml: cannot be read (ENOENT)'],
    });
  });

  it('is not blown up by aliases', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((name, at) => `${name}: &${name} [${`*${'abcdefg'[at]},`.repeat(9)}]`),
    ];
    expect(problems({ yaml: bomb.join('\n') }).join()).toMatch(/alias/i);
  });
});

describe('describeConfig', () => {
  const settings = describeConfig();

  it('describes every setting', () => {
    expect(settings.length).toBeGreaterThan(25);
    expect(settings.filter(({ description }) => description === '').map(({ path }) => path)).toEqual([]);
    expect(new Set(settings.map(({ env }) => env)).size).toBe(settings.length);
    expect(settings.find(({ path }) => path === 'kafka.topicPrefix')).toEqual({
      path: 'kafka.topicPrefix',
      env: 'FIREBREAK_KAFKA__TOPIC_PREFIX',
      flag: '--topic-prefix',
      secret: false,
      reading: 'text',
      default: 'firebreak.',
      description: 'Put before actions, commands, findings and the other topics.',
    });
  });

  it('knows each flag, and keeps each password secret', () => {
    const paths = settings.map(({ path }) => path);
    for (const path of Object.keys(FLAGS)) expect(paths).toContain(path);
    for (const { path, secret } of settings) if (/password/i.test(path)) expect(secret).toBe(true);
  });

  it.each(describeConfig())('$path is read from $env', ({ path, env, reading, secret, ...rest }) => {
    const odd = reading === 'number' ? '-7' : reading === 'boolean' ? 'maybe' : reading === 'list' ? 'x' : '';
    const loaded = load({ env: { [env]: odd } });
    // Either it is refused under its own name, or it is a text (or a list of texts) that may be so and arrives.
    if (loaded.ok) {
      const found = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], loaded.config);
      expect(found).toEqual(reading === 'list' ? ['x'] : '');
    } else expect(loaded.problems.join('\n')).toContain(`${env}: ${path}`);
    expect(
      secret ||
        rest.default !== undefined ||
        path.startsWith('kafka.sasl') ||
        path.startsWith('kafka.tls') ||
        path.startsWith('redis.') ||
        path === 'policy.rules' ||
        path === 'regroup.from' ||
        path === 'api.jwksUrl' ||
        path === 'api.issuer' ||
        path === 'tracing.endpoint' ||
        path === 'kafka.groupId',
    ).toBe(true);
  });
});
