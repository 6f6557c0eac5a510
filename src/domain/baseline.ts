import { z } from 'zod';

/** What a session's evidence is made of, in the order in which ties are settled. */
export const STREAMS = ['volume', 'rate', 'burst', 'shift'] as const;
export type Stream = (typeof STREAMS)[number];

const positive = z.number().positive();

/** What is usual for a cohort on one clock: events, or active hours. */
export const ClockModel = z.strictObject({
  mu: positive.describe('Mean rate of marks, per event or per active hour.'),
  phi: positive.describe('Dispersion of the marks within a session; 1 is Poisson.'),
  a: positive.describe('Shape of the rates between sessions: 1/a is their squared coefficient of variation.'),
});
export type ClockModel = z.infer<typeof ClockModel>;

/**
 * How rare a value of one stream is among benign sessions: the tail of the largest value that a session reached.
 *
 *   -ln P │                ╱ slope eta, beyond what was often seen
 *     lpu ┤- - - - - - - ╱
 *         │        ╱ ·   ┊
 *         │  ╱ ·         ┊
 *         └──────────────┴──────────── value of the stream
 *         0              u   (95 % of the sessions stayed below)
 */
export const TailMap = z.strictObject({
  u: positive.describe('Value that 95 % of benign sessions never exceed.'),
  lpu: positive.describe('-ln of the share of sessions above u.'),
  eta: positive.describe('Rate of the tail above u, per unit of the stream.'),
});
export type TailMap = z.infer<typeof TailMap>;

/** How well a threshold is founded, from the best to none. */
export const GRADES = ['conformal-pac', 'conformal', 'extrapolated', 'insufficient'] as const;
export type Grade = (typeof GRADES)[number];
