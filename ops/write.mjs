// `npm run ops`: writes what deploy/ holds that is made from code.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { build } from '../test/simulation/build.mjs';

const { generatedFiles } = await import(build('ops/generated.ts', 'ops'));
for (const [path, text] of generatedFiles()) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(path);
}
