import { createHash } from 'node:crypto';
import { shortForm } from '../../domain/command.ts';
import type { Output } from '../../domain/output.ts';

const REASON_MAX = 200;

/**
 * What is said when the broker refuses an output for good: the same ids and the same order to act, without what can
 * be long. Undefined where leaving something out would say something else.
 */
export function minimalForm(output: Output): Output | undefined {
  switch (output.topic) {
    case 'commands':
      return { ...output, command: shortForm(output.command) };
    case 'findings': {
      const { id, code, time, position, policyHash, reason, session, level, rule, severity } = output.finding;
      const { command, request, view, decision, refusal, scope } = output.finding;
      return {
        ...output,
        finding: {
          id,
          code,
          time,
          position,
          policyHash,
          reason: reason.slice(0, REASON_MAX),
          ...(session === undefined ? {} : { session }),
          ...(level === undefined ? {} : { level }),
          ...(rule === undefined ? {} : { rule }),
          ...(severity === undefined ? {} : { severity }),
          ...(command === undefined ? {} : { command }),
          ...(request === undefined ? {} : { request }),
          ...(view === undefined ? {} : { view }),
          ...(decision === undefined ? {} : { decision }),
          ...(refusal === undefined ? {} : { refusal }),
          ...(scope === undefined ? {} : { scope }),
        },
      };
    }
    case 'quarantine': {
      const { raw } = output;
      const value = raw.value ?? new Uint8Array();
      const headers = {
        'firebreak.dlq.digest': `sha256:${createHash('sha256').update(value).digest('hex')}`,
        'firebreak.dlq.size': String(value.length),
      };
      const reason = output.reason.slice(0, REASON_MAX);
      return { ...output, key: null, reason, raw: { ...raw, key: null, value: null, headers } };
    }
    // Small as they are; a restated state with less in it would be another state, an audit entry another chain.
    case 'verdicts':
    case 'audit':
    case 'leases':
    case 'acks':
    case 'actions':
      return undefined;
  }
}
