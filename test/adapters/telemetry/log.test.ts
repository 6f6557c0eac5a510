import { ReplyError } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { createLogger, kafkajsLogging } from '../../../src/adapters/telemetry/log.ts';

function capture(level: 'info' | 'debug' | 'trace' | 'silent' | 'fatal') {
  const lines: string[] = [];
  const logger = createLogger(level, { write: (line) => void lines.push(line) });
  return { logger, lines: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>), raw: lines };
}

describe('createLogger', () => {
  it('writes one JSON line with a level by name and a time for people', () => {
    const { logger, lines, raw } = capture('info');
    logger.warn({ partition: 3 }, 'partition lost');
    logger.debug('not this');
    expect(lines()).toEqual([
      { level: 'warn', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), partition: 3, msg: 'partition lost' },
    ]);
    expect(raw[0]).toMatch(/\}\n$/);
  });

  it('keeps what an event says inside its field', () => {
    const { logger, lines, raw } = capture('info');
    const tool = 'x\n{"level":"fatal","msg":"%s all is lost"}\u001b[2J';
    logger.info({ tool }, 'decision');
    expect(raw.join('').trimEnd().split('\n')).toHaveLength(1);
    expect(raw[0]).not.toContain('\u001b');
    expect(lines()).toMatchObject([{ tool, msg: 'decision' }]);
  });

  it('writes errors with their cause', () => {
    const { logger, lines } = capture('info');
    logger.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'batch failed');
    expect(lines()).toMatchObject([{ err: { message: expect.stringContaining('inner'), stack: expect.any(String) } }]);
  });

  it('leaves out what a client hangs on its errors: arguments of commands, which hold passwords and state', () => {
    const { logger, lines, raw } = capture('info');
    const refused = Object.assign(new ReplyError('WRONGPASS invalid password'), {
      command: { name: 'auth', args: ['analyzer', 'hunter2'] },
      code: 'WRONGPASS',
    });
    logger.warn({ err: refused }, 'Redis connection');
    logger.warn({ err: new Error('not saved', { cause: refused }) }, 'Redis connection');
    expect(lines()[0]).toMatchObject({ err: { type: 'ReplyError', code: 'WRONGPASS', command: 'auth' } });
    expect(raw.join('')).not.toContain('hunter2');
  });
});

describe('kafkajsLogging', () => {
  it.each([
    ['trace', logLevel.DEBUG],
    ['debug', logLevel.INFO],
    ['info', logLevel.WARN],
    ['fatal', logLevel.NOTHING],
    ['silent', logLevel.NOTHING],
  ] as const)('asks kafkajs for what %s writes', (level, expected) => {
    expect(kafkajsLogging(capture(level).logger).logLevel).toBe(expected);
  });

  it('carries what a real client says: nobody listens on its broker', async () => {
    const { logger, lines } = capture('info');
    const kafka = new Kafka({
      clientId: 'test',
      brokers: ['127.0.0.1:1'],
      retry: { retries: 0 },
      ...kafkajsLogging(logger),
    });
    await expect(kafka.admin().connect()).rejects.toThrow();
    expect(lines().length).toBeGreaterThan(0);
    for (const line of lines()) {
      expect(line).toMatchObject({ level: 'error', kafkajs: expect.any(String), msg: expect.any(String) });
      expect(line).not.toHaveProperty('timestamp');
    }
    expect(lines()).toContainEqual(expect.objectContaining({ broker: '127.0.0.1:1' }));
  });

  it.each<[string, string, string, string]>([
    ['Connection', 'Response GroupCoordinator(key: 10, version: 2)', 'The group coordinator is not available', 'debug'],
    ['Connection', 'Response GroupCoordinator(key: 10, version: 2)', 'Not authorized to access group', 'error'],
    ['Connection', 'Response OffsetFetch(key: 9, version: 4)', 'The group coordinator is not available', 'error'],
    ['Consumer', 'Crash: The group coordinator is not available', 'The group coordinator is not available', 'error'],
  ])('%s says "%s", %s: %s', (namespace, message, error, told) => {
    const { logger, lines } = capture('debug');
    const log = { message, error, timestamp: '', logger: 'kafkajs' };
    kafkajsLogging(logger).logCreator()({ namespace, level: logLevel.ERROR, label: 'ERROR', log });
    expect(lines()).toMatchObject([{ level: told, msg: message, error }]);
  });
});
