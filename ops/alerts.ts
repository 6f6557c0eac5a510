import { type Alert, type AlertGroup, JOB, ofJob } from './alerts/alert.ts';
import { ENFORCEMENT } from './alerts/enforcement.ts';
import { INPUT } from './alerts/input.ts';
import { JUDGING } from './alerts/judging.ts';
import { POLICY } from './alerts/policy.ts';
import { STATE } from './alerts/state.ts';

const ALERT_GROUPS: readonly AlertGroup[] = [JUDGING, ENFORCEMENT, INPUT, STATE, POLICY];

export const ALERTS: readonly Alert[] = ALERT_GROUPS.flatMap(({ alerts }) => alerts);

/** `FirebreakLeaseOld` → `lease-old.md`. */
export function runbookFile({ name }: Alert): string {
  return `${name
    .replace(/^Firebreak/, '')
    .replace(/(?<!^)[A-Z]/g, '-$&')
    .toLowerCase()}.md`;
}

/**
 * The rule file as Prometheus and a PrometheusRule take it. `runbooks`: where people read them; the file's name follows. `job`:
 * of the scrape configuration.
 */
export function ruleFile(runbooks: string, job: string): { groups: unknown[] } {
  return {
    groups: ALERT_GROUPS.map(({ name, alerts }) => ({
      name,
      rules: alerts.map((alert) => ({
        alert: alert.name,
        expr: ofJob(alert.expr).replaceAll(`job="${JOB}"`, `job="${job}"`),
        ...(alert.for === '0s' ? {} : { for: alert.for }),
        labels: { severity: alert.severity },
        annotations: {
          summary: alert.summary,
          description: alert.description,
          runbook_url: `${runbooks}${runbookFile(alert)}`,
        },
      })),
    })),
  };
}
