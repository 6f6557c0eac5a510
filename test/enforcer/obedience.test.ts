import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/adapters/memory/clock.ts';
import type { Command } from '../../src/domain/command.ts';
import type { Verdict } from '../../src/domain/output.ts';
import { type BlindChoice, DeadMan } from '../../src/enforcer/dead-man.ts';
import type { Hands } from '../../src/enforcer/hands.ts';
import { Obedience } from '../../src/enforcer/obedience.ts';
import { command } from '../contracts/outlet.ts';

const at = (offset: number, topicId = 't') => ({ topicId, partition: 1, offset: String(offset) });

/** An enforcer of one session `s-1` of agent `a`, and what it did and said, in order. */
async function enforcer(more: Partial<Hands> = {}, deadManAfterMs?: number, of?: string, whileBlind?: BlindChoice) {
  const clock = new ManualClock();
  const did: string[] = [];
  const hand = (name: string) => () => void did.push(name);
  const hands: Hands = {
    sessions: () => [{ session: 's-1', agent: 'a', tenant: 'corp' }],
    pause: hand('pause'),
    resume: hand('resume'),
    kill: hand('kill'),
    ...more,
  };
  const obedience = new Obedience({
    name: 'e',
    class: of,
    hands,
    clock,
    logger: pino({ level: 'silent' }),
    deadMan:
      deadManAfterMs === undefined
        ? undefined
        : new DeadMan({ afterMs: deadManAfterMs, partitions: 1, nowMs: 0, whileBlind }),
    acknowledge: ({ command: id, status }) => void did.push(`${id} ${status}`),
  });
  const settled = async () => {
    obedience.settle();
    await obedience.idle();
    return did.splice(0);
  };
  const send = (id: string, action: Command['action'], offset: number, fields: Partial<Command> = {}) => {
    obedience.command(command(id, action, { position: at(offset), ...fields }), offset);
    return settled();
  };
  const verdict = (id: string, level: Verdict['level'], offset: number, fields: Partial<Verdict> = {}) => {
    const stands = { session: 's-1', level, command: id, rule: 'r', time: 't', position: at(offset) };
    obedience.verdict({ ...stands, ...fields }, offset);
    return settled();
  };
  const lease = () => {
    obedience.lease({ partition: 0, partitions: 1, processedThrough: 't', position: at(0) });
    return settled();
  };
  const first = await settled();
  return { obedience, clock, send, verdict, lease, settled, first };
}

