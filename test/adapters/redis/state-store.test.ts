import { stateStoreContract } from '../../contracts/state-store.ts';
import { startRedisState } from './server.ts';

stateStoreContract('Redis', startRedisState);
