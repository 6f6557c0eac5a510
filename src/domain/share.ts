import { z } from 'zod';

const PERCENT = /^([\d.]+)\s*%$/;
const ONE_IN = /^1 in (\d[\d_,]*)$/;

/** A share of sessions above 0 and below 1, as people write it: `1 in 10000`, `0.5%`, `0.005`. NaN for anything else. */
export function parseShare(text: string): number {
  const percent = PERCENT.exec(text.trim());
  const oneIn = ONE_IN.exec(text.trim());
  const share = percent
    ? Number(percent[1]) / 100
    : oneIn
      ? 1 / Number(oneIn[1]!.replaceAll(/[_,]/g, ''))
      : Number(text.trim() || Number.NaN);
  return share > 0 && share < 1 ? share : Number.NaN;
}

export const SHARE_ALLOWED = 'a share of sessions between 0 and 1, such as 0.5%, 1 in 10000 or 0.0001';

/** As YAML has it: `0.0001` is a number there. */
export const Share = z
  .union([z.string(), z.number()])
  .refine((value) => Number.isFinite(parseShare(String(value))), SHARE_ALLOWED)
  .describe('Share of benign sessions: 0.5%, 1 in 10000 or 0.0001.');

/** The share as people say it. */
export function shareText(share: number): string {
  const oneIn = Math.round(1 / share);
  return share < 0.005 && Math.abs(oneIn * share - 1) < 1e-9
    ? `1 in ${String(oneIn).replaceAll(/\B(?=(\d{3})+$)/g, ',')}`
    : `${Number((share * 100).toPrecision(3))} %`;
}
