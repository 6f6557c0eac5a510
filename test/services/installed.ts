import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);

export function say(line: string): void {
  process.stderr.write(`services: ${line}\n`);
}

/** Makes sure that `command` exists: installs the Debian packages where that is possible, else fails naming them. */
export async function ensureInstalled(command: string, packages: string[]): Promise<void> {
  if (isInstalled(command)) return;
  const install = `apt-get install -y ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    throw new Error(`${command} is missing and no Docker engine runs. Run: sudo ${install} (or start Docker)`);
  }
  say(`${command} is missing, running ${install}`);
  // RUNLEVEL=1: the package must not start a server of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (...args: string[]) => run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], { env });
  const packagesNow = () => apt('install', '-y', '--no-install-recommends', ...packages);
  await packagesNow().catch(async () => {
    await apt('update');
    await packagesNow();
  });
  if (!isInstalled(command)) throw new Error(`${install} succeeded, but there is still no ${command}`);
}

function isInstalled(command: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'command -v "$1"', 'sh', command]).status === 0;
}

export async function dockerRuns(): Promise<boolean> {
  return run('docker', ['info'], { timeout: 5000 }).then(
    () => true,
    () => false, // not installed, not running, not allowed: then it is not the way
  );
}

/** Ports that are free now. Another process may take one before it is used: start again with others then. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const { port } = server.address() as { port: number };
      await new Promise((resolve) => server.close(resolve));
      return port;
    }),
  );
}
