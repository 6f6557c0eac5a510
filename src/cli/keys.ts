import type { Command } from 'commander';
import { generateKeyPair, readKeyFile, storeKeyFile } from '../app/keys.ts';
import { publicJwkOf, ROLES, Role } from '../formats/signature.ts';

export function registerKeys(program: Command): void {
  const keys = program.command('keys').description('make key files, and tell their public halves');
  keys
    .command('make')
    .description('make a key file, and print its public key')
    .argument('<file>', 'where to; an existing file is never touched')
    .requiredOption('--roles <a,b>', `what the key is for: ${ROLES.join(', ')}`, rolesOf)
    .addHelpText(
      'after',
      '\nThe printed key goes into `trusted` of those who shall believe it; the file stays with whoever signs.' +
        '\n\nExample:\n  firebreak keys make analyzer.keys.json --roles owner',
    )
    .action(async (path: string, { roles }: { roles: Role[] }) => {
      const key = generateKeyPair(roles);
      await storeKeyFile(path, { key, trusted: [] });
      print(publicJwkOf(key));
    });
  keys
    .command('public')
    .description('print the public key of a key file')
    .argument('<file>', 'the key file')
    .action(async (path: string) => print(publicJwkOf((await readKeyFile(path)).key)));
}

function rolesOf(text: string): Role[] {
  return text.split(',').map((name) => {
    const role = Role.safeParse(name.trim());
    if (!role.success) throw new Error(`--roles: found "${name}"; allowed: ${ROLES.join(', ')}`);
    return role.data;
  });
}

function print(key: unknown): void {
  process.stdout.write(`${JSON.stringify(key)}\n`);
}
