import type { Order } from '../../domain/decision.ts';
import { formatInstant } from '../../domain/instant.ts';
import type { SessionState } from '../../domain/session.ts';
import { standingState } from '../standing/snapshot.ts';
import { evidenceOf } from './evidence-step.ts';
import type { Session } from './session.ts';

/**
 * The session as it stood after its last record. Reading drops what has expired by then, as any record would. `orders`:
 * those of its partition that are about it.
 */
export function snapshotOf(session: Session, orders: readonly Order[] = []): SessionState {
  const { role, principal, tenant, standing } = session;
  return {
    session: session.id,
    level: session.level,
    agent: { id: session.agent, ...(role === undefined ? {} : { role }) },
    ...(principal === undefined ? {} : { principal }),
    ...(tenant === undefined ? {} : { tenant }),
    policy: session.policy,
    lastOffset: session.lastOffset,
    lastAppend: formatInstant(session.lastMs),
    begun: formatInstant(session.startMs),
    clock: formatInstant(session.clockMs),
    actions: session.actions,
    principals: session.principals.length,
    degraded: session.degraded,
    ...(standing === undefined ? {} : { standing: standingState(standing) }),
    orders: [...orders],
    filters: byId(session.groups).map(([id, group]) => ({
      id: hexId(id),
      passed: group.passed,
      measures: byId(group.features).map(([featureId, feature]) => ({
        id: hexId(featureId),
        ...(Number.isFinite(feature.withinMs) ? { withinMs: feature.withinMs } : {}),
        total: feature.total(session.clockMs),
        parts: feature.size(),
      })),
      steps: group.steps.map(evidenceOf),
    })),
  };
}

function byId<T>(map: ReadonlyMap<number, T>): [number, T][] {
  return [...map].sort(([a], [b]) => a - b);
}

function hexId(id: number): string {
  return id.toString(16).padStart(8, '0');
}
