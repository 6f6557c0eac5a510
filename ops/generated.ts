import { stringify } from 'yaml';
import { metricReference } from '../src/adapters/telemetry/metric-reference.ts';
import { JOB } from './alerts/alert.ts';
import { ruleFile } from './alerts.ts';
import { chartTopics, chartUsers } from './chart-files.ts';
import { DASHBOARDS } from './dashboards.ts';
import { grafanaJson } from './panel.ts';

const CHART = 'deploy/helm/firebreak/files';
const WRITTEN = '# Written by `npm run ops`; do not edit.\n';

/** In the repository, and what the chart replaces by its value: only an operator knows where people can read them. */
const RUNBOOKS = 'deploy/runbooks/';

/** The rules of Prometheus as a file. */
export function alertRules(runbooks: string, job = JOB): string {
  return `${WRITTEN}${stringify(ruleFile(runbooks, job), { lineWidth: 0 })}`;
}

/** Everything below deploy/ that is made from code, by path. `npm run ops` writes it, a test holds that it is current. */
export function generatedFiles(): Map<string, string> {
  const rules = alertRules(RUNBOOKS);
  const dashboards = DASHBOARDS.map(
    (one) => [`${one.uid}.json`, `${JSON.stringify(grafanaJson(one, DASHBOARDS), null, 2)}\n`] as const,
  );
  return new Map([
    ['deploy/metrics.md', metricReference()],
    ['deploy/prometheus/firebreak.rules.yml', rules],
    ...dashboards.map(([name, text]) => [`deploy/grafana/${name}`, text] as const),
    // A chart holds all that it installs.
    [`${CHART}/firebreak.rules.yml`, rules],
    ...dashboards.map(([name, text]) => [`${CHART}/${name}`, text] as const),
    [`${CHART}/topics.yaml`, `${WRITTEN}${chartTopics()}`],
    [`${CHART}/users.yaml`, `${WRITTEN}${chartUsers()}`],
  ]);
}
