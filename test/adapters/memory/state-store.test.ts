import { stateStoreContract } from '../../contracts/state-store.ts';
import { startMemoryState } from './server.ts';

stateStoreContract('memory', startMemoryState);
