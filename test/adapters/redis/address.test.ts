import { describe, expect, it } from 'vitest';
import { parseRedisAddress } from '../../../src/adapters/redis/address.ts';

const PLAIN = { kind: 'single', tls: false, username: undefined, password: undefined, primary: undefined, database: 0 };

describe('parseRedisAddress', () => {
  it.each([
    ['redis://cache', { ...PLAIN, hosts: [{ host: 'cache', port: 6379 }] }],
    ['redis://[::1]:7000/3', { ...PLAIN, hosts: [{ host: '::1', port: 7000 }], database: 3 }],
    [
      'rediss://ann:p%40ss@h:1',
      { ...PLAIN, tls: true, username: 'ann', password: 'p@ss', hosts: [{ host: 'h', port: 1 }] },
    ],
    ['redis://:secret@h', { ...PLAIN, password: 'secret', hosts: [{ host: 'h', port: 6379 }] }],
    [
      'redis+sentinel://a,b:7/main/2',
      {
        ...PLAIN,
        kind: 'sentinel',
        hosts: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 7 },
        ],
        primary: 'main',
        database: 2,
      },
    ],
    [
      'rediss+cluster://a:1,b:2',
      {
        ...PLAIN,
        kind: 'cluster',
        tls: true,
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
    ],
  ])('reads %s', (url, address) => {
    expect(parseRedisAddress(url)).toEqual(address);
  });

  it.each([
    ['http://h', 'is not one of redis://'],
    ['redis://', 'is not one of redis://'],
    ['redis://u:hunter2@h:0', '"h:0" is not HOST:PORT'],
    ['redis://u:hunter2@h:99999', '"h:99999" is not HOST:PORT'],
    ['redis://u:hunter2@a,b', 'redis+sentinel:// or redis+cluster://'],
    ['redis+sentinel://u:hunter2@a', 'ends with /NAME'],
    ['redis://u:hunter2@h/x', 'path of the Redis address'],
    ['redis://u:hunter2@h/1/2', 'path of the Redis address'],
    ['redis+cluster://u:hunter2@h/1', 'database 0 only'],
  ])('refuses %s without telling the password', (url, message) => {
    expect(() => parseRedisAddress(url)).toThrow(message);
    expect(() => parseRedisAddress(url)).not.toThrow('hunter2');
  });
});
