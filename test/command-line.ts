import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<Allowed extends Options> = ReturnType<typeof parseArgs<{ args: string[]; options: Allowed }>>['values'];

/** Of a command of `npm run`. `--help` ends the process with the usage; what is no option of it does, with one line. */
export function readOptions<const Allowed extends Options>(usage: string, options: Allowed): Values<Allowed> {
  const args = process.argv.slice(2);
  helpIfAsked(usage, args);
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    return refuse(`${(error as Error).message.split('\n')[0]}; --help names them`);
  }
}

export function helpIfAsked(usage: string, args: readonly string[]): void {
  if (!args.includes('--help')) return;
  console.log(usage);
  process.exit();
}

/** Ends the process where its arguments are of no use. */
export function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}
