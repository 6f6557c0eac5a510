import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/app/backtest/report.ts';
import { backtestPage } from '../../src/cli/backtest/page.ts';
import { backtestText } from '../../src/cli/backtest/text.ts';
import { terminal } from '../../src/cli/terminal.ts';
import { formatInstant } from '../../src/domain/instant.ts';
import { type PolicyBody, PolicySettings } from '../../src/domain/rule.ts';
import { backtested } from '../app/backtest/world.ts';
import { eventLine, withFiles } from '../app/recordings.ts';
import { ruleOf, START_MS } from '../engine/harness.ts';
import { elements } from './page-elements.ts';

const HOSTILE = `<script>alert("1")</script><img src=x onerror='y'>&amp;\u202e\x1b[31m`;

/** What turns text around or speaks to a terminal. */
const CONTROLS = /(?!\n)[\p{Cc}\p{Cf}]/u;

const rules = (kill: number): PolicyBody => ({
  format: 1,
  settings: PolicySettings.parse({}),
  rules: [ruleOf({ match: { action: 'delete' }, when: { watch: 'n > 1', kill: `n > ${kill}` }, explain: '{n} gone' })],
});

async function reportOf(sessions: number, oldKill: number, newKill: number): Promise<Report> {
  const lines = Array.from({ length: sessions * 6 }, (_, n) => {
    const session = `${HOSTILE}${n % sessions}`;
    return eventLine(n, {
      time: formatInstant(START_MS + n * 100),
      session,
      agent: { id: HOSTILE, role: `${HOSTILE}${n % 2}` },
    });
  });
  const { report } = await withFiles([lines.join('\n')], (paths) =>
    backtested(paths, { old: rules(oldKill), new: rules(newKill) }),
  );
  return { ...report, sources: [HOSTILE], rules: { ...report.rules, new: { ...report.rules.new, name: HOSTILE } } };
}

describe('the HTML report', () => {
  it('keeps text of the events text, and its policy lets nothing run or load', async () => {
    const page = backtestPage(await reportOf(3, 9, 3), '1.0.0');
    const names = new Set(elements(page));
    expect(
      [...names].filter((name) => ['script', 'img', 'link', 'iframe', 'a', 'form', 'object'].includes(name)),
    ).toEqual([]);
    expect(page).toContain('&#60;script&#62;alert(&#34;1&#34;)');
    // Every < of the page opens or closes an element of ours.
    expect(page.replace(/<\/?[a-z][a-z0-9]*(\s+[a-zA-Z-]+="[^"<>]*")*\s*\/?>|<!doctype html>/g, '')).not.toMatch(
      /[<>]/,
    );
    expect(page).not.toMatch(CONTROLS);
    expect(page).not.toMatch(/\bon\w+="|javascript:|https?:|url\((?!#)/);
    const style = /<style>([^<]*)<\/style>/.exec(page)![1]!;
    const hash = createHash('sha256').update(style).digest('base64');
    expect(page).toContain(`content="default-src 'none'; style-src 'sha256-${hash}'"`);
    expect(page).not.toMatch(/ style="/);
  });

  it('shows what changes, with words and signs beside the colours', async () => {
    const page = backtestPage(await reportOf(3, 9, 3), '1.0.0');
    expect(page).toContain('<b>3</b> of 3 sessions end otherwise: ▲ 3 higher, ▼ 0 lower');
    expect(page).toContain('▲ watched → killed');
    expect(page).toContain('aria-label="0 watched, 0 paused, 3 killed"');
    expect(page).toContain('aria-label="3 more"');
    expect(page).toMatch(/4 gone <span class="soft">event 4, /);
  });

  it('says so when nothing changes', async () => {
    const page = backtestPage(await reportOf(2, 4, 4), '1.0.0');
    elements(page);
    expect(page).toContain('<b>0</b> of 2 sessions end otherwise');
    expect(page).toContain('<p>None.</p>');
  });

  it('shows the first of many sessions, and says of how many', async () => {
    const report = await reportOf(230, 9, 3);
    const page = backtestPage(report, '1.0.0');
    expect([report.notableTotal, report.notable.length]).toEqual([230, 200]);
    expect(page.match(/▲ watched → killed/g)!.length).toBe(200);
    expect(page).toContain('The 200 largest of 230; ');
  });

  it('warns when it is of a part', async () => {
    const report = { ...(await reportOf(1, 9, 3)), complete: false };
    const read = { ...report.read, at: 'events.ndjson:3', share: 0.5 };
    expect(backtestPage({ ...report, read }, '1.0.0')).toMatch(
      /class="warning">Interrupted at <code>events.ndjson:3<\/code>, 50.0 % of the input: all numbers are of what came before/,
    );
  });
});

it('the text report keeps control characters of the events from the terminal', async () => {
  const text = backtestText(await reportOf(3, 9, 3), 1000, terminal());
  expect(text).toContain('<script>alert(');
  expect(text).not.toMatch(CONTROLS);
  expect(text).toMatch(/^3 change: 3 end higher, 0 lower$/m);
});
