import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { registerActivate } from './activate.ts';
import { registerAudit } from './audit.ts';
import { registerBacktest } from './backtest.ts';
import { registerBaseline } from './baseline.ts';
import { registerCapture } from './capture.ts';
import { registerCheck } from './check.ts';
import { registerDecide } from './decide.ts';
import { registerDemo } from './demo.ts';
import { registerDoctor } from './doctor.ts';
import { registerExplain } from './explain.ts';
import { registerInit } from './init.ts';
import { registerKeys } from './keys.ts';
import { registerLearn } from './learn.ts';
import { registerProduce } from './produce.ts';
import { registerReplay } from './replay.ts';
import { registerRun } from './run.ts';
import { registerSchema } from './schema.ts';
import { registerServe } from './serve.ts';
import { registerSessions } from './sessions.ts';
import { PACKAGE } from './shipped.ts';
import { registerShow } from './show.ts';
import { registerTest } from './test.ts';

/** Set to anything, errors come with their stack. */
const DEBUG_VARIABLE = 'FIREBREAK_DEBUG';

export function createProgram(): Command {
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
  registerDemo(program);
  registerReplay(program);
  registerExplain(program);
  registerBacktest(program);
  registerCheck(program);
  registerTest(program);
  registerInit(program);
  registerRun(program);
  registerDoctor(program);
  registerActivate(program);
  registerLearn(program);
  registerBaseline(program);
  registerCapture(program);
  registerProduce(program);
  registerServe(program);
  registerSessions(program);
  registerShow(program);
  registerDecide(program);
  registerAudit(program);
  registerKeys(program);
  registerSchema(program);
  return program;
}

export async function main(argv: readonly string[]): Promise<void> {
  const program = createProgram().exitOverride();
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
