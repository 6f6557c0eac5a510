import type { Logger } from 'pino';
import type { Stats } from '../adapters/telemetry/stats.ts';
import type { traceBatch } from '../adapters/telemetry/tracing.ts';
import type { Output } from '../domain/output.ts';

/** What metrics, logs and traces say of an output, once it is published. */
export function tell(
  output: Output,
  trace: ReturnType<typeof traceBatch>,
  { stats, logger }: { stats: Stats; logger: Logger },
): void {
  if (output.topic === 'findings') stats.countFinding(output.finding);
  if (output.topic === 'audit') stats.observeAudit(output.entry);
  if (output.topic !== 'commands') return;
  const { command, attempt = 1 } = output;
  if (attempt > 1) return; // told by the finding that says why
  stats.countCommand(command);
  const traceId = trace.decision(command);
  if (traceId !== undefined) stats.noteTrace(command.id, traceId);
  const { id, action, session, rule, score, threshold, reason, position } = command;
  logger.warn({ id, action, session, rule, score, threshold, reason, position }, 'command published');
}
