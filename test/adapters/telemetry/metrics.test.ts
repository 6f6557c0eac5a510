import { register as globalRegistry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/adapters/memory/clock.ts';
import { metricsOf } from '../../../src/adapters/telemetry/metrics.ts';
import { OUTCOMES, Stats } from '../../../src/adapters/telemetry/stats.ts';
import type { Command } from '../../../src/domain/command.ts';
import { FINDING_CODES, type Finding } from '../../../src/domain/finding.ts';
import { REFUSALS } from '../../../src/domain/record.ts';

const OWNED = { ready: true, lag: 0, checkpointedMs: 0 };

function command(action: Command['action'], rule: string): Command {
  return { action, rule } as Command;
}

/** The lines of the exposition with this prefix, as name{labels} → value. */
function series(text: string, prefix: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith(prefix) && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('metricsOf', () => {
  it('shows every closed label from the start, at zero', async () => {
    const text = await metricsOf(new Stats(), new ManualClock()).metrics();
    expect(Object.keys(series(text, 'firebreak_refused_total'))).toEqual(
      REFUSALS.map((reason) => `firebreak_refused_total{reason="${reason}"}`),
    );
    expect(Object.keys(series(text, 'firebreak_findings_total'))).toHaveLength(FINDING_CODES.length);
    expect(series(text, 'firebreak_partitions_owned')).toEqual({ firebreak_partitions_owned: 0 });
    expect(series(text, 'firebreak_checkpoint_age')).toEqual({ firebreak_checkpoint_age_seconds: 0 });
    expect(series(text, 'firebreak_policy_info')).toEqual({});
    expect(series(text, 'firebreak_commands_total')).toEqual({});
  });

  it('shows what exceptions lift, and what is expired by now', async () => {
    const stats = new Stats();
    const clock = new ManualClock(Date.parse('2026-11-26T00:00:00Z'));
    stats.countFinding({ code: 'bound_lifted', exceptions: ['cleanup', 'other'] } as Finding);
    stats.countFinding({ code: 'bound_lifted', exceptions: ['cleanup'] } as Finding);
    const of = (date: string) => ({ kind: 'exception' as const, name: date, owner: 'team', date });
    stats.expiries = [of('2026-11-24'), of('2026-11-25'), of('2026-11-26')];
    const text = await metricsOf(stats, clock).metrics();
    expect(series(text, 'firebreak_bounds_lifted_total')).toEqual({
      'firebreak_bounds_lifted_total{exception="cleanup"}': 2,
      'firebreak_bounds_lifted_total{exception="other"}': 1,
    });
    expect(series(text, 'firebreak_policy_expired')).toEqual({
      'firebreak_policy_expired{kind="exception"}': 2,
      'firebreak_policy_expired{kind="shadow rule"}': 0,
    });
  });

  it('accounts for every position of a partition, from two sources', async () => {
    const stats = new Stats();
    const account = stats.account(3);
    account.passed = 12;
    Object.assign(account.outcomes, { judged: 8, control: 3, no_record: 1 });
    const found = series(await metricsOf(stats, new ManualClock()).metrics(), 'firebreak_offsets_');
    expect(found['firebreak_offsets_passed_total{partition="3"}']).toBe(12);
    const outcomes = Object.entries(found).filter(([name]) => name.startsWith('firebreak_offsets_accounted_total'));
    expect(outcomes).toHaveLength(OUTCOMES.length);
    expect(outcomes.reduce((sum, [, value]) => sum + value, 0)).toBe(12);
  });

  it('tells how late a partition is only while records wait', async () => {
    const stats = new Stats();
    const clock = new ManualClock(Date.parse('2026-11-26T00:00:10Z'));
    const judgedThroughMs = Date.parse('2026-11-26T00:00:00Z');
    const taken = { ready: true, checkpointedMs: 0, judgedThroughMs };
    stats.partitions.set(0, { ...taken, lag: 5, leasedMs: 0 });
    stats.partitions.set(1, { ...taken, lag: 0 });
    await clock.advance(2000);
    const found = series(await metricsOf(stats, clock).metrics(), 'firebreak_l');
    expect(found['firebreak_lag_seconds{partition="0"}']).toBe(12);
    expect(found['firebreak_lag_seconds{partition="1"}']).toBe(0);
    expect(found['firebreak_lease_age_seconds{partition="0"}']).toBe(2);
    expect(found['firebreak_lease_age_seconds{partition="1"}']).toBeUndefined();
  });

  it('shows levels, shadow hits, build and what was learned', async () => {
    const stats = new Stats();
    stats.countFinding({ code: 'level_changed', level: { from: 'clear', to: 'watch' } } as Finding);
    stats.countFinding({ code: 'shadow_hit', rule: 'new-rule' } as Finding);
    stats.partitions.set(0, { ...OWNED, levels: { clear: 5, watch: 1, paused: 0, killed: 2 }, stored: 7 });
    stats.partitions.set(1, { ...OWNED, levels: { clear: 1, watch: 0, paused: 0, killed: 0 }, stored: 1 });
    stats.build = { version: '1.2.3', engine: '2', node: 'v20' };
    const threshold = { alpha: 0.01, r: 1, n: 500, grade: 'conformal' } as const;
    const thresholds = { watch: { ...threshold, c: 4 }, pause: { ...threshold, c: 8 }, kill: threshold };
    stats.baseline = { hash: 'sha256:b', intents: 3, thresholds };
    expect(series(await metricsOf(stats, new ManualClock()).metrics(), 'firebreak_')).toMatchObject({
      'firebreak_level_changes_total{level="watch"}': 1,
      'firebreak_shadow_hits_total{rule="new-rule"}': 1,
      'firebreak_sessions{level="clear"}': 6,
      'firebreak_sessions{level="killed"}': 2,
      firebreak_sessions_stored: 8,
      'firebreak_build_info{version="1.2.3",engine="2",node="v20"}': 1,
      'firebreak_baseline_info{hash="sha256:b",intents="3"}': 1,
      'firebreak_baseline_threshold_nats{condition="pause",grade="conformal"}': 8,
      'firebreak_baseline_budget_ratio{condition="kill",grade="conformal"}': 0.01,
    });
  });

  it('counts how reviews end, once each, by rule and by intent, from zero', async () => {
    const stats = new Stats();
    stats.expect({ rules: ['loop'], intents: ['errand'], exceptions: [] });
    const said = (finding: Partial<Finding>) =>
      stats.countFinding({ code: 'decision_accepted', ...finding } as Finding);
    const by = { id: 'kim' };
    said({ rule: 'errand', decision: { id: 'd-1', kind: 'release', by } });
    said({ rule: 'errand', decision: { id: 'd-2', kind: 'release', by }, request: {} as never }); // one of two approvals
    said({ rule: 'loop', decision: { id: 'd-3', kind: 'reject', by } });
    said({ rule: 'loop', decision: { id: 'd-4', kind: 'pause', by } });
    said({ code: 'level_changed', rule: 'firebreak:no-answer', level: { from: 'paused', to: 'killed' } });
    expect(series(await metricsOf(stats, new ManualClock()).metrics(), 'firebreak_reviews_total')).toEqual({
      'firebreak_reviews_total{rule="loop",by="rule",outcome="released"}': 0,
      'firebreak_reviews_total{rule="loop",by="rule",outcome="rejected"}': 1,
      'firebreak_reviews_total{rule="loop",by="rule",outcome="unanswered"}': 0,
      'firebreak_reviews_total{rule="errand",by="intent",outcome="released"}': 1,
      'firebreak_reviews_total{rule="errand",by="intent",outcome="rejected"}': 0,
      'firebreak_reviews_total{rule="errand",by="intent",outcome="unanswered"}': 0,
      'firebreak_reviews_total{rule="firebreak:no-answer",by="rule",outcome="released"}': 0,
      'firebreak_reviews_total{rule="firebreak:no-answer",by="rule",outcome="rejected"}': 0,
      'firebreak_reviews_total{rule="firebreak:no-answer",by="rule",outcome="unanswered"}': 1,
    });
  });

  it('copies what was counted, again at each scrape', async () => {
    const stats = new Stats();
    const clock = new ManualClock();
    const registry = metricsOf(stats, clock);
    const raw = { offset: 0, appendMs: 0, key: null, value: null, headers: {} };
    stats.countRecord({ type: 'tick' });
    stats.countRecord({ type: 'refused', refusal: 'not_json', reason: '', raw });
    stats.countRecord({ type: 'refused', refusal: 'not_json', reason: '', raw });
    stats.countCommand(command('kill', 'mass-deletion'));
    stats.countCommand(command('kill', 'mass-deletion'));
    stats.countCommand(command('pause', 'loop'));
    stats.tenuresLost.fenced++;
    stats.findings.event_id_reused += 3;
    stats.batches = 7;
    stats.policyHash = 'sha256:a';
    stats.partitions.set(0, { ready: true, lag: 12, checkpointedMs: 0 });
    stats.partitions.set(63, { ready: false, lag: 0, checkpointedMs: 1500 });
    await clock.advance(4000);
    for (let scrape = 0; scrape < 2; scrape++) {
      expect(series(await registry.metrics(), 'firebreak_')).toMatchObject({
        'firebreak_records_total{type="tick"}': 1,
        'firebreak_records_total{type="refused"}': 2,
        'firebreak_refused_total{reason="not_json"}': 2,
        'firebreak_commands_total{rule="mass-deletion",action="kill"}': 2,
        'firebreak_commands_total{rule="loop",action="pause"}': 1,
        'firebreak_tenures_lost_total{reason="fenced"}': 1,
        'firebreak_findings_total{code="event_id_reused"}': 3,
        firebreak_batches_total: 7,
        'firebreak_policy_info{hash="sha256:a"}': 1,
        firebreak_partitions_owned: 2,
        firebreak_partitions_ready: 1,
        'firebreak_lag_records{partition="0"}': 12,
        firebreak_checkpoint_age_seconds: 4,
      });
    }
    stats.policyHash = 'sha256:b';
    stats.partitions.delete(0);
    const later = series(await registry.metrics(), 'firebreak_');
    expect(later['firebreak_policy_info{hash="sha256:a"}']).toBeUndefined();
    expect(later['firebreak_lag_records{partition="0"}']).toBeUndefined();
    expect(later['firebreak_checkpoint_age_seconds']).toBe(2.5);
  });

  it.each(['detect_to_publish', 'publish_to_acknowledge', 'detect_to_last_action'])(
    'tells minutes of %s apart, up to half an hour',
    async (name) => {
      const found = series(await metricsOf(new Stats(), new ManualClock()).metrics(), `firebreak_${name}_seconds`);
      for (const le of ['60', '600', '1800'])
        expect(found).toHaveProperty([`firebreak_${name}_seconds_bucket{le="${le}"}`]);
    },
  );

  it('writes durations as a cumulative histogram in seconds', async () => {
    const stats = new Stats();
    for (const ms of [0.5, 1, 1.5, 50, 70_000]) stats.publish.observe(ms);
    const text = await metricsOf(stats, new ManualClock()).metrics();
    expect(text).toContain('# TYPE firebreak_publish_seconds histogram');
    const found = series(text, 'firebreak_publish_seconds');
    expect(found).toMatchObject({
      'firebreak_publish_seconds_bucket{le="0.001"}': 2,
      'firebreak_publish_seconds_bucket{le="0.002"}': 3,
      'firebreak_publish_seconds_bucket{le="0.02"}': 3,
      'firebreak_publish_seconds_bucket{le="0.05"}': 4,
      'firebreak_publish_seconds_bucket{le="10"}': 4,
      'firebreak_publish_seconds_bucket{le="+Inf"}': 5,
      firebreak_publish_seconds_sum: 70.053,
      firebreak_publish_seconds_count: 5,
    });
    expect(series(text, 'firebreak_checkpoint_seconds_count')).toEqual({ firebreak_checkpoint_seconds_count: 0 });
  });

  it('has a text for every metric, keeps two processes apart, and leaves the global registry alone', async () => {
    const [one, two] = [new Stats(), new Stats()];
    const registries = [one, two].map((stats) => metricsOf(stats, new ManualClock()));
    one.batches = 1;
    expect(await registries[1]!.metrics()).toContain('firebreak_batches_total 0');
    for (const { name, help } of await registries[0]!.getMetricsAsJSON()) {
      expect(help, name).toMatch(/^[A-Z].*\S/);
    }
    expect(globalRegistry.getMetricsAsArray()).toEqual([]);
  });
});
