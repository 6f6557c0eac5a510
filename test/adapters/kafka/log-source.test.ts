import { logSourceContract } from '../../contracts/log-source.ts';
import { sharedKafka } from '../../services/shared.ts';
import { kafkaLog } from './log-under-test.ts';

const kafka = await sharedKafka();

logSourceContract('Kafka', () => kafkaLog(kafka));
