import { describe, expect, it } from 'vitest';
import { SessionTrailReader } from '../../../src/app/audit/session-trail.ts';
import { Trail } from '../../../src/app/audit/trail.ts';
import type { AuditEntry } from '../../../src/domain/audit.ts';
import { shortForm } from '../../../src/domain/command.ts';
import type { Output } from '../../../src/domain/output.ts';
import { Log, planOf } from '../../engine/harness.ts';

const RULES = [{ id: 'deletes', match: { action: 'delete' }, within: '1h', when: { pause: 'n > 3' } }];

/** What a session leaves that is paused, released and killed by a person. */
const outputs = (() => {
  const log = new Log(planOf(RULES));
  const said: Output[] = [];
  for (let n = 0; n < 4; n++) said.push(...log.act(n, { principal: { id: 'kim' }, prompt: { ref: 'p-1' } }));
  said.push(...log.published(10, said));
  said.push(...log.decide(20, { kind: 'release', grant: { marks: 5 }, by: { id: 'lee' }, ...log.request }));
  said.push(...log.decide(30, { kind: 'kill', by: { id: 'lee' }, reason: 'enough' }));
  return said;
})();
const of = <T extends Output['topic']>(topic: T) =>
  outputs.filter((output): output is Extract<Output, { topic: T }> => output.topic === topic);
const entries = of('audit').map(({ entry }) => entry);
const commands = of('commands').map(({ command }) => command);
const findings = of('findings').map(({ finding }) => finding);
const bytesOf = (json: unknown) => Buffer.from(JSON.stringify(json));

function read(lines: readonly Uint8Array[]): Trail {
  const trail = new Trail();
  for (const [n, bytes] of lines.entries()) trail.take(`audit:${n}`, bytes);
  return trail;
}
const whole = () => read(entries.map(bytesOf));

describe('the trail', () => {
  it('is whole as it was written, also when entries come again, and with the beginning gone', () => {
    expect(whole().faults).toEqual([]);
    expect(read([...entries, ...entries.slice(2)].map(bytesOf)).faults).toEqual([]);
    expect(read(entries.slice(3).map(bytesOf)).faults).toEqual([]);
    expect(whole().chains).toEqual([
      expect.objectContaining({ partition: 0, from: 0, entries: entries.length, repeated: 0 }),
    ]);
  });

  it('tells of any entry in which one byte is another, and of no other', () => {
    for (const [n, entry] of entries.entries()) {
      const bytes = bytesOf(entry);
      for (let at = 0; at < bytes.length; at += 7) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1;
        const faults = read(entries.map((one, i) => (i === n ? changed : bytesOf(one)))).faults;
        expect(faults.length, `byte ${at} of entry ${n}`).toBeGreaterThan(0);
        expect(faults[0]!.place).toBe(`audit:${n}`);
      }
    }
  });

  it.each<[string, (all: AuditEntry[]) => AuditEntry[], string]>([
    ['one is missing', (all) => all.toSpliced(3, 1), 'missing'],
    ['two have changed places', (all) => [...all.slice(0, 2), all[3]!, all[2]!, ...all.slice(4)], 'missing'],
    ['one is of another chain', (all) => all.map((one, n) => (n === 3 ? { ...all[2]!, index: 3 } : one)), 'changed'],
  ])('tells when %s', (_, change, kind) => {
    const { faults } = read(change([...entries]).map(bytesOf));
    expect(faults[0]).toMatchObject({ kind });
  });

  it('holds every command and every request, so that one byte of either tells', () => {
    const trail = whole();
    for (const [n, command] of commands.entries()) {
      trail.takeCommand(`commands:${n}`, bytesOf({ ...command, signature: 'abc' }));
      trail.takeCommand(`commands:${n}`, bytesOf(shortForm(command)));
    }
    for (const [n, finding] of findings.entries()) trail.takeFinding(`findings:${n}`, bytesOf(finding));
    expect(trail.faults).toEqual([]);
    const [pause] = commands;
    trail.takeCommand('a', bytesOf({ ...pause, reason: `${pause!.reason}.` }));
    trail.takeCommand('b', bytesOf({ ...pause, id: 'cmd-other' }));
    const asked = findings.find(({ code }) => code === 'decision_requested')!;
    trail.takeFinding('c', bytesOf({ ...asked, reason: `${asked.reason}.` }));
    trail.takeFinding('d', bytesOf({ ...asked, id: 'fnd-other', view: `${asked.view}0` }));
    expect(trail.faults.map(({ place, kind }) => [place, kind])).toEqual([
      ['a', 'changed'],
      ['b', 'not_in_trail'],
      ['c', 'changed'],
      ['d', 'changed'],
    ]);
  });
});

it('the trail of a session says who asked, what was asked, and who decided', () => {
  const reader = new SessionTrailReader('s-1');
  for (const entry of [...entries, ...entries]) reader.entry(entry);
  const { principals, prompts, entries: kept } = reader.trail;
  expect([principals, prompts]).toEqual([['kim'], ['p-1']]);
  expect(kept.length).toBe(entries.filter(({ session }) => session === 's-1').length);
  const decided = kept.flatMap(({ finding }) => (finding?.code === 'decision_accepted' ? finding.decision! : []));
  expect(decided.map(({ kind, by, reason }) => [kind, by.id, reason])).toEqual([
    ['release', 'lee', undefined],
    ['kill', 'lee', 'enough'],
  ]);
});
