import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Activation } from '../../src/adapters/kafka/activation-history.ts';
import { ManualClock } from '../../src/adapters/memory/clock.ts';
import { MemoryPolicyLibrary } from '../../src/adapters/memory/policy-library.ts';
import { Stats } from '../../src/adapters/telemetry/stats.ts';
import { FolderPolicy } from '../../src/app/folder-policy.ts';
import { generateKeyPair } from '../../src/app/keys.ts';
import { RulesRefused } from '../../src/app/rule-folder.ts';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import type { Output } from '../../src/domain/output.ts';
import { PolicyBody } from '../../src/domain/rule.ts';
import { Partition } from '../../src/engine/partition.ts';
import { compilePolicy, ENGINE_VERSION } from '../../src/engine/plan/policy.ts';
import { signBaseline } from '../../src/formats/baseline-signature.ts';
import { type Keyring, keyringOf, publicJwkOf, signingKeyOf } from '../../src/formats/signature.ts';
import { baselineOf } from '../engine/evidence/lessons.ts';

const rule = (pause: number, more = '') => `id: many-deletes
title: Many deletions
severity: high
match: { action: delete }
within: 10m
measure: { deletes: count }
when: { pause: deletes > ${pause} }
${more}`;
const FAILING = `tests:
  - { name: two pause, events: { repeat: 2, event: { action: delete } }, expect: [{ at: 2, level: paused }] }
`;

/** The owner of partition 0 of two, which follows what is published. */
class Owner {
  readonly assignment = { lost: new AbortController().signal } as never;
  readonly partition = new Partition('T', 0);
  readonly library = new MemoryPolicyLibrary(ENGINE_VERSION);
  readonly stats = new Stats();
  readonly history: Activation[] = [];
  readonly logged: string[] = [];
  readonly #path: string;
  broken = false;

  constructor(path: string) {
    this.#path = path;
  }

  get following(): string | undefined {
    return this.partition.state.policy?.hash;
  }

  open(signers?: Keyring): Promise<FolderPolicy> {
    const write = (line: string) => void this.logged.push(JSON.parse(line).msg);
    return FolderPolicy.open(this.#path, {
      library: this.library,
      clock: new ManualClock(0),
      partitions: 2,
      stats: this.stats,
      logger: pino({ level: 'info' }, { write }),
      reloadIntervalMs: 1000,
      signers,
      history: {
        read: async () => [...this.history],
        add: async (one) => {
          if (this.history.at(-1)?.hash === one.hash) this.history.pop();
          this.history.push(one);
        },
      },
      outlet: { publish: (outputs) => this.#publish(outputs), close: async () => {} },
    });
  }

  async #publish(outputs: readonly Output[]): Promise<void> {
    if (this.broken) throw new Error('broker away');
    for (const output of outputs) {
      if (output.topic !== 'actions' || output.partition !== 0) continue;
      if (output.record.type !== 'policy.activated.v1') continue;
      const { body: policy } = output.record;
      const body = PolicyBody.parse(JSON.parse(Buffer.from(await this.library.get(policy)).toString()));
      this.partition.plans.set(policy.hash, compilePolicy(policy.hash, body));
      this.partition.activate(policy, 0);
    }
  }
}

let file: string;
let owner: Owner;
beforeEach(async () => {
  const path = await mkdtemp(join(tmpdir(), 'rules-'));
  file = join(path, 'rules.yaml');
  await writeFile(file, rule(20));
  owner = new Owner(path);
});

