import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { partitionCount } from '../adapters/kafka/topic-facts.ts';
import { TopicFollower } from '../adapters/kafka/topic-follower.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { createLogger } from '../adapters/telemetry/log.ts';
import { type DecisionAnswer, DecisionDesk } from '../app/decision-desk.ts';
import { kafkaOf, outletOf } from '../app/kafka-parts.ts';
import { loadKeyFile, readKeyFile } from '../app/keys.ts';
import { jsonOf } from '../app/session-history.ts';
import { Decision, type Grant, ORDER_SCOPES, scopeText } from '../domain/decision.ts';
import { Finding } from '../domain/finding.ts';
import { GRANT_ALLOWED, grantText, parseGrant } from '../formats/grant-text.ts';
import { configOf, configOptions } from './settings.ts';
import { historyOf, historyText } from './show.ts';
import { SINCE_DEFAULT_MS } from './since.ts';
import { terminalWidth } from './terminal.ts';

const ANSWER_WITHIN_MS = 15_000;

interface Options extends Record<string, unknown> {
  by: string;
  reason?: string;
  grant?: Grant;
  view?: string;
  agent?: string;
  principal?: string;
  tenant?: string;
}

export function registerDecide(program: Command): void {
  const release = verb(program, 'release', 'let a paused session go on, within bounds')
    .argument('<session>', 'its id')
    .option('--grant <text>', `how far it may go: ${GRANT_ALLOWED}`, grantOption)
    .option('--view <digest>', 'digest of the request that you saw; default: the one in force now')
    .addHelpText(
      'after',
      '\nAt the bound, at the end of the time, or at a target that is not named, it is paused again and asks again.' +
        '\n\nExample:\n  firebreak release conv-8842 --grant "5 marks, 10m" --reason "cleanup agreed with Kim"',
    );
  withKafka(release).action((session: string, options: Options) => answer('release', session, options));

  const reject = verb(program, 'reject', 'answer a paused session with no: it is killed')
    .argument('<session>', 'its id')
    .option('--view <digest>', 'digest of the request that you saw; default: the one in force now');
  withKafka(reject).action((session: string, options: Options) => answer('reject', session, options));

  for (const kind of ['pause', 'kill'] as const) {
    const told = kind === 'pause' ? 'pause a session, or everything of a scope' : 'kill a session, for ever';
    const command = verb(program, kind, told)
      .argument('[session]', 'its id; or a scope')
      .addHelpText('after', SCOPE_HELP);
    withKafka(scoped(command)).action((session: string | undefined, options: Options) => order(kind, session, options));
  }
  const lift = verb(program, 'lift', 'end a standing order before it expires').addHelpText('after', SCOPE_HELP);
  withKafka(scoped(lift)).action((options: Options) => order('lift', undefined, options));
}

const SCOPE_HELP =
  '\nAn order holds for all sessions of the agent, principal or tenant, also for those that begin later, until' +
  '\nfirebreak lift. It pauses, whatever it asks for: nobody kills a whole tenant with one line.' +
  '\n\nExample:\n  firebreak pause --tenant corp --reason "stolen token"\n  firebreak lift --tenant corp --reason "rotated"';

function verb(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--by <id>', 'who decides, as your company names you', userInfo().username)
    .option('--reason <text>', 'why; whoever looks into it later reads this');
}

function scoped(command: Command): Command {
  for (const scope of ORDER_SCOPES) command.option(`--${scope} <id>`, `all sessions of this ${scope}`);
  return command;
}

function withKafka(command: Command): Command {
  return configOptions(command, (path) => path.startsWith('kafka.') || path === 'keys.file');
}

function grantOption(text: string): Grant {
  const parsed = parseGrant(text);
  if (parsed.ok) return parsed.grant;
  throw new InvalidArgumentError(parsed.problem);
}