describe('an enforcer', () => {
  it('does what a command says, once, and answers each repetition', async () => {
    const { send, settled, first } = await enforcer();
    expect(first).toEqual(['resume']); // what ran before it began may have been left stopped
    expect(await send('p', 'pause', 1)).toEqual(['p received', 'pause', 'p enforced']);
    expect(await send('p', 'pause', 1)).toEqual(['p received', 'p enforced']);
    expect(await send('r', 'resume', 2)).toEqual(['r received', 'resume', 'r enforced']);
    expect(await settled()).toEqual([]);
  });

  it.each<[string, BlindChoice, string[], string?]>([
    ['a tenant that runs on', { tenants: { corp: 'run' }, others: 'pause' }, []],
    ['a tenant that pauses', { tenants: { corp: 'pause' }, others: 'run' }, ['pause']],
    ['the others, which pause', { tenants: { acme: 'run' }, others: 'pause' }, ['pause']],
    ['the others, which run on', { tenants: {}, others: 'run' }, []],
    ['a tenant with the name of something else', { tenants: {}, others: 'pause' }, ['pause'], 'constructor'],
  ])('while nobody judges, a session of %s', async (_, whileBlind, wanted, tenant = 'corp') => {
    const sessions = () => [{ session: 's-1', tenant }];
    const { clock, settled, lease, send } = await enforcer({ sessions }, 1000, undefined, whileBlind);
    clock.advance(1001);
    expect(await settled()).toEqual(wanted);
    expect(await lease()).toEqual(wanted.length === 0 ? [] : ['resume']);
    clock.advance(1001);
    expect(await send('k', 'kill', 9)).toEqual(['k received', 'kill', 'k enforced']);
  });

  it('of a class that stands by does and says nothing until a publication names it no more', async () => {
    const { send, verdict, obedience } = await enforcer({}, undefined, 'gateway');
    const standby = ['gateway', 'platform'];
    expect(await send('p', 'pause', 1, { standby })).toEqual([]);
    expect(await verdict('p', 'paused', 1, { standby })).toEqual([]);
    expect(obedience.stand({ session: 's-1' })).toBe('free');
    expect(await send('p', 'pause', 1, { standby: ['platform'] })).toEqual(['p received', 'pause', 'p enforced']);
    expect(await verdict('k', 'killed', 2, { standby: ['platform'] })).toEqual(['kill', 'k enforced']);
  });

  it.each([undefined, 'misspelt'])('of the class %s obeys at once, whoever stands by', async (of) => {
    const { send } = await enforcer({}, undefined, of);
    expect(await send('k', 'kill', 1, { standby: ['gateway'] })).toEqual(['k received', 'kill', 'k enforced']);
  });

  it('obeys nothing that stands below the last position it obeyed', async () => {
    const { send } = await enforcer();
    await send('p', 'pause', 10);
    expect(await send('old', 'resume', 9)).toEqual(['old received']);
    expect(await send('same', 'resume', 10)).toEqual(['same received']);
    expect(await send('r', 'resume', 11)).toEqual(['r received', 'resume', 'r enforced']);
    expect(await send('p', 'pause', 10)).toEqual(['p received']);
  });

  it('compares positions of another incarnation of the log by time', async () => {
    const { send } = await enforcer();
    await send('p', 'pause', 1000);
    expect(await send('early', 'resume', 999, { position: at(5, 'made anew') })).toEqual(['early received']);
    expect(await send('late', 'resume', 1001, { position: at(6, 'made anew') })).toContain('late enforced');
  });

  it('kills whatever the position, and nothing leaves a kill', async () => {
    const { send, verdict } = await enforcer();
    await send('p', 'pause', 10);
    expect(await send('k', 'kill', 3)).toEqual(['k received', 'kill', 'k enforced']);
    expect(await send('r', 'resume', 99)).toEqual(['r received', 'r failed']);
    expect(await send('p2', 'pause', 100)).toEqual(['p2 received', 'p2 enforced']);
    expect(await verdict('v', 'watch', 101)).toEqual([]);
    expect(await send('k', 'kill', 3)).toEqual(['k received', 'k enforced']);
  });

  it('obeys a verdict as the command that it names, and says so once', async () => {
    const { send, verdict } = await enforcer();
    expect(await verdict('p', 'paused', 1)).toEqual(['pause', 'p enforced']);
    expect(await verdict('p', 'paused', 1)).toEqual([]);
    expect(await send('p', 'pause', 1)).toEqual(['p received', 'p enforced']);
    expect(await verdict('r', 'watch', 2)).toEqual(['resume', 'r enforced']);
  });

  it('obeys an order for an agent or a tenant beside what is said of the session', async () => {
    const { send } = await enforcer();
    const order = (scope: string): Partial<Command> => ({ session: undefined, scope }) as Partial<Command>;
    expect(await send('other', 'pause', 1, order('tenant:other'))).toEqual([]);
    expect(await send('o', 'pause', 2, order('tenant:corp'))).toEqual(['o received', 'pause', 'o enforced']);
    expect(await send('r', 'resume', 3)).toEqual(['r received']);
    expect(await send('k', 'kill', 4)).toContain('kill');
  });

  it('tries again what failed, later and later, and tells each failure', async () => {
    let broken = true;
    const { send, settled, clock } = await enforcer({
      pause() {
        if (broken) throw new Error('no such process');
      },
    });
    expect(await send('p', 'pause', 1)).toEqual(['p received', 'p failed']);
    expect(await settled()).toEqual([]);
    await clock.advance(1000);
    expect(await settled()).toEqual(['p failed']);
    await clock.advance(1000);
    expect(await settled()).toEqual([]);
    broken = false;
    await clock.advance(1000);
    expect(await settled()).toEqual(['p enforced']);
  });

  it('tells what it has no hand for', async () => {
    const { send } = await enforcer({ pause: undefined } as unknown as Partial<Hands>);
    expect(await send('p', 'pause', 1)).toEqual(['p received', 'p unsupported']);
    expect(await send('p', 'pause', 1)).toEqual(['p received', 'p unsupported']);
    expect(await send('k', 'kill', 2)).toEqual(['k received', 'kill', 'k enforced']);
  });

  it('a slow hand of one session holds up no other', async () => {
    const did: string[] = [];
    let release = () => {};
    const { obedience } = await enforcer({
      sessions: () => [{ session: 's-1' }, { session: 's-2' }],
      pause: () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
      kill: (session) => void did.push(session),
    });
    obedience.command(command('p', 'pause'), 1);
    obedience.settle();
    await new Promise((resolve) => setImmediate(resolve));
    obedience.command(command('k', 'kill', { session: 's-2' }), 2);
    obedience.settle();
    expect(did).toEqual(['s-2']);
    release();
    await obedience.idle();
  });

  it('pauses while nobody judges, and leaves what a command has stopped', async () => {
    const { send, settled, lease, clock } = await enforcer({}, 30_000);
    await clock.advance(30_001);
    expect(await settled()).toEqual(['pause']);
    expect(await lease()).toEqual(['resume']);
    await clock.advance(29_999);
    expect(await settled()).toEqual([]);
    await clock.advance(2);
    expect(await settled()).toEqual(['pause']);
    expect(await send('p', 'pause', 1)).toEqual(['p received', 'p enforced']);
    expect(await lease()).toEqual([]);
  });
});
