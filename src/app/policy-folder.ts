import type { PolicyBody } from '../domain/rule.ts';
import { diagnosticLine, loadRules } from './rule-folder.ts';

/** The rules have mistakes. The message lists them all; a policy is whole or it is none. */
export class RulesRefused extends Error {
  override readonly name = 'RulesRefused';
}

/** The policy that a folder of rules makes. */
export async function loadPolicyFolder(path: string): Promise<PolicyBody> {
  const { body, diagnostics } = await loadRules([path]);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new RulesRefused(`the rules have mistakes:\n${errors.map(diagnosticLine).join('\n')}`);
  return body;
}