describe('the rules folder of a service', () => {
  it('is activated for the owner of partition 0, and again when it has changed', async () => {
    const folder = await owner.open();
    await folder.look();
    expect(owner.following).toBeUndefined();
    await folder.offerTo(owner);
    const first = owner.following;
    expect(first).toBeDefined();
    await folder.look();
    await writeFile(file, `# only a comment\n${rule(20)}`);
    await folder.look();
    expect(owner.following).toBe(first);
    await writeFile(file, rule(30));
    await folder.look();
    expect(owner.following).not.toBe(first);
    expect(owner.history.map(({ hash, state }) => [hash, state])).toEqual([
      [first, 'complete'],
      [owner.following, 'complete'],
    ]);
    expect(owner.logged).toEqual(Array(2).fill('the rules folder is activated in all partitions'));
  });

  it.each([
    ['mistakes', rule(30).replace('delete }', 'delet }'), '"delet" is not an action; did you mean "delete"?'],
    ['tests that fail', rule(30, FAILING), 'test "two pause": expected event 2 raises the session to paused'],
    ['half a file', rule(30).slice(0, 60), 'is missing'],
  ])('with %s is refused once and loudly, and the policy in force stays', async (_, text, reason) => {
    const folder = await owner.open();
    await folder.offerTo(owner);
    const first = owner.following;
    await writeFile(file, text);
    for (let i = 0; i < 3; i++) await folder.look();
    expect(owner.following).toBe(first);
    expect(owner.stats.folder).toBe('refused');
    expect(owner.logged.slice(1)).toHaveLength(1);
    expect(owner.logged[1]).toMatch(/^the rules folder is refused, the policy in force stays: /);
    expect(owner.logged[1]).toContain(reason);
    await writeFile(file, rule(31));
    await folder.look();
    expect(owner.stats.folder).toBe('accepted');
    expect(owner.following).not.toBe(first);
  });

  describe('with a baseline', () => {
    const learner = generateKeyPair(['learner']);
    const keyring = keyringOf([publicJwkOf(learner)]);
    const learned = (parameters: number) => baselineOf([], { sessions: { parameters, maps: 1, thresholds: 1 } });
    const signed = (parameters: number) =>
      canonicalJson(signBaseline(learned(parameters), signingKeyOf(learner), Date.UTC(2026, 10, 1)));
    const write = (text: string) => writeFile(join(dirname(file), 'baseline.json'), text);

    it('is activated again when that is learned, signed or not', async () => {
      const folder = await owner.open();
      await folder.offerTo(owner);
      const before = owner.following;
      await write(canonicalJson(learned(1)));
      await folder.look();
      const first = owner.following;
      expect(first).not.toBe(before);
      // Who vouches for it is no part of what judges.
      await write(signed(1));
      await folder.look();
      expect(owner.following).toBe(first);
    });

    it.each([
      ['unsigned', canonicalJson(learned(2)), 'baseline.json: not signed; allowed: a baseline signed by '],
      ['altered', signed(1).replace('"parameters":1', '"parameters":2'), 'was changed after it was signed; allowed'],
      ['without JSON', signed(1).slice(1), 'not JSON'],
    ])('takes only one that a learner signed: %s', async (_, text, reason) => {
      await write(signed(1));
      const folder = await owner.open(keyring);
      await folder.offerTo(owner);
      const first = owner.following;
      expect(first).toBeDefined();
      await write(text);
      await folder.look();
      expect([owner.following, owner.stats.folder]).toEqual([first, 'refused']);
      expect(owner.logged[1]).toContain(reason);
      await expect(owner.open(keyring)).rejects.toThrow(RulesRefused);
      await write(signed(2));
      await folder.look();
      expect(owner.stats.folder).toBe('accepted');
      expect(owner.following).not.toBe(first);
    });

    it('says that nobody is there whose signature would count', async () => {
      await write(signed(1));
      await expect(owner.open(new Map())).rejects.toThrow(
        /a key that is not trusted here; allowed: a baseline signed, and no key with the role learner is trusted here/,
      );
    });

    it('may also have none', async () => {
      const folder = await owner.open(keyring);
      await folder.offerTo(owner);
      expect(owner.following).toBeDefined();
    });
  });

  it('goes back to a policy that was replaced only by force', async () => {
    const folder = await owner.open();
    await folder.offerTo(owner);
    await writeFile(file, rule(30));
    await folder.look();
    const second = owner.following;
    await writeFile(file, rule(20));
    await folder.look();
    await folder.look();
    expect([owner.following, owner.stats.folder]).toEqual([second, 'refused']);
    expect(owner.logged.at(-1)).toContain('holds a policy that was replaced');
    expect(owner.logged).toHaveLength(3);
  });

  it('whose activation failed half-way is activated at the next look', async () => {
    const folder = await owner.open();
    await folder.offerTo(owner);
    const first = owner.following;
    owner.broken = true;
    await writeFile(file, rule(30));
    await expect(folder.look()).rejects.toThrow('broker away');
    expect(owner.history.at(-1)?.state).toBe('begun');
    owner.broken = false;
    await folder.look();
    expect(owner.following).not.toBe(first);
    expect(owner.history.at(-1)?.state).toBe('complete');
  });

  it('that is not fit when the service starts stops it', async () => {
    await writeFile(file, rule(20, FAILING));
    await expect(owner.open()).rejects.toThrow(
      /tests of the rules fail:\n.*rules\.yaml:9:5: many-deletes: test "two pause"/,
    );
  });
});
