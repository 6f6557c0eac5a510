/** One line of the doctor. `unknown`: it could not be looked at, which is no problem by itself. */
export interface Check {
  /** What was looked at. */
  about: string;
  status: 'ok' | 'problem' | 'unknown';
  /** What was found; of a problem what is wrong. */
  found: string;
  /** The command that mends it, or what there is to do. Problems have one. */
  mend?: string;
}

export function ok(about: string, found: string): Check {
  return { about, status: 'ok', found };
}

export function problem(about: string, found: string, mend: string): Check {
  return { about, status: 'problem', found, mend };
}

export function unknown(about: string, found: string): Check {
  return { about, status: 'unknown', found };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
