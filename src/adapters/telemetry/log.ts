import kafkajs, { type logLevel as KafkaLevel, type LogEntry } from 'kafkajs';
import { type DestinationStream, destination, type Level, type LevelWithSilent, type Logger, pino } from 'pino';

// The CommonJS of kafkajs names only `Kafka` in a way that Node sees.
const { logLevel } = kafkajs;

/**
 * JSON lines on stderr: stdout belongs to the output of commands. Decisions, refusals and what happens to the process
 * are logged, events are not. What comes from an event goes into a field, never into the message: `msg` is one of a
 * fixed set of sentences, and nobody can write a log line by naming a tool.
 */
export function createLogger(
  level: LevelWithSilent,
  to: DestinationStream = destination({ dest: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: toldOfError },
    },
    to,
  );
}

const TOLD_OF_ERRORS = ['type', 'message', 'stack', 'code', 'broker', 'topic', 'partition', 'reason', 'retriable'];

/**
 * The named fields and no others. Clients hang what they were doing on their errors: ioredis the arguments of the
 * command, which is the password after a refused AUTH and the state of sessions after a refused checkpoint.
 */
function toldOfError(error: Error): Record<string, unknown> {
  const all: Record<string, unknown> = { ...pino.stdSerializers.err(error) };
  const told = Object.fromEntries(
    TOLD_OF_ERRORS.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])),
  );
  const { command } = all as { command?: { name?: unknown } };
  return command?.name === undefined ? told : { ...told, command: command.name };
}

/**
 * What kafkajs calls news, each pause and each resumption of a topic, is for whoever looks into the client: which partitions
 * this process holds and took over we say ourselves. Its debug lines are the requests, one by one.
 */
const LEVELS: Record<KafkaLevel, Level | undefined> = {
  [logLevel.NOTHING]: undefined,
  [logLevel.ERROR]: 'error',
  [logLevel.WARN]: 'warn',
  [logLevel.INFO]: 'debug',
  [logLevel.DEBUG]: 'trace',
};

/**
 * A broker that is new has no coordinator for a group yet. kafkajs writes the answer down as an error, and then asks again for
 * ten seconds by itself; where that was in vain, it throws, and whoever called says so.
 */
function asksAgain({ namespace, log: { message, error } }: LogEntry): boolean {
  return (
    namespace === 'Connection' &&
    message.startsWith('Response GroupCoordinator(') &&
    error === 'The group coordinator is not available'
  );
}

/** Options that make a kafkajs client write to `logger`. It formats nothing that the logger would not write. */
export function kafkajsLogging(logger: Logger): { logLevel: KafkaLevel; logCreator: () => (entry: LogEntry) => void } {
  const enabled = [logLevel.DEBUG, logLevel.INFO, logLevel.WARN, logLevel.ERROR];
  return {
    logLevel: enabled.find((level) => logger.isLevelEnabled(LEVELS[level]!)) ?? logLevel.NOTHING,
    logCreator: () => (entry) => {
      const { namespace, level, log } = entry;
      const { message, timestamp: _ours, logger: _name, ...fields } = log;
      const name = LEVELS[asksAgain(entry) ? logLevel.INFO : level];
      if (name !== undefined) logger[name]({ kafkajs: namespace, ...fields }, message);
    },
  };
}
