import type { Command } from 'commander';
import { createLogger } from '../adapters/telemetry/log.ts';
import { startService } from '../app/service.ts';
import { configOf, configOptions } from './settings.ts';
import { packageVersion } from './shipped.ts';
import { startWatchdog } from './watchdog.ts';

export function registerRun(program: Command): void {
  const run = program
    .command('run')
    .description('judge the log: Kafka in, commands out, state in Redis')
    .addHelpText(
      'after',
      '\nThe topics must be there: firebreak init. Stops on SIGTERM or SIGINT after it has saved; exit code 0.' +
        '\nExit code 1: it did not start, or could not go on; the last log line says why.' +
        '\n\nExample:\n  firebreak run --brokers localhost:9092 --redis redis://localhost:6379 --rules rules',
    );
  configOptions(run).action(async (flags: Record<string, unknown>) => {
    const config = configOf(flags);
    const logger = createLogger(config.log.level);
    startWatchdog();
    if (makesCodeOfStrings()) logger.warn(`strings can become code in this process; set NODE_OPTIONS=${NO_CODE}`);
    const service = await startService(config, logger, packageVersion());
    const stopping = new Promise<string>((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
    });
    const first = await Promise.race([stopping, service.ended.catch((error: Error) => error)]);
    if (typeof first !== 'string') {
      logger.fatal({ err: first }, 'firebreak cannot go on');
      process.exitCode = 1;
    } else {
      logger.info({ signal: first }, 'stopping');
    }
    // A stop that hangs must not keep a process that judges nothing: what is unsaved will be judged again.
    setTimeout(() => {
      logger.error('stopping took too long; exiting');
      process.exit(1);
    }, config.shutdown.deadlineMs).unref();
    await service.stop();
    logger.info('stopped');
    // kafkajs leaves timers behind that would keep the process for a while.
    process.exit();
  });
}

const NO_CODE = '--disallow-code-generation-from-strings';

/** The flag works from the start of a process only, so whoever starts it has to set it. */
function makesCodeOfStrings(): boolean {
  try {
    new Function('');
    return true;
  } catch {
    return false; // and that is what is wanted
  }
}
