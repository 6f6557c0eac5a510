// npm run chaos: builds the run and its verifier, and starts the run.
import { build } from '../simulation/build.mjs';

build('test/chaos/verifier.ts', 'chaos');
await import(build('test/chaos/chaos.ts', 'chaos'));
