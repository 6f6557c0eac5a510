/** What one finished session says of one feature on one clock. */
export interface SessionRow {
  /** De-bursted marks. */
  N: number;
  /** Exposure: events, or active hours. */
  T: number;
  /** Sum of the de-bursted mass of its bursts, and of their squares. */
  W: number;
  WW: number;
}

/**
 * All that a fit needs of a cohort's sessions, whatever their number. Letters as in the scoring reference, section 6.
 * Adding is merging, so partitions, processes and days can be summed apart.
 */
export interface CohortSums {
  n: number;
  N: number;
  T: number;
  TT: number;
  NT: number;
  NN: number;
  W: number;
  WW: number;
}

export const NO_SESSIONS: Readonly<CohortSums> = { n: 0, N: 0, T: 0, TT: 0, NT: 0, NN: 0, W: 0, WW: 0 };

export function sumsOf({ N, T, W, WW }: SessionRow): CohortSums {
  return { n: 1, N, T, TT: T * T, NT: N * T, NN: N * N, W, WW };
}

/** Exact where the numbers are; the order of merging moves the last bits of others. */
export function merged(a: Readonly<CohortSums>, b: Readonly<CohortSums>): CohortSums {
  return {
    n: a.n + b.n,
    N: a.N + b.N,
    T: a.T + b.T,
    TT: a.TT + b.TT,
    NT: a.NT + b.NT,
    NN: a.NN + b.NN,
    W: a.W + b.W,
    WW: a.WW + b.WW,
  };
}
