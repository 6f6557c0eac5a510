import type { Access, SessionTrail } from '../app/audit/session-trail.ts';
import type { Chain, TrailFault } from '../app/audit/trail.ts';
import type { AuditEntry } from '../domain/audit.ts';
import { plainText } from '../domain/explain.ts';
import type { Finding } from '../domain/finding.ts';
import { counted } from './check.ts';
import { hanging } from './columns.ts';

const TEXT_MAX = 400;

/** Whether the trail is whole, in one line; the first place where it is not, in the next. */
export function verifiedText({
  chains,
  faults,
  commands,
  findings,
}: {
  chains: readonly Chain[];
  faults: readonly TrailFault[];
  commands: number;
  findings: number;
}): string {
  const entries = chains.reduce((sum, one) => sum + one.entries, 0);
  const repeated = chains.reduce((sum, one) => sum + one.repeated, 0);
  const cut = chains.filter(({ from }) => from > 0).length;
  const counts = [
    `${counted(entries, 'entry', 'entries')} in ${counted(chains.length, 'chain')}`,
    ...(repeated === 0 ? [] : [`${repeated} repeated`]),
    ...(cut === 0 ? [] : [`${counted(cut, 'chain')} without the beginning, which retention took`]),
    `${counted(commands, 'command')} and ${counted(findings, 'finding')} compared`,
  ];
  const [first] = faults;
  if (first === undefined) return `the trail is whole: ${counts.join(', ')}\n`;
  const more = faults.length === 1 ? '' : `\nand ${counted(faults.length - 1, 'place')} more`;
  return `${first.place}: ${first.kind}: ${plainText(first.reason, TEXT_MAX)}${more}\nthe trail is NOT whole: ${counts.join(', ')}\n`;
}

/** Who asked for what, what it tried and got, what was done about it, and who decided what on which view. */
export function sessionTrailText(trail: SessionTrail, width: number): string {
  const { session, agent, principals, delegations, tenant, prompts, access, entries } = trail;
  const through = delegations.map((chain) => chain.map(shown).join(' > '));
  const lines = [
    `session ${shown(session)}`,
    ...row('agent', [agent, tenant && `tenant ${tenant}`]),
    ...row('for', principals),
    ...row('through', through),
    ...row('asked', prompts),
    ...access.flatMap((one, n) => hanging(n === 0 ? '  tried    ' : '           ', accessText(one), width)),
    '',
    ...entries.flatMap((entry) => hanging(`${entry.time}  `, entryText(entry), width)),
    ...(entries.length === 0 ? ['Nothing was ever said or done about it.'] : []),
  ];
  return `${lines.join('\n')}\n`;

  function row(name: string, values: readonly (string | undefined)[]): string[] {
    const known = values.filter((value) => value !== undefined && value !== '').map((value) => shown(value!));
    return known.length === 0 ? [] : hanging(`  ${name.padEnd(8)} `, known.join(', '), width);
  }
}

function accessText({ tool, action, attempts, accessed, accessedMore }: Access): string {
  const tries = Object.entries(attempts).filter(([, count]) => count > 0);
  const what = tries.map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  const more = accessedMore === 0 ? '' : ` and ${accessedMore} more`;
  const did = accessed.length === 0 ? '' : `; did access ${accessed.map(shown).join(', ')}${more}`;
  return `${shown(tool)} (${action}): ${what}${did}`;
}

function entryText({ command, finding, published, acknowledged }: AuditEntry): string {
  if (command !== undefined)
    return `${command.action} ordered: ${shown(command.reason)} [${command.rule}, ${command.id}]`;
  if (published !== undefined) return `${published.command} is out, ${published.detectToPublishMs} ms after its cause`;
  if (acknowledged !== undefined) {
    const { enforcer, command: of, status, reason } = acknowledged;
    return `${shown(enforcer)} says of ${of}: ${status}${reason === undefined ? '' : `, ${shown(reason)}`}`;
  }
  return finding === undefined ? 'an entry about nothing' : findingText(finding);
}

function findingText({ code, reason, level, view, decision, evidence, refusal }: Finding): string {
  const moved = level === undefined ? '' : ` (${level.from} to ${level.to})`;
  const saw = view === undefined ? '' : `; view ${view}`;
  const by =
    decision === undefined
      ? ''
      : `; decided by ${shown(decision.by.id)}${decision.view === undefined ? '' : `, who saw ${decision.view}`}`;
  const steps =
    code === 'decision_requested' && evidence !== undefined
      ? `; the approver sees ${counted(evidence.length, 'step')}`
      : '';
  return `${code}${refusal === undefined ? '' : ` ${refusal}`}${moved}: ${shown(reason)}${steps}${saw}${by}`;
}

function shown(text: string): string {
  return plainText(text, TEXT_MAX);
}
