import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { documentedRedisUser } from '../../services/documented-rights.ts';

/** What the adapter asks for outside of its scripts: scripts by name, their text after NOSCRIPT, signs of life. */
const ASKED_DIRECTLY = ['evalsha', 'eval', 'ping', 'info'];

it('deploy/SECURITY.md allows the Redis user exactly what the scripts and their callers ask for', async () => {
  const folder = 'src/adapters/redis/scripts';
  const asked = readdirSync(folder).flatMap((file) =>
    [...readFileSync(`${folder}/${file}`, 'utf8').matchAll(/redis\.call\('([A-Z]+)'/g)].map(([, name]) =>
      name!.toLowerCase(),
    ),
  );
  const rights = (await documentedRedisUser('secret', 'fb')).filter((word) => word.startsWith('+'));
  const allowed = rights.map((word) => word.slice(1));
  expect(allowed.sort()).toEqual([...new Set([...asked, ...ASKED_DIRECTLY])].sort());
});
