// npm run simulate: builds the simulation and runs it.
import { build } from './build.mjs';

await import(build('test/simulation/simulate.ts'));
