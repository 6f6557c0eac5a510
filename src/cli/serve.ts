import type { Command } from 'commander';
import { createLogger } from '../adapters/telemetry/log.ts';
import { configOf, configOptions } from './settings.ts';

export function registerServe(program: Command): void {
  const serve = program
    .command('serve')
    .description('the HTTP API for consoles and chat tools: sessions, answers, live events, webhooks')
    .addHelpText(
      'after',
      '\nIt wants tokens of your identity provider: set api.issuer and api.jwksUrl. GET /openapi.json lists the routes.' +
        '\nStops on SIGTERM or SIGINT. Exit code 1: it did not start, or could not go on; the last log line says why.' +
        '\n\nExample (Keycloak, realm corp):' +
        '\n  FIREBREAK_API__ISSUER=https://id.corp.example/realms/corp \\' +
        '\n  FIREBREAK_API__JWKS_URL=https://id.corp.example/realms/corp/protocol/openid-connect/certs \\' +
        '\n  firebreak serve --brokers localhost:9092 --keys serve.keys.json',
    );
  const used = (path: string) => path.startsWith('kafka.') || path.startsWith('api.') || USED.has(path);
  configOptions(serve, used).action(run);
}

const USED: ReadonlySet<string> = new Set(['keys.file', 'log.level']);

async function run(flags: Record<string, unknown>): Promise<void> {
  const config = configOf(flags);
  const logger = createLogger(config.log.level);
  // Only here: the web server costs every other verb its start.
  const { startApi } = await import('../app/api/serve.ts');
  const service = await startApi(config, logger);
  const stopping = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  const first = await Promise.race([stopping, service.ended.catch((error: Error) => error)]);
  if (typeof first === 'string') logger.info({ signal: first }, 'stopping');
  else {
    logger.fatal({ err: first }, 'firebreak cannot go on');
    process.exitCode = 1;
  }
  setTimeout(() => process.exit(1), config.shutdown.deadlineMs).unref();
  await service.stop();
  process.exit();
}
