import { type Budgets, DEFAULT_BUDGETS } from '../domain/baseline.ts';
import { parseDuration } from '../domain/duration.ts';
import { FIELD_NAMES, fieldOf } from '../domain/fields.ts';
import { PolicyDocument, PolicySettings } from '../domain/rule.ts';
import { parseShare, shareText } from '../domain/share.ts';
import { hint } from '../engine/expression/names.ts';
import { schemaProblems } from '../formats/schema-problems.ts';
import type { YamlDocument } from '../formats/yaml-documents.ts';
import { type Report, reportSchema } from './rule-diagnostics.ts';

const SETTINGS = {
  idleEnd: 'idleEndMs',
  maxLifetime: 'maxLifetimeMs',
  watchHold: 'watchHoldMs',
  killMark: 'killMarkMs',
  delay: 'delayMs',
  answerWithin: 'answerWithinMs',
  reminderBefore: 'reminderBeforeMs',
  decisionGrace: 'decisionGraceMs',
  acknowledgeWithin: 'acknowledgeWithinMs',
  publishAttempts: 'publishAttempts',
  releaseApprovals: 'releaseApprovals',
  newSessionsPerMinute: 'newSessionsPerMinute',
  sessionsMax: 'sessionsMax',
} as const satisfies Record<
  Exclude<keyof PolicyDocument, 'kind' | 'budgets' | 'cohort' | 'enforcers'>,
  keyof PolicySettings
>;

type NumberSetting = (typeof SETTINGS)[keyof typeof SETTINGS];

/** The settings of a document with `kind: policy`; undefined where a report says why there are none. */
export function readSettings({ value }: YamlDocument, report: Report): PolicySettings | undefined {
  const parsed = PolicyDocument.safeParse(value);
  if (!parsed.success) {
    reportSchema(schemaProblems(parsed.error, PolicyDocument, value), report);
    return undefined;
  }
  const settings: Partial<PolicySettings> = {};
  for (const [name, field] of Object.entries(SETTINGS) as [keyof typeof SETTINGS, NumberSetting][]) {
    const value = parsed.data[name];
    if (value === undefined) continue;
    settings[field] = typeof value === 'number' ? value : parseDuration(value);
    if (settings[field] <= 0) report({ path: [name] }, `${name}: found "${value}"; allowed: more than nothing`);
  }
  if (parsed.data.budgets !== undefined) settings.budgets = readBudgets(parsed.data.budgets, report);
  if (parsed.data.cohort !== undefined) settings.cohort = readCohort(parsed.data.cohort, report);
  if (parsed.data.enforcers !== undefined) settings.enforcers = parsed.data.enforcers;
  return PolicySettings.safeParse(settings).data;
}

/** A budget that is not named is the default's. Each level is rarer than the one below it. */
function readBudgets(written: NonNullable<PolicyDocument['budgets']>, report: Report): Budgets {
  const { confidence, onUncertified, ...shares } = written;
  const budgets: Budgets = {
    ...DEFAULT_BUDGETS,
    ...Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, parseShare(String(share))])),
    ...(confidence && { confidence }),
    ...(onUncertified && { onUncertified }),
  };
  for (const [above, below] of [
    ['pause', 'watch'],
    ['kill', 'pause'],
  ] as const) {
    if (budgets[above] <= budgets[below]) continue;
    const found = `${shareText(budgets[above])} of the sessions`;
    const at = shares[above] === undefined ? below : above;
    report(
      { path: ['budgets', at] },
      `budgets: ${above} may be ${found}, ${below} ${shareText(budgets[below])}; allowed: kill at most pause, pause at most watch`,
    );
  }
  return budgets;
}

function readCohort(names: readonly string[], report: Report): string[] {
  for (const [index, name] of names.entries()) {
    if (fieldOf(name) === undefined)
      report({ path: ['cohort', index] }, `unknown field "${name}"${hint(name, FIELD_NAMES)}`);
  }
  return [...names];
}
