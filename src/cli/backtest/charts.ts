import type { Share } from '../../app/backtest/labels.ts';
import { type Html, html } from '../page/html.ts';

/** Levels above clear as a chart shows them: each has a colour, a pattern and its number in words beside it. */
export type Ink = 'watch' | 'paused' | 'killed' | 'seen' | 'faint';

const BAR_WIDTH = 320;
const BAR_HEIGHT = 14;
const INTERVAL_WIDTH = 160;
/** A count that is not 0 is never drawn as nothing. */
const LEAST_WIDTH = 2;

/** The patterns that bars refer to: who cannot tell the colours tells the strokes. Once in a document. */
export function patterns(): Html {
  return html`<svg width="0" height="0" aria-hidden="true"><defs>
<pattern id="paused" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="paused" width="6" height="6"/><path class="stroke" d="M0 6 6 0"/></pattern>
<pattern id="killed" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="killed" width="6" height="6"/><path class="stroke" d="M0 6 6 0M0 0 6 6"/></pattern>
<pattern id="faint" width="6" height="6" patternUnits="userSpaceOnUse"><path class="hatch" d="M0 6 6 0"/></pattern>
</defs></svg>`;
}

/** Parts of one bar, drawn one after the other on a scale on which `full` is the whole width. */
export function stackedBar(parts: readonly { ink: Ink; value: number }[], full: number, description: string): Html {
  let x = 0;
  const drawn = parts.flatMap(({ ink, value }) => {
    if (value === 0) return [];
    const width = widthOf(value, full, BAR_WIDTH);
    x += width;
    return [
      html`<rect class="${ink}" fill="${fillOf(ink)}" x="${x - width}" width="${width}" height="${BAR_HEIGHT}"/>`,
    ];
  });
  return html`<svg class="bar" role="img" aria-label="${description}" viewBox="0 0 ${BAR_WIDTH} ${BAR_HEIGHT}" width="${BAR_WIDTH}" height="${BAR_HEIGHT}"><rect class="empty" width="${BAR_WIDTH}" height="${BAR_HEIGHT}"/>${drawn}</svg>`;
}

/** The ink by itself, for the key of a chart. */
export function swatch(ink: Ink): Html {
  return html`<svg class="swatch" aria-hidden="true" width="14" height="14"><rect class="${ink}" fill="${fillOf(ink)}" width="14" height="14"/></svg>`;
}

/** How much more (to the right) or less (to the left) there is of something; `most` fills one half. */
export function changeBar(change: number, most: number): Html {
  const half = BAR_WIDTH / 4;
  const width = change === 0 ? 0 : widthOf(Math.abs(change), most, half);
  const description = change === 0 ? 'no change' : `${Math.abs(change)} ${change > 0 ? 'more' : 'fewer'}`;
  const bar = html`<rect class="${change > 0 ? 'more' : 'fewer'}" x="${change > 0 ? half : half - width}" y="2" width="${width}" height="10"/>`;
  return html`<svg class="bar" role="img" aria-label="${description}" viewBox="0 0 ${2 * half} ${BAR_HEIGHT}" width="${2 * half}" height="${BAR_HEIGHT}">${width === 0 ? undefined : bar}<path class="axis" d="M${half} 0V${BAR_HEIGHT}"/></svg>`;
}

/** A share on the line from 0 to 1, with its interval. */
export function interval({ count, of, low, high }: Share, description: string): Html {
  const x = (share: number) => 4 + share * (INTERVAL_WIDTH - 8);
  return html`<svg class="bar" role="img" aria-label="${description}" viewBox="0 0 ${INTERVAL_WIDTH} ${BAR_HEIGHT}" width="${INTERVAL_WIDTH}" height="${BAR_HEIGHT}"><path class="axis" d="M4 7H${INTERVAL_WIDTH - 4}"/><path class="whisker" d="M${x(low)} 7H${x(high)}M${x(low)} 3v8M${x(high)} 3v8"/><circle class="dot" cx="${x(of === 0 ? 0 : count / of)}" cy="7" r="3.5"/></svg>`;
}

function fillOf(ink: Ink): string {
  return ink === 'paused' || ink === 'killed' || ink === 'faint' ? `url(#${ink})` : '';
}

function widthOf(value: number, full: number, width: number): number {
  return Number(Math.max(LEAST_WIDTH, (value / Math.max(full, 1)) * width).toFixed(1));
}
