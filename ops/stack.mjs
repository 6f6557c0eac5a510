// `npm run stack`: a whole deployment on this machine, see stack.ts.
import { build } from '../test/simulation/build.mjs';

const { runStack } = await import(build('ops/stack.ts', 'stack'));
await runStack();
process.exit();
