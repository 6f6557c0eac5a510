import { expect, it } from 'vitest';
import { MemoryPolicyLibrary } from '../../../src/adapters/memory/policy-library.ts';
import { policyLibraryContract } from '../../contracts/policy-library.ts';

policyLibraryContract('memory', async () => {
  const library = new MemoryPolicyLibrary(3);
  return { library, other: library, engine: 3, close: async () => {} };
});

it('fails once when told to', async () => {
  const library = new MemoryPolicyLibrary(3);
  const policy = await library.put(Buffer.from('x'));
  library.failNext(new Error('told to'));
  await expect(library.get(policy)).rejects.toThrow('told to');
  await expect(library.get(policy)).resolves.toEqual(Buffer.from('x'));
});