async function answer(kind: 'release' | 'reject', session: string, options: Options): Promise<void> {
  const history = await historyOf(session, options, SINCE_DEFAULT_MS * 7);
  const { view } = history;
  const request = view?.request;
  if (request === undefined) {
    throw new Error(
      `session "${session}" is ${view?.level ?? 'clear'} and waits for no answer; firebreak sessions lists what does`,
    );
  }
  if (options.view !== undefined && options.view !== request.view) {
    throw new Error(
      `--view: found ${options.view}, but the request in force is ${request.view}; look again: firebreak show ${session}`,
    );
  }
  if (process.stdin.isTTY) say(historyText(session, history, terminalWidth()).join('\n'));
  if (kind === 'release' && options.grant === undefined) {
    options.grant = grantOption(await asked('grant', `How far may it go? (${GRANT_ALLOWED})`));
  }
  const reason = options.reason ?? (await asked('reason', 'Why?'));
  await decide(options, {
    kind,
    session,
    reason,
    command: request.request!.command,
    view: request.view!,
    ...(kind === 'release' ? { grant: options.grant } : {}),
  });
}

async function order(kind: 'pause' | 'kill' | 'lift', session: string | undefined, options: Options): Promise<void> {
  const scopes = ORDER_SCOPES.flatMap((type) =>
    options[type] === undefined ? [] : [{ type, id: String(options[type]) }],
  );
  const [scope] = scopes;
  if (scopes.length + (session === undefined ? 0 : 1) !== 1) {
    const allowed = [...(kind === 'lift' ? [] : ['a session']), ...ORDER_SCOPES.map((one) => `--${one} ID`)];
    throw new Error(`name exactly one of: ${allowed.join(', ')}`);
  }
  const reason = options.reason ?? (await asked('reason', 'Why?'));
  await decide(options, { kind, reason, ...(scope === undefined ? { session } : { scope }) });
}

/** What a person at a terminal is asked for, and a script has to say. */
async function asked(option: string, question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new Error(`--${option} is missing`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const text = (await terminal.question(`${question} `)).trim();
    if (text === '') throw new Error(`--${option} is missing; nothing was decided`);
    return text;
  } finally {
    terminal.close();
  }
}

async function decide(options: Options, about: Omit<Partial<Decision>, 'id' | 'by'>): Promise<void> {
  const decision = Decision.parse({ ...about, id: `cli-${randomUUID()}`, by: { id: options.by, type: 'user' } });
  const config = configOf(options);
  const { roles } = (await readKeyFile(config.keys.file)).key;
  if (!roles.includes('decider') && !roles.includes('owner')) {
    throw new Error(`${config.keys.file}: its key has the role ${roles.join(', ')}; a decision needs decider`);
  }
  const { signing: signingKey } = await loadKeyFile(config.keys.file);
  const logger = createLogger('error');
  const kafka = kafkaOf(config, logger);
  const { topicPrefix } = config.kafka;
  const partitions = await partitionCount(kafka, `${topicPrefix}actions`);
  const outlet = outletOf(config, { kafka, logger, signingKey, onMinimalForm: () => {} });
  const desk = new DecisionDesk({ outlet, partitions, clock: systemClock });
  const follower = new TopicFollower({
    kafka,
    topics: [{ topic: `${topicPrefix}findings`, from: 'end' }],
    clock: systemClock,
    logger,
    onRecord(_topic, _partition, record) {
      const finding = jsonOf(Finding, record);
      if (finding !== undefined) desk.heard(finding);
    },
  });
  try {
    await follower.start();
    tell(decision, await desk.decide(decision, ANSWER_WITHIN_MS));
  } finally {
    await follower.stop();
    await outlet.close();
  }
}

function tell(decision: Decision, { findings, expected }: DecisionAnswer): void {
  const what = `${decision.kind} of ${decision.session ?? scopeText(decision.scope!)}`;
  const refusals = findings.filter(({ code }) => code === 'decision_refused');
  const grant = decision.grant === undefined ? '' : ` (${grantText(decision.grant)})`;
  for (const reason of new Set(refusals.map((one) => `${one.refusal}: ${one.reason}`)))
    say(`${what}: refused, ${reason}`);
  if (refusals.length > 0) process.exitCode = 1;
  const accepted = findings.filter(({ code }) => code !== 'decision_refused');
  for (const reason of new Set(accepted.map((one) => one.reason))) say(`${what}${grant}: accepted, ${reason}`);
  if (findings.length === expected) return;
  const where = expected === 1 ? '' : ` in ${expected - findings.length} of ${expected} partitions`;
  say(
    `${what}: written, not judged yet${where}. It counts as soon as the log is judged; is firebreak run up? ` +
      'Do not repeat it: firebreak show tells what came of it.',
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
