const PERCENT = /^([\d.]+)\s*%$/;
const ONE_IN = /^1 in ([\d_,]+)$/;

/** Reads `1 in 10000`, `0.5%` or `0.005`: a share of benign sessions. Throws an Error that says what is allowed. */
export function parseBudget(text: string): number {
  const percent = PERCENT.exec(text.trim());
  const oneIn = ONE_IN.exec(text.trim());
  const share = percent
    ? Number(percent[1]) / 100
    : oneIn
      ? 1 / Number(oneIn[1]!.replaceAll(/[_,]/g, ''))
      : Number(text.trim() || Number.NaN);
  if (share > 0 && share < 1) return share;
  throw new Error(`found "${text}"; allowed: a share of sessions between 0 and 1, such as 0.5%, 1 in 10000 or 0.0001`);
}

/** The share as people say it. */
export function budgetText(share: number): string {
  const oneIn = Math.round(1 / share);
  return share < 0.005 && Math.abs(oneIn * share - 1) < 1e-9
    ? `1 in ${oneIn.toLocaleString('en')}`
    : `${Number((share * 100).toPrecision(3))} %`;
}
