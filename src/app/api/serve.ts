import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { bearerVerifier } from '../../adapters/http/bearer.ts';
import { Webhooks } from '../../adapters/http/webhooks.ts';
import { partitionCount } from '../../adapters/kafka/topic-facts.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import type { Finding } from '../../domain/finding.ts';
import { checkApiSettings } from '../api-config.ts';
import type { Config } from '../config.ts';
import { DecisionDesk } from '../decision-desk.ts';
import { kafkaOf, outletOf } from '../kafka-parts.ts';
import { loadKeyFile } from '../keys.ts';
import { LiveView } from './live-view.ts';
import { noticeOf } from './notices.ts';
import { createApi } from './server.ts';
import { readTrail } from './trail.ts';

export interface ApiService {
  readonly port: number;
  /** Fulfilled after `stop`, rejected when the process cannot go on. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the API, or throws. It reads findings, verdicts and the audit trail from Kafka and appends decisions that it
 * signs; it never talks to Redis, and holds nothing that another process of its kind does not hold too.
 */
export async function startApi(config: Config, logger: Logger): Promise<ApiService> {
  const settings = checkApiSettings(config.api);
  const clock = systemClock;
  const { signing: signingKey } = await loadKeyFile(config.keys.file);
  const { topicPrefix } = config.kafka;
  const kafka = kafkaOf(config, logger);
  const partitions = await partitionCount(kafka, `${topicPrefix}actions`);
  const outlet = outletOf(config, { kafka, logger, signingKey, onMinimalForm: () => {} });
  const desk = new DecisionDesk({ outlet, partitions, clock });
  const view = new LiveView({ kafka, topicPrefix, historyMs: settings.historyMs, clock, logger });
  const webhooks = new Webhooks({ urls: settings.webhookUrls, secret: settings.webhookSecret ?? '', clock, logger });
  const tell = (finding: Finding) => {
    const notice = noticeOf(finding);
    if (notice !== undefined) webhooks.tell(notice);
  };
  view.listen((finding) => desk.heard(finding));
  view.listen(tell);
  const app = await createApi({
    settings,
    verify: bearerVerifier(settings),
    view,
    desk,
    trailOf: (session) =>
      readTrail(kafka, { topic: `${topicPrefix}audit`, partitions }, session, clock.nowMs() - settings.historyMs),
    clock,
    logger,
  });
  const stop = async () => {
    await app.close();
    await view.stop();
    await webhooks.stop();
    await outlet.close();
  };
  try {
    await view.start();
    // What was asked while nobody was here to tell of it. Who was told already knows it by its id.
    for (const { request } of view.board.all()) if (request !== undefined) tell(request);
    await app.listen({ host: settings.host, port: settings.port });
  } catch (error) {
    await stop();
    throw error;
  }
  const { port } = app.server.address() as AddressInfo;
  logger.info(
    { host: settings.host, port, issuer: settings.issuer, webhooks: settings.webhookUrls.length },
    'api serves',
  );
  return { port, ended: view.ended, stop };
}
