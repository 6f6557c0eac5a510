// `node ops/picture.mjs PROMETHEUS OUT [MINUTES]`: each dashboard as a PNG, drawn by Chromium from what a Prometheus holds.
// Not Grafana itself: the same panels, queries and places, drawn here, so that a change can be looked at without one.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../test/simulation/build.mjs';

const [prometheus = 'http://127.0.0.1:9090', out = 'deploy/grafana', minutes = '15'] = process.argv.slice(2);
const { DASHBOARDS } = await import(build('ops/dashboards.ts', 'picture'));
const { page } = await import(build('ops/picture.ts', 'picture'));

const endS = Math.floor(Date.now() / 1000);
const startS = endS - Number(minutes) * 60;
const folder = mkdtempSync(join(tmpdir(), 'firebreak-picture-'));
for (const dashboard of DASHBOARDS) {
  const { html, height } = await page(dashboard, { prometheus, startS, endS });
  const file = join(folder, `${dashboard.uid}.html`);
  writeFileSync(file, html);
  const png = join(out, `${dashboard.uid}.png`);
  const options = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', `--window-size=1400,${height}`];
  execFileSync('chromium', [...options, `--screenshot=${png}`, `file://${file}`], { stdio: 'ignore' });
  console.log(png);
}
rmSync(folder, { recursive: true });
