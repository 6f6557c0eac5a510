// `node ops/picture.mjs PROMETHEUS OUT [MINUTES]`: each dashboard as a PNG, drawn by Chromium from what a Prometheus holds.
// Not Grafana itself: the same panels, queries and places, drawn here, so that a change can be looked at without one.
import { join } from 'node:path';
import { build } from '../test/simulation/build.mjs';

const [prometheus = 'http://127.0.0.1:9090', out = 'deploy/grafana/pictures', minutes = '15'] = process.argv.slice(2);
const { DASHBOARDS } = await import(build('ops/dashboards.ts', 'picture'));
const { draw } = await import(build('ops/picture.ts', 'picture'));

const endS = Math.floor(Date.now() / 1000);
const startS = endS - Number(minutes) * 60;
for (const dashboard of DASHBOARDS) {
  const file = join(out, `${dashboard.uid}.png`);
  await draw(dashboard, { prometheus, startS, endS }, file);
  console.log(file);
}
