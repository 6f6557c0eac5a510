import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { ofJob } from '../../ops/alerts/alert.ts';
import { ALERTS, runbookFile } from '../../ops/alerts.ts';
import { DASHBOARDS } from '../../ops/dashboards.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { metricsOf } from '../../src/adapters/telemetry/metrics.ts';
import { Stats } from '../../src/adapters/telemetry/stats.ts';
import { FINDING_CODES } from '../../src/domain/finding.ts';
import { ensureInstalled } from '../services/installed.ts';
import { ALERT_CASES } from './alert-cases.ts';

await ensureInstalled('promtool', ['prometheus']);

const RULES = resolve('deploy/prometheus/firebreak.rules.yml');
const TRIED = new Set(ALERT_CASES.map(({ alert }) => alert));
/** Fires whatever the series are. */
const WATCHDOG = 'FirebreakWatchdog';

function promtool(...args: string[]): string {
  try {
    return execFileSync('promtool', args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`);
  }
}

/** One test of promtool: how many of these alerts fire at that time. */
function ruleTest(alert: string, series: Record<string, string>, at: string, firing: number): unknown {
  return {
    interval: '30s',
    input_series: Object.entries(series).map(([name, values]) => ({ series: ofJob(name), values })),
    promql_expr_test: [
      {
        expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
        eval_time: at,
        exp_samples: firing === 0 ? [] : [{ labels: '{}', value: firing }],
      },
    ],
  };
}

/** Tests of one rule, as it ships, beside a file with that rule alone: promtool evaluates all that a file names. */
function testFile(folder: string, alert: string, tests: unknown[]): string {
  const shipped = parse(readFileSync(RULES, 'utf8')) as { groups: { name: string; rules: { alert: string }[] }[] };
  const groups = shipped.groups.flatMap(({ name, rules }) => {
    const own = rules.filter((rule) => rule.alert === alert);
    return own.length === 0 ? [] : [{ name, rules: own }];
  });
  const rules = join(folder, `${alert}.rules.yml`);
  writeFileSync(rules, stringify({ groups }));
  const file = join(folder, `${alert}.test.yml`);
  writeFileSync(file, stringify({ rule_files: [rules], evaluation_interval: '30s', tests }));
  return file;
}

describe('the alert rules', () => {
  it('look at one job alone: nothing that another Firebreak says fires them, or keeps them quiet', () => {
    const { groups } = parse(readFileSync(RULES, 'utf8')) as { groups: { rules: { expr: string }[] }[] };
    const selectors = groups.flatMap(({ rules }) =>
      rules.flatMap(({ expr }) => expr.match(/\b(?:firebreak|nodejs)_\w+(\{[^}]*\})?/g) ?? []),
    );
    expect(selectors.filter((one) => !one.includes('{job="firebreak"'))).toEqual([]);
    expect(selectors.length).toBeGreaterThan(ALERTS.length - 3);
    expect(ofJob('max(firebreak_a) / sum by (x) (rate(firebreak_b{c="d"}[5m])) or firebreak_e{job="f"}')).toBe(
      'max(firebreak_a{job="firebreak"}) / sum by (x) (rate(firebreak_b{job="firebreak",c="d"}[5m])) or firebreak_e{job="f"}',
    );
  });

  it('are rules that Prometheus takes', () => {
    expect(promtool('check', 'rules', RULES)).toContain(`SUCCESS: ${ALERTS.length} rules found`);
  });

  it('have a case each, or more', () => {
    const cases = [...TRIED, WATCHDOG];
    expect(cases.sort()).toEqual(ALERTS.map(({ name }) => name).sort());
  });

  it('fire when they must and stay quiet when they must, by promtool', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'firebreak-rules-'));
    const files = [...TRIED].map((alert) => {
      const cases = ALERT_CASES.filter((one) => one.alert === alert);
      const tests = cases.flatMap(({ fires, quiet, at, count = 1 }) => [
        ruleTest(alert, fires, at, count),
        ruleTest(alert, quiet, at, 0),
      ]);
      return testFile(folder, alert, tests);
    });
    const watchdog = testFile(folder, WATCHDOG, [ruleTest(WATCHDOG, {}, '1m', 1)]);
    expect(promtool('test', 'rules', watchdog, ...files)).toContain('SUCCESS');
    await rm(folder, { recursive: true });
  });

  it('would not pass with a case that is wrong', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'firebreak-rules-'));
    const [{ alert, quiet, at }] = ALERT_CASES as [(typeof ALERT_CASES)[number]];
    const file = testFile(folder, alert, [ruleTest(alert, quiet, at, 1)]);
    expect(() => promtool('test', 'rules', file)).toThrow(alert);
    await rm(folder, { recursive: true });
  });

  it('say what they are in sentences, and have a runbook with what to look at and what to do', () => {
    const runbooks = readdirSync('deploy/runbooks').filter((file) => file !== 'README.md');
    expect(runbooks.sort()).toEqual(ALERTS.map(runbookFile).sort());
    for (const alert of ALERTS) {
      expect(alert.summary, alert.name).toMatch(/^[A-Z][^{}]*\.$/);
      const text = readFileSync(`deploy/runbooks/${runbookFile(alert)}`, 'utf8');
      expect(text, alert.name).toMatch(new RegExp(`^# ${alert.name}\\n`));
      for (const part of ['## What it means', '## What to look at', '## What to do']) {
        expect(text, `${alert.name} ${part}`).toContain(part);
      }
    }
  });

  it('name their runbooks by a path in the repository, until an operator gives the address', () => {
    const { groups } = parse(readFileSync(RULES, 'utf8')) as {
      groups: { rules: { alert: string; annotations: { runbook_url: string } }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.filter(({ annotations }) => !existsSync(annotations.runbook_url))).toEqual([]);
    expect(rules.length).toBe(ALERTS.length);
  });

  it('have runbooks that name panels which are there', () => {
    const panels = DASHBOARDS.flatMap(({ rows }) => rows.flatMap((row) => row.panels.map(({ title }) => title)));
    const named = ALERTS.flatMap((alert) =>
      readFileSync(`deploy/runbooks/${runbookFile(alert)}`, 'utf8')
        .split('\n')
        .filter((line) => /\bpanel\b/i.test(line))
        .flatMap((line) => [...line.matchAll(/\*([A-Z][^*]*)\*/g)].map(([, title]) => title!)),
    );
    expect(named.filter((title) => !panels.includes(title))).toEqual([]);
    expect(named.length).toBeGreaterThan(5);
  });

  it('ask only for metrics and findings that exist', async () => {
    const exposed = new Set((await metricsOf(new Stats(), systemClock).getMetricsAsJSON()).map(({ name }) => name));
    const asked = ALERTS.flatMap(({ expr }) => [...expr.matchAll(/\b(?:firebreak|nodejs)_\w+/g)].map(([name]) => name));
    expect(asked.filter((name) => !exposed.has(name))).toEqual([]);
    const codes = ALERTS.flatMap(({ expr }) => [...expr.matchAll(/code="(\w+)"/g)].map(([, code]) => code));
    expect(codes.filter((code) => !FINDING_CODES.some((known) => known === code))).toEqual([]);
    expect(codes.length).toBeGreaterThan(5);
  });
});

describe('the metrics', () => {
  it('have names and texts as Prometheus wants them', async () => {
    const text = await metricsOf(new Stats(), systemClock).metrics();
    const own = text
      .split('\n')
      .filter((line) => /^(# (HELP|TYPE) )?firebreak_/.test(line))
      .join('\n');
    const lint = execFileSync('promtool', ['check', 'metrics'], { encoding: 'utf8', input: `${own}\n` });
    expect(lint).toBe('');
  });
});
