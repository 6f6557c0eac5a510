import type { Claims } from '../../adapters/http/bearer.ts';
import { Decision } from '../../domain/decision.ts';
import type { DecisionAnswer, DecisionDesk } from '../decision-desk.ts';
import type { Answer } from './idempotency.ts';
import type { Route } from './routes.ts';

const ANSWER_WITHIN_MS = 5000;

const KIND_OF: Record<string, Decision['kind']> = {
  release: 'release',
  reject: 'reject',
  pause: 'pause',
  kill: 'kill',
  lift: 'lift',
};

/** The decision that a request is: who is the subject of the token, whatever the body says. */
export function decisionOf(
  { id: route }: Route,
  id: string,
  { sub, iss, preferred_username: name }: Claims,
  session: string | undefined,
  body: Record<string, unknown>,
): Decision {
  const by = { id: sub, type: 'user', issuer: iss, ...(typeof name === 'string' ? { name } : {}) };
  const about = session === undefined ? {} : { session };
  return Decision.parse({ ...body, ...about, id, by, kind: KIND_OF[route] ?? body['kind'] });
}

/** Writes it, and says what came of it: 200 it counts, 409 it does not, 202 nobody has judged it yet. */
export async function decided(desk: DecisionDesk, decision: Decision): Promise<Answer> {
  const answer = await desk.decide(decision, ANSWER_WITHIN_MS);
  const outcome = outcomeOf(answer);
  const status = { accepted: 200, refused: 409, pending: 202 }[outcome];
  return { status, body: { decision: decision.id, outcome, ...answer } };
}

function outcomeOf({ findings, expected }: DecisionAnswer): 'accepted' | 'refused' | 'pending' {
  if (findings.some(({ code }) => code === 'decision_refused')) return 'refused';
  return findings.length === expected ? 'accepted' : 'pending';
}
