import type { Stand } from './standing.ts';

/** A session that this enforcer can stop, and by what else an order may name it. */
export interface HostedSession {
  session: string;
  agent?: string;
  principal?: string;
  tenant?: string;
}

/** Why something is to be done. Without a command it is the dead man's pause, or its end. */
export interface Why {
  command: string | undefined;
  rule: string | undefined;
  reason: string;
}

/** Returns, or fulfils, when it is done. A throw is acknowledged as `failed`, and it is tried again. */
export type Hand = (session: string, why: Why) => void | Promise<void>;

/**
 * What an enforcer can do. A hand that is missing is acknowledged as `unsupported`. Each may be called again when it has
 * been done already, after a restart for example: stopping what is stopped must be right.
 */
export interface Hands {
  /** The sessions that run here, also those that have ended and may still be asked about. */
  sessions(): Iterable<HostedSession>;
  pause?: Hand;
  resume?: Hand;
  kill?: Hand;
}

export const HAND_OF: Record<Stand, 'pause' | 'resume' | 'kill'> = { free: 'resume', paused: 'pause', killed: 'kill' };

/** Scopes as orders write them: `agent:ID`, `principal:ID`, `tenant:ID`. */
export function scopesOf({ agent, principal, tenant }: HostedSession): string[] {
  return Object.entries({ agent, principal, tenant }).flatMap(([type, id]) =>
    id === undefined ? [] : `${type}:${id}`,
  );
}
