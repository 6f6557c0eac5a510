import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { describeConfig } from '../../src/app/config-settings.ts';

/** The table of deploy/README.md. Mend it with what this test prints. */
it('deploy/README.md lists every setting as it is', async () => {
  const shown = (value: unknown) => (value === undefined ? '' : `\`${String(value)}\``);
  const rows = describeConfig().map(({ path, env, flag, default: preset, description, secret }) => {
    const variable = `\`${env}\`${secret ? ' (`_FILE`)' : ''}`;
    return `| \`${path}\` | ${variable} | ${shown(flag)} | ${shown(preset)} | ${description} |`;
  });
  const table = ['| setting | variable | flag | default | |', '|---|---|---|---|---|', ...rows].join('\n');
  expect(await readFile('deploy/README.md', 'utf8')).toContain(table);
});
