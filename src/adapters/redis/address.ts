/** Where Redis is. Several hosts only for Sentinel and Cluster. */
export interface RedisAddress {
  kind: 'single' | 'sentinel' | 'cluster';
  tls: boolean;
  username: string | undefined;
  password: string | undefined;
  hosts: { host: string; port: number }[];
  /** Name of the primary in Sentinel. */
  primary: string | undefined;
  database: number;
}

const FORMS =
  'redis://HOST:PORT/DB, redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB or redis+cluster://HOST:PORT,HOST:PORT, ' +
  'with rediss for TLS and USER:PASSWORD@ before the hosts';

const SHAPE = /^redis(s?)(\+sentinel|\+cluster)?:\/\/(?:([^:@/]*):([^@/]*)@)?([^@/?#]+)(?:\/([^?#]*))?$/;
const HOST = /^(\[[0-9a-f:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/i;

/** An error names the part that is wrong and never the text, which may hold a password. */
export function parseRedisAddress(url: string): RedisAddress {
  const shape = SHAPE.exec(url);
  if (!shape) throw new Error(`the Redis address is not one of ${FORMS}`);
  const [, s, mode, username, password, hostList, path = ''] = shape;
  const kind = mode === '+sentinel' ? 'sentinel' : mode === '+cluster' ? 'cluster' : 'single';
  const hosts = hostList!.split(',').map((text) => parseHost(text, kind === 'sentinel' ? 26_379 : 6379));
  if (kind === 'single' && hosts.length > 1)
    throw new Error('a Redis address with several hosts is redis+sentinel:// or redis+cluster://');

  const segments = path.split('/').filter((segment) => segment !== '');
  const primary = kind === 'sentinel' ? segments.shift() : undefined;
  if (kind === 'sentinel' && primary === undefined)
    throw new Error('a redis+sentinel address ends with /NAME of the primary');
  const database = Number(segments.shift() ?? 0);
  if (!Number.isInteger(database) || database < 0 || segments.length > 0)
    throw new Error(`the path of the Redis address is not as in ${FORMS}`);
  if (kind === 'cluster' && database !== 0) throw new Error('a Redis cluster has database 0 only');

  return {
    kind,
    tls: s === 's',
    username: username ? decodeURIComponent(username) : undefined,
    password: password ? decodeURIComponent(password) : undefined,
    hosts,
    primary,
    database,
  };
}

function parseHost(text: string, defaultPort: number): { host: string; port: number } {
  const match = HOST.exec(text);
  const port = Number(match?.[2] ?? defaultPort);
  if (!match || port < 1 || port > 65_535) throw new Error(`Redis host ${JSON.stringify(text)} is not HOST:PORT`);
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port };
}
