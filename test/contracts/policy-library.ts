import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { CHUNK_BYTES } from '../../src/adapters/policy-body.ts';
import type { PolicyLibrary } from '../../src/ports.ts';

export interface LibraryUnderTest {
  library: PolicyLibrary;
  /** Another process with the same library. */
  other: PolicyLibrary;
  engine: number;
  close(): Promise<void>;
}

export function policyLibraryContract(name: string, make: () => Promise<LibraryUnderTest>): void {
  describe(`policy library: ${name}`, { timeout: 40_000 }, () => {
    const made: LibraryUnderTest[] = [];
    const under = async () => {
      const one = await make();
      made.push(one);
      return one;
    };
    afterAll(() => Promise.all(made.map((one) => one.close())));

    it.each([
      ['a small body', 10, 1],
      ['exactly one chunk', CHUNK_BYTES, 1],
      ['one byte more', CHUNK_BYTES + 1, 2],
      ['several chunks', 3 * CHUNK_BYTES - 7, 3],
    ])('gives back %s', async (_what, bytes, chunks) => {
      const { library, other, engine } = await under();
      const body = Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 31 + bytes) % 251));
      const policy = await library.put(body);
      const hash = `sha256:${createHash('sha256').update(body).digest('hex')}`;
      expect(policy).toEqual({ hash, chunks, engine });
      expect(Buffer.compare(await other.get(policy), body)).toBe(0);
      expect(await library.put(body)).toEqual(policy);
      expect(Buffer.compare(await library.get(policy), body)).toBe(0);
    });

    it('keeps bodies apart', async () => {
      const { library, other } = await under();
      const bodies = ['one', 'two', 'three'].map((text) => Buffer.from(text));
      const policies = await Promise.all(bodies.map((body) => library.put(body)));
      for (const [i, policy] of policies.entries()) {
        expect(Buffer.from(await other.get(policy)).toString()).toBe(bodies[i]!.toString());
      }
    });

    it('refuses an empty body', async () => {
      const { library } = await under();
      await expect(library.put(Buffer.alloc(0))).rejects.toThrow('empty');
    });

    it('throws for a body that nobody has put', async () => {
      const { library, engine } = await under();
      const hash = `sha256:${'0'.repeat(64)}`;
      await expect(library.get({ hash, chunks: 1, engine })).rejects.toMatchObject({ name: 'PolicyUnavailable', hash });
    });

    it('throws when the record names another number of chunks', async () => {
      const { library, other } = await under();
      const policy = await library.put(Buffer.alloc(CHUNK_BYTES + 1, 7));
      for (const chunks of [1, 3]) {
        const failed = other.get({ ...policy, chunks }).then(
          () => 'got it',
          (error: Error) => error.name,
        );
        expect(await failed).toBe('PolicyUnavailable');
      }
    });
  });
}
