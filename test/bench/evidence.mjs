/**
 * What one marked event costs in the evidence of a session, beside what `JSON.parse` of an ordinary action costs in the
 * same process. By hand, after `npm run build`:  node test/bench/evidence.mjs [events]
 */
import { SessionEvidence } from '../../dist/engine/evidence/session-evidence.js';

const EVENTS = Number(process.argv[2] ?? 2_000_000);
const FEATURES = 7;
const clock = { mu: 0.05, phi: 1.2, a: 2 };
const map = { u: 1.5, lpu: 3, eta: 0.9 };
const lnShare = Math.log(1 / (4 * FEATURES));
const model = Array.from({ length: FEATURES }, (_, id) => ({
  id,
  events: clock,
  active: { ...clock, mu: 2 },
  maps: [map, map, map, map],
  lnShares: [lnShare, lnShare, lnShare, lnShare],
}));
const TOUCHES = Array.from({ length: FEATURES }, (_, feature) => [{ feature, mark: 1 }]);
const line = JSON.stringify({
  id: 'evt-01J000000000001',
  time: '2026-01-05T09:00:00.000Z',
  session: 'conv-17',
  agent: { id: 'mail-helper', role: 'email-assistant', version: '2.3' },
  task: 'inbox-triage',
  principal: { id: 'kim@corp.example', type: 'user' },
  tenant: 'corp',
  tool: 'gmail_call',
  toolServer: 'gmail-mcp',
  action: 'delete',
  resource: { type: 'email', id: 'msg-1291' },
  outcome: 'ok',
  usage: { tokens: 812, costUsd: 0.004 },
  argsDigest: `sha256:${'0'.repeat(32)}`,
});

/** Processor time, so that a busy machine does not count. */
function nanosPerCall(call) {
  const before = process.cpuUsage();
  for (let i = 0; i < EVENTS; i++) call(i);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / EVENTS;
}

const sessions = Array.from({ length: 500 }, () => new SessionEvidence());
let parsed;
const rounds = [];
for (let round = 0; round < 5; round++) {
  const parse = nanosPerCall(() => {
    parsed = JSON.parse(line);
  });
  const marked = nanosPerCall((i) => sessions[i % 500].observe(model, i * 40, TOUCHES[(i >> 9) % FEATURES]));
  const plain = nanosPerCall((i) => sessions[i % 500].observe(model, i * 40, []));
  rounds.push({ parse, marked, plain });
}
const { parse, marked, plain } = rounds.sort((a, b) => a.marked / a.parse - b.marked / b.parse)[2];
console.log(
  `JSON.parse ${parse.toFixed(0)} ns (${parsed.id}), marked event ${marked.toFixed(0)} ns, other ${plain.toFixed(0)} ns`,
);
console.log(`marked / parse ${(marked / parse).toFixed(2)}, of at most 0.4`);
