/**
 * What one action costs in `step`, beside what `JSON.parse` of the same action costs in the same process: a ratio
 * holds on every machine. By hand, after `npm run build`:  node test/bench/step.mjs [events]
 *
 * The rules are those in rules/; 500 sessions at once do ordinary work, and one in fifty deletes a lot.
 */
import { fileURLToPath } from 'node:url';
import { loadPolicyFolder } from '../../dist/app/rule-folder.js';
import { Partition } from '../../dist/engine/partition.js';
import { compilePolicy } from '../../dist/engine/plan/policy.js';
import { step } from '../../dist/engine/step.js';

const EVENTS = Number(process.argv[2] ?? 200_000);
const SESSIONS = 500;
const START_MS = Date.UTC(2026, 0, 5, 9);
const ACTIONS = ['read', 'list', 'read', 'update', 'read', 'execute', 'delete', 'read', 'send', 'other'];

async function plan() {
  const body = await loadPolicyFolder(fileURLToPath(new URL('../../rules/', import.meta.url)));
  return compilePolicy(`sha256:${'0'.repeat(64)}`, body);
}

function eventAt(i, numbering) {
  const heavy = i % SESSIONS === 7 * (i % 50);
  return {
    id: `evt-01J${String(i).padStart(12, '0')}`,
    time: new Date(START_MS + i * 20).toISOString(),
    ...(numbering === 'seq' ? { source: 'gw-3', seq: 88_213 + i } : {}),
    session: `conv-${i % SESSIONS}`,
    agent: { id: 'mail-helper', role: 'email-assistant', version: '2.3' },
    task: 'inbox-triage',
    principal: { id: 'kim@corp.example', type: 'user' },
    tenant: 'corp',
    tool: 'gmail_call',
    toolServer: 'gmail-mcp',
    action: heavy ? 'delete' : ACTIONS[(i + Math.floor(i / SESSIONS)) % ACTIONS.length],
    resource: { type: 'email', id: `msg-${i % 5003}` },
    outcome: i % 40 === 0 ? 'error' : 'ok',
    usage: { tokens: 812, costUsd: 0.004 },
    bytes: 8123,
    argsDigest: `sha256:${String(i % 9973).padStart(32, '0')}`,
  };
}

/** Processor time, so that a busy machine does not count. */
function nanosPerCall(count, call) {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) call(i);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / count;
}

const compiled = await plan();
console.log(`${[...compiled.groups.values()].flatMap(({ rules }) => rules).length} rules, ${EVENTS} events`);
for (const numbering of ['seq', 'id']) {
  const texts = Array.from({ length: EVENTS }, (_, i) => JSON.stringify(eventAt(i, numbering)));
  const events = texts.map((text) => JSON.parse(text));
  const bytes = texts.reduce((sum, text) => sum + text.length, 0) / EVENTS;
  const rounds = Array.from({ length: 5 }, () => {
    const partition = new Partition('bench', 0);
    partition.judgeUnder(compiled);
    const parse = nanosPerCall(EVENTS, (i) => JSON.parse(texts[i]));
    const judge = nanosPerCall(EVENTS, (i) => {
      step(partition, { offset: i, appendMs: START_MS + i * 20, body: { type: 'action', event: events[i] } });
    });
    return { parse, judge, ratio: judge / parse };
  });
  const { parse, judge, ratio } = rounds.sort((a, b) => a.ratio - b.ratio)[2];
  console.log(
    `known by ${numbering}: JSON.parse of ${bytes.toFixed(0)} bytes ${parse.toFixed(0)} ns, ` +
      `step ${judge.toFixed(0)} ns, step / parse ${ratio.toFixed(2)}`,
  );
}
