import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { PACKAGE } from './shipped.ts';

/** Set to anything, errors come with their stack. */
const DEBUG_VARIABLE = 'FIREBREAK_DEBUG';

/**
 * Every verb, in the order of the help. One is loaded when it is called: they bring Kafka, HTTP and mathematics along, and
 * whoever looks at a key waits for none of these.
 */
const VERBS: readonly { names: readonly string[]; load: () => Promise<(program: Command) => void> }[] = [
  { names: ['demo'], load: async () => (await import('./demo.ts')).registerDemo },
  { names: ['replay'], load: async () => (await import('./replay.ts')).registerReplay },
  { names: ['explain'], load: async () => (await import('./explain.ts')).registerExplain },
  { names: ['backtest'], load: async () => (await import('./backtest.ts')).registerBacktest },
  { names: ['check'], load: async () => (await import('./check.ts')).registerCheck },
  { names: ['test'], load: async () => (await import('./test.ts')).registerTest },
  { names: ['init'], load: async () => (await import('./init.ts')).registerInit },
  { names: ['run'], load: async () => (await import('./run.ts')).registerRun },
  { names: ['doctor'], load: async () => (await import('./doctor.ts')).registerDoctor },
  { names: ['activate'], load: async () => (await import('./activate.ts')).registerActivate },
  { names: ['learn'], load: async () => (await import('./learn.ts')).registerLearn },
  { names: ['baseline'], load: async () => (await import('./baseline.ts')).registerBaseline },
  { names: ['regroup'], load: async () => (await import('./regroup.ts')).registerRegroup },
  { names: ['capture'], load: async () => (await import('./capture.ts')).registerCapture },
  { names: ['produce'], load: async () => (await import('./produce.ts')).registerProduce },
  { names: ['serve'], load: async () => (await import('./serve.ts')).registerServe },
  { names: ['sessions'], load: async () => (await import('./sessions.ts')).registerSessions },
  { names: ['show'], load: async () => (await import('./show.ts')).registerShow },
  {
    names: ['release', 'reject', 'pause', 'kill', 'lift'],
    load: async () => (await import('./decide.ts')).registerDecide,
  },
  { names: ['audit'], load: async () => (await import('./audit.ts')).registerAudit },
  { names: ['keys'], load: async () => (await import('./keys.ts')).registerKeys },
  { names: ['schema'], load: async () => (await import('./schema.ts')).registerSchema },
];

/** With the verb that is called; with all of them where it is none, or help is asked for. */
export async function createProgram(called: string | undefined): Promise<Command> {
  const { version, description } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as Record<
    'version' | 'description',
    string
  >;
  const program = new Command('firebreak')
    .description(`${description}.`)
    .version(version, '-V, --version')
    .helpCommand('help [verb]', 'how a verb is used')
    .showHelpAfterError('(add --help for how it is used)')
    .addHelpText(
      'after',
      '\nA first look, with nothing else on the machine:' +
        '\n  firebreak demo                          a recorded day of eight agents, live' +
        '\n  firebreak replay events.ndjson          judge your own events from a file' +
        '\n  firebreak explain SESSION --from FILE   why it was stopped, what would have spared it' +
        '\n\nOn Kafka and Redis:' +
        '\n  firebreak init --rules my-rules         topics, a development key, the first policy' +
        '\n  firebreak run                           judge the log, write commands' +
        '\n  firebreak doctor                        what is wrong with the deployment, and what mends it' +
        '\n  firebreak produce                       the day of the demo into the log, to try a deployment' +
        '\n  firebreak capture --out run.ndjson.gz   the log as a file that replays the same' +
        '\n  firebreak keys make FILE --roles owner  a key of its own for each role' +
        '\n\nOn call:' +
        '\n  firebreak sessions                      what is paused or killed, and what waits for you' +
        '\n  firebreak show SESSION                  why, and what an answer would be about' +
        '\n  firebreak release SESSION --grant "5 marks, 10m"' +
        '\n  firebreak reject SESSION                also: pause, kill, and lift for orders' +
        '\n  firebreak serve                         the same over HTTP, with live events and webhooks' +
        '\n  firebreak audit show SESSION            who decided what about it, and on which view' +
        '\n\nRules and intents:' +
        '\n  firebreak check my-rules                every mistake, with file, line and column' +
        '\n  firebreak test my-rules                 run the tests that stand beside the rules' +
        '\n  firebreak backtest events.ndjson --rules my-rules --against rules' +
        '\n                                          which sessions would end differently' +
        '\n  firebreak learn october.ndjson.gz --rules my-rules' +
        '\n                                          what ordinary work looks like, for the intents' +
        '\n  firebreak baseline diff rules my-rules   what a new baseline says differently' +
        `\n\nErrors are one line; ${DEBUG_VARIABLE}=1 adds the stack.`,
    );
  const named = VERBS.filter(({ names }) => called !== undefined && names.includes(called));
  for (const { load } of named.length > 0 ? named : VERBS) (await load())(program);
  return program;
}

export async function main(argv: readonly string[]): Promise<void> {
  const program = (await createProgram(argv[2])).exitOverride();
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) command.exitOverride();
  try {
    await program.parseAsync(argv);
  } catch (error) {
    // Commander has said it already; without an error it is --help or --version.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 1;
    else {
      process.stderr.write(`${errorText(error, process.env[DEBUG_VARIABLE])}\n`);
      process.exitCode = 1;
    }
  }
}

function errorText(error: unknown, debug: string | undefined): string {
  if (!(error instanceof Error)) return `firebreak: ${String(error)}`;
  if (debug !== undefined && debug !== '') return error.stack ?? error.message;
  return `firebreak: ${error.message}`;
}
