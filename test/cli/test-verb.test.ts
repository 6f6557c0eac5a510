import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PROGRAM = resolve(import.meta.dirname, '../../dist/cli/main.js');

const rule = (threshold: number) => `
id: many-deletes
title: Many "deletions" & more
severity: high
match: { action: delete }
within: session
measure: { deletes: count }
when: { watch: deletes > ${threshold} }
explain: "{deletes} <deletions>"
tests:
  - name: "the third & <last> one"
    events: { repeat: 3, event: { action: delete } }
    expect: [{ at: 3, level: watch }]
  - name: one is nothing
    events: { event: { action: delete } }
    expect: [{ never: watch }]
`;

let folder = '';
let children: ChildProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-test-'));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await rm(folder, { recursive: true });
});

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [PROGRAM, 'test', folder, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let text = '';
  let wake = (): void => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk;
      wake();
    });
  }
  child.on('close', () => wake());
  return {
    child,
    /** What was said until a line matches; the next call begins behind it. */
    async until(pattern: RegExp): Promise<string> {
      for (;;) {
        const found = pattern.exec(text);
        if (found !== null) {
          const said = text.slice(0, found.index + found[0].length);
          text = text.slice(said.length);
          return said;
        }
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before ${pattern}: ${text}`);
        await new Promise<void>((go) => {
          wake = go;
        });
      }
    },
  };
}

describe('firebreak test --junit', () => {
  it('writes suites, and a failure with its timeline, every special character escaped', async () => {
    await writeFile(join(folder, 'rules.yaml'), rule(5));
    const { child } = start(['--junit', join(folder, 'result.xml')]);
    expect(await once(child, 'close')).toEqual([1, null]);
    const xml = (await readFile(join(folder, 'result.xml'), 'utf8')).replaceAll(folder, 'rules');
    expect(xml).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="firebreak" tests="2" failures="1" errors="0"><testsuite name="rules/rules.yaml" tests="2" failures="1" errors="0"><testcase classname="many-deletes" name="the third &amp; &lt;last&gt; one" file="rules/rules.yaml" line="11"><failure message="expected: event 3 raises the session to watch; found: it never gets there; after event 3 it is clear">
expected: event 3 raises the session to watch
found:    it never gets there; after event 3 it is clear
watch when deletes &gt; 5
event  after  tool    level  deletes  watch at
1      0ms    delete  clear  1        5
2      1s     delete  clear  2        5
3      2s     delete  clear  3        5
</failure></testcase>
<testcase classname="many-deletes" name="one is nothing" file="rules/rules.yaml" line="14"/></testsuite></testsuites>
`);
  });

  it('tells a mistake as an error, and lets no control character into the XML', async () => {
    await writeFile(join(folder, 'rules.yaml'), `${rule(2)}nonsense: "a\\x01b"\n`);
    const { child } = start(['--junit', join(folder, 'result.xml')]);
    expect(await once(child, 'close')).toEqual([1, null]);
    const xml = await readFile(join(folder, 'result.xml'), 'utf8');
    expect(xml).toMatch(/<testcase classname="many-deletes" name="line 17, column 1"><error message="unknown field/);
    expect([...xml].filter((character) => character < ' ' && character !== '\n')).toEqual([]);
  });
});

describe('firebreak test --watch', () => {
  it('runs again after a change, says only what failed or changed, and ends with 0 at Ctrl-C', async () => {
    await writeFile(join(folder, 'rules.yaml'), rule(2));
    const { child, until } = start(['--watch', '--junit', join(folder, 'result.xml')]);
    const first = await until(/waiting for a change.*\n/);
    expect(first).toMatch(/^ok {4}many-deletes: the third & <last> one\nok {4}many-deletes: one is nothing\n/);
    expect(first).toContain('2 tests of 1 rule: all hold');

    await writeFile(join(folder, 'rules.yaml'), rule(5));
    const failing = await until(/waiting for a change.*\n/);
    expect(failing).toMatch(/^FAIL {2}many-deletes: the third/);
    expect(failing).not.toContain('one is nothing');

    await writeFile(join(folder, 'rules.yaml'), 'id: [');
    expect(await until(/waiting for a change.*\n/)).toContain('the rules have mistakes');

    await writeFile(join(folder, 'rules.yaml'), rule(2));
    expect(await until(/waiting for a change.*\n/)).toMatch(/ok {4}many-deletes: the third/);

    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([0, null]);
  });
});
