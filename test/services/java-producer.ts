import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DEFAULT_KAFKA_VERSION } from './kafka.ts';
import { kafkaJars } from './kafka-jars.ts';

/** Lines as one Java producer sends them, compressed with zstd: kafkajs has no such codec. With a tab, `KEY\tVALUE`. */
export async function produceZstd(
  { brokers, version, topic }: { brokers: readonly string[]; version: string; topic: string },
  lines: readonly string[],
): Promise<void> {
  const jars = await kafkaJars(version === 'as given' ? DEFAULT_KAFKA_VERSION : version);
  const tool = ['-cp', jars, 'org.apache.kafka.tools.ConsoleProducer', '--bootstrap-server', brokers.join(',')];
  const keyed = lines[0]?.includes('\t') ? ['--property', 'parse.key=true', '--property', 'key.separator=\t'] : [];
  const java = spawn('java', ['-Xmx128m', ...tool, '--topic', topic, '--compression-codec', 'zstd', ...keyed], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let log = '';
  java.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  java.stdin.end(`${lines.join('\n')}\n`);
  const [code] = await once(java, 'close');
  if (code !== 0) throw new Error(`ConsoleProducer ended with ${code}: ${log}`);
}
