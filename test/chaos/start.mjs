// npm run chaos: builds the run and its verifier, and starts the run. In a mount namespace where the machine allows one: the
// disks that it mounts are seen by nobody else, and are gone with its last process.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from '../simulation/build.mjs';

build('test/chaos/verifier.ts', 'chaos');
const run = fileURLToPath(build('test/chaos/chaos.ts', 'chaos'));
const rights = process.getuid() === 0 ? [] : ['--user', '--map-root-user'];
const unshare = ['unshare', '--mount', ...rights, 'setpriv', '--pdeathsig', 'KILL'];
const own = spawnSync(unshare[0], [...unshare.slice(1), 'true']).status === 0 ? unshare : [];
const [program, ...args] = [...own, process.execPath, run, ...process.argv.slice(2)];
process.exitCode = spawnSync(program, args, { stdio: 'inherit' }).status ?? 1;
