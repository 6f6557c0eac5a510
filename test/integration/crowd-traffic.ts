import type { Message } from 'kafkajs';
import type { Deployment } from './deployment.ts';

/** Deletions of one agent, so many in each of its sessions, one session after the other. */
export function spread(
  agent: string,
  { sessions, each, from = 0 }: { sessions: number; each: number; from?: number },
): Message[] {
  return Array.from({ length: sessions * each }, (_, i): Message => {
    const session = `${agent}-${from + Math.floor(i / each)}`;
    const event = {
      id: `${session}-${i % each}`,
      time: new Date().toISOString(),
      session,
      agent: { id: agent },
      tool: 'delete_mail',
      action: 'delete',
      resource: { type: 'mail', id: `${session}-${i}` },
      outcome: 'ok',
    };
    return { key: session, value: JSON.stringify(event) };
  });
}

/** How many actions the checkpoints of all partitions have judged. */
export async function judgedActions(deployment: Deployment): Promise<number> {
  let judged = 0;
  for (let partition = 0; partition < deployment.partitions; partition++) {
    const { partition: state } = await deployment.stored(partition);
    if (state !== '') judged += (JSON.parse(state) as { accounting: { judged: number } }).accounting.judged;
  }
  return judged;
}
