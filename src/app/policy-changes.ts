import { canonicalJson } from '../domain/canonical-json.ts';
import { formatDuration } from '../domain/duration.ts';
import { type PolicyBody, PolicySettings, type Rule, type RuleException } from '../domain/rule.ts';
import { compilePolicy, type RulePlan } from '../engine/plan/policy.ts';

/** What a policy changes, for whoever is about to activate it. Lines are in the order of the rules. */
export interface PolicyChanges {
  /** `+` added, `~` changed, `-` removed, with what becomes of the counts. */
  lines: string[];
  unchanged: number;
}

/** Compares a policy with the one before it. Both have been checked. */
export function policyChanges(before: PolicyBody, after: PolicyBody): PolicyChanges {
  const old = plansOf(before);
  const known = countsOf(old);
  const lines: string[] = [];
  let unchanged = 0;
  for (const plan of plansOf(after).values()) {
    const { rule } = plan;
    const former = old.get(rule.id);
    const counts = countsText(plan, known, former);
    const fields = former === undefined ? [] : changedFields(former.rule, rule);
    if (former === undefined) lines.push(`+ rule ${rule.id}: ${counts}`);
    else if (fields.length > 0) lines.push(`~ rule ${rule.id}: ${fields.join(', ')} changed; ${counts}`);
    else unchanged++;
  }
  const ids = new Set(after.rules.map(({ id }) => id));
  for (const id of old.keys()) if (!ids.has(id)) lines.push(`- rule ${id}: judges no longer`);
  const learned = (['intents', 'baseline'] as const).filter((part) => textOf(before[part]) !== textOf(after[part]));
  lines.push(...exceptionLines(before, after), ...learned.map((part) => `~ ${part} changed`));
  return { lines: [...lines, ...settingLines(before, after)], unchanged };
}

function plansOf(body: PolicyBody): Map<string, RulePlan> {
  const plans = [...compilePolicy('', body).groups.values()].flatMap(({ rules }) => rules);
  const byId = new Map(plans.map((plan) => [plan.rule.id, plan]));
  return new Map(body.rules.map(({ id }) => [id, byId.get(id)!]));
}

/** State is kept by what it means: the filter, the measure, the window. */
function countsOf(plans: ReadonlyMap<string, RulePlan>): Set<string> {
  return new Set([...plans.values()].flatMap((plan) => plan.reads.map(({ feature }) => countOf(plan, feature.id))));
}

function countOf({ rule }: RulePlan, featureId: number): string {
  return `${canonicalJson(rule.match)} ${featureId}`;
}

function countsText(plan: RulePlan, known: ReadonlySet<string>, former: RulePlan | undefined): string {
  const measures = plan.reads.map(({ feature }, at) => ({
    name: plan.names.measures[at]!,
    kept: known.has(countOf(plan, feature.id)),
  }));
  const names = (kept: boolean) =>
    measures
      .filter((one) => one.kept === kept)
      .map(({ name }) => name)
      .join(', ');
  if (measures.every(({ kept }) => kept)) {
    return former === undefined ? 'goes on from what other rules have counted' : 'its counts go on';
  }
  if (measures.some(({ kept }) => kept))
    return `${names(true)} ${former ? 'goes on' : 'is counted already'}, ${names(false)} starts empty`;
  return former === undefined ? 'starts empty' : 'its counts start empty';
}

/** Exceptions have lines of their own. */
function changedFields(before: Rule, after: Rule): string[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof Rule)[]);
  return [...fields].filter((field) => field !== 'exceptions' && textOf(before[field]) !== textOf(after[field]));
}

function exceptionLines(before: PolicyBody, after: PolicyBody): string[] {
  const [old, now] = [exceptionsOf(before), exceptionsOf(after)];
  const lines = [...now].flatMap(([name, { exception, rules }]) => {
    const former = old.get(name);
    const about = `exception ${name} of ${rules.join(', ')}, until ${exception.expires}, owner ${exception.owner}`;
    if (former === undefined) return [`+ ${about}`];
    return canonicalJson(former) === canonicalJson({ exception, rules }) ? [] : [`~ ${about}`];
  });
  for (const [name, { rules }] of old) {
    if (!now.has(name)) lines.push(`- exception ${name} of ${rules.join(', ')}: what it lifted counts again`);
  }
  return lines;
}

function exceptionsOf({ rules }: PolicyBody): Map<string, { exception: RuleException; rules: string[] }> {
  const found = new Map<string, { exception: RuleException; rules: string[] }>();
  for (const { id, exceptions = [] } of rules) {
    for (const exception of exceptions) {
      const known = found.get(exception.name);
      if (known) known.rules.push(id);
      else found.set(exception.name, { exception, rules: [id] });
    }
  }
  return found;
}

function settingLines({ settings: before }: PolicyBody, { settings: after }: PolicyBody): string[] {
  const names = Object.keys(PolicySettings.shape) as (keyof PolicySettings)[];
  return names
    .filter((name) => textOf(before[name]) !== textOf(after[name]))
    .map((name) => `~ ${name.replace(/Ms$/, '')}: ${settingText(name, before)} → ${settingText(name, after)}`);
}

/** What a setting without a value means. */
const ABSENT: Partial<Record<keyof PolicySettings, string>> = { enforcers: 'all at once' };

function settingText(name: keyof PolicySettings, settings: PolicySettings): string {
  const value = settings[name];
  return typeof value === 'number' && name.endsWith('Ms')
    ? formatDuration(value)
    : textOf(value) || ABSENT[name] || 'as learned';
}

function textOf(value: unknown): string {
  return value === undefined ? '' : canonicalJson(value);
}
