import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureInstalled, say } from './installed.ts';

/** Seen from the root of the repository, where every command runs: this file also runs from where it was built to. */
const CACHE = resolve('.cache');
const POM = resolve('test/services/kafka-pom.xml');

/** Class path of that Kafka version, downloaded once. Complete or absent, also when several processes ask at once. */
export async function kafkaJars(version: string): Promise<string> {
  await ensureInstalled('java', ['default-jdk-headless']);
  const folder = join(CACHE, `kafka-${version}`);
  if (existsSync(join(folder, 'complete'))) return `${folder}/*`;
  await ensureInstalled('mvn', ['maven']);
  mkdirSync(CACHE, { recursive: true });
  const release = await lock(`${folder}.lock`);
  try {
    if (!existsSync(join(folder, 'complete'))) await download(version, folder);
  } finally {
    release();
  }
  return `${folder}/*`;
}

async function download(version: string, folder: string): Promise<void> {
  const partial = `${folder}.partial`;
  for (const old of [partial, folder]) rmSync(old, { recursive: true, force: true });
  say(`Kafka ${version}: downloading its jars with Maven, once`);
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partial}`];
  const maven = spawn('mvn', ['-B', '-f', POM, `-Dkafka.version=${version}`, ...goal], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let files = 0;
  let log = '';
  for (const stream of [maven.stdout, maven.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      files += text.split('Downloaded from').length - 1;
      log = (log + text).slice(-20_000);
    });
  }
  const progress = setInterval(() => say(`Kafka ${version}: ${files} files so far`), 5000);
  const [code] = await once(maven, 'close').finally(() => clearInterval(progress));
  if (code !== 0) {
    const errors = log.split('\n').filter((line) => line.includes('ERROR'));
    throw new Error(`Maven cannot get Kafka ${version}:\n${errors.slice(0, 5).join('\n') || log.slice(-2000)}`);
  }
  writeFileSync(join(partial, 'complete'), '');
  renameSync(partial, folder);
}

/** A lock file with the holder's process id, so that one left by a crash is seen and taken over. */
async function lock(path: string): Promise<() => void> {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (!holderLives(path)) rmSync(path, { force: true });
    await sleep(200);
  }
}

function holderLives(path: string): boolean {
  try {
    const holder = Number(readFileSync(path, 'utf8'));
    // Empty: made a moment ago, its number not yet written.
    if (holder > 0) process.kill(holder, 0);
    return true;
  } catch {
    return false; // no such process, or the lock is gone: either way nobody is waited for
  }
}
