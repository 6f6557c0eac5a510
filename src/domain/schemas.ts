import type { z } from 'zod';
import { AuditEntry } from './audit.ts';
import { BaselineDocument } from './baseline.ts';
import { Command } from './command.ts';
import { ActionEvent } from './event.ts';
import { Finding } from './finding.ts';
import { Lease, Verdict } from './output.ts';
import { CONTROL_RECORDS } from './record.ts';
import { PolicyBody, PolicyDocument } from './rule.ts';
import { AuthoredIntent, AuthoredRule, ExceptionDocument, ListDocument, MacroDocument } from './rule-fragment.ts';
import { RuleTestFile } from './rule-test.ts';
import { SessionState } from './session.ts';

/** Everything that others read or write, by the name of its file in `schema/`. */
export const SCHEMAS: Record<string, z.ZodType> = {
  rule: AuthoredRule,
  intent: AuthoredIntent,
  list: ListDocument,
  macro: MacroDocument,
  exception: ExceptionDocument,
  'rule-tests': RuleTestFile,
  policy: PolicyDocument,
  'policy-body': PolicyBody,
  baseline: BaselineDocument,
  'action-event': ActionEvent,
  command: Command,
  finding: Finding,
  audit: AuditEntry,
  verdict: Verdict,
  lease: Lease,
  'session-state': SessionState,
  ...Object.fromEntries(
    Object.entries(CONTROL_RECORDS).map(([type, schema]) => [
      `record-${type.replace(/\.v1$/, '').replaceAll('.', '-')}`,
      schema,
    ]),
  ),
};
