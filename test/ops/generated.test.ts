import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedFiles } from '../../ops/generated.ts';

const files = generatedFiles();

describe('deploy/', () => {
  it.each([...files])('%s is what the code makes (npm run ops writes it)', (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('holds no dashboard that the code does not make', () => {
    const committed = readdirSync('deploy/grafana').filter((file) => file.endsWith('.json'));
    expect(committed.map((file) => `deploy/grafana/${file}`).filter((path) => !files.has(path))).toEqual([]);
  });
});

describe('npm run ops -- --runbooks URL --rules FILE', () => {
  const write = (...args: string[]) => spawnSync(process.execPath, ['ops/write.mjs', ...args], { encoding: 'utf8' });

  it('writes the alert rules alone, whose runbooks people can follow', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'firebreak-ops-'));
    const file = join(folder, 'firebreak.rules.yml');
    const url = 'https://git.example/firebreak/deploy/runbooks/';
    expect(write('--runbooks', url, '--rules', file)).toMatchObject({ status: 0, stdout: `${file}\n` });
    const shipped = readFileSync('deploy/prometheus/firebreak.rules.yml', 'utf8');
    expect(readFileSync(file, 'utf8')).toBe(shipped.replaceAll('deploy/runbooks/', url));
    expect(write('--runbooks', url, '--rules', file, '--job', 'firebreak-crowds').status).toBe(0);
    const ofJob = shipped.replaceAll('deploy/runbooks/', url).replaceAll('job="firebreak"', 'job="firebreak-crowds"');
    expect(readFileSync(file, 'utf8')).toBe(ofJob);
    await rm(folder, { recursive: true });
  });

  it.each([
    [['--runbooks', 'https://git.example/'], '--runbooks and --rules belong together'],
    [['--job', 'firebreak-crowds'], '--job goes with --runbooks and --rules'],
    [['--runbooks', 'https://git.example', '--rules', 'x.yml'], 'found "https://git.example"; allowed: '],
  ])('refuses %j', (args, told) => {
    expect(write(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining(told) });
  });
});
