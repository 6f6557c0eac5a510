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
    },
    to,
  );
}

const LEVELS: Record<KafkaLevel, Level | undefined> = {
  [logLevel.NOTHING]: undefined,
  [logLevel.ERROR]: 'error',
  [logLevel.WARN]: 'warn',
  [logLevel.INFO]: 'info',
  [logLevel.DEBUG]: 'debug',
};

/** Options that make a kafkajs client write to `logger`. It formats nothing that the logger would not write. */
export function kafkajsLogging(logger: Logger): { logLevel: KafkaLevel; logCreator: () => (entry: LogEntry) => void } {
  const enabled = [logLevel.DEBUG, logLevel.INFO, logLevel.WARN, logLevel.ERROR];
  return {
    logLevel: enabled.find((level) => logger.isLevelEnabled(LEVELS[level]!)) ?? logLevel.NOTHING,
    logCreator:
      () =>
      ({ namespace, level, log: { message, timestamp: _ours, logger: _name, ...fields } }) => {
        const name = LEVELS[level];
        if (name !== undefined) logger[name]({ kafkajs: namespace, ...fields }, message);
      },
  };
}
