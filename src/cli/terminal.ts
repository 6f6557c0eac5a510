import pc from 'picocolors';

/** Columns of the terminal; a file or a pipe has no end of a line. */
export function terminalWidth(): number {
  return process.stdout.isTTY === true ? process.stdout.columns : Number.POSITIVE_INFINITY;
}

/** Colours for a person at a terminal; plain text for a file, a pipe, and whoever set NO_COLOR. */
export function terminal(): ReturnType<typeof pc.createColors> {
  return pc.createColors(process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '');
}
