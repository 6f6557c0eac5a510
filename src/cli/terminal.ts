import pc from 'picocolors';

/** Colours for a person at a terminal; plain text for a file, a pipe, and whoever set NO_COLOR. */
export function terminal(): ReturnType<typeof pc.createColors> {
  return pc.createColors(process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '');
}
