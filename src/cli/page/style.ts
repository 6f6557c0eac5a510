/**
 * The one style sheet of the reports, for light and dark. The colours of the levels differ in lightness too, and bars of
 * paused and killed have strokes.
 */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c1c1e; --soft: #5b5b62; --line: #d8d8de; --page: #fff; --panel: #f5f5f7;
  --watch: #e3a008; --paused: #d9580d; --killed: #8b1a4b; --seen: #1d6fa5; --fewer: #2f7d5b; --stroke: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf0; --soft: #a5a5b0; --line: #3c3c44; --page: #17171a;
  --panel: #212126; --watch: #f2c14e; --paused: #f08a4b; --killed: #e0709f; --seen: #5aa9dd; --fewer: #63b98f;
  --stroke: #17171a; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 0 auto; max-width: 70rem;
  padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
p { margin: .3rem 0; max-width: 48rem; } .soft, th, caption { color: var(--soft); }
.warning { border-left: 4px solid var(--paused); background: var(--panel); padding: .5rem .8rem; }
.figures { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0; padding: 0; list-style: none; }
.figures li { background: var(--panel); border-radius: .5rem; padding: .7rem 1rem; min-width: 11rem; }
.figures b { display: block; font-size: 1.6rem; line-height: 1.2; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; } th { font-weight: 500; text-align: left; }
caption { text-align: left; padding-bottom: .3rem; }
td, th { padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.same { color: var(--soft); } td.moved { font-weight: 600; } td.id { overflow-wrap: anywhere; min-width: 9rem; }
code { font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }
.level { white-space: nowrap; } .key { display: inline-block; margin-right: 1.2rem; }
.bar { vertical-align: middle; max-width: 100%; } .swatch { margin-right: .3rem; vertical-align: -2px; }
.empty { fill: var(--panel); stroke: var(--line); } .axis { stroke: var(--soft); fill: none; }
.watch { fill: var(--watch); } .seen { fill: var(--seen); } .fewer { fill: var(--fewer); }
pattern .paused { fill: var(--paused); } pattern .killed { fill: var(--killed); }
.stroke { stroke: var(--stroke); stroke-width: 1; } .hatch { stroke: var(--seen); stroke-width: 1.5; }
.whisker { stroke: var(--seen); stroke-width: 2; fill: none; } .dot { fill: var(--seen); }
.more { fill: var(--killed); }
.line { fill: none; stroke-width: 1.5; } .line-seen { stroke: var(--seen); stroke-width: 2.5; }
.line-watch { stroke: var(--watch); stroke-dasharray: 2 4; } .line-paused { stroke: var(--paused); stroke-dasharray: 7 4; }
.line-killed { stroke: var(--killed); } .label { fill: var(--soft); font-size: 12px; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .8rem; font-size: .9em; }
@media print { body { max-width: none; padding: 0; } }
`;
