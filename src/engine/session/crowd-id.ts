/** No session of an event is held under such an id: who names one is a part of the crowd of its own agent. */
const CROWD = 'firebreak:crowd:';

/** Id of the session that stands for those of an agent which are not held one by one. */
export function crowdOf(agent: string): string {
  return CROWD + agent;
}

export function isCrowdId(id: string): boolean {
  return id.startsWith(CROWD);
}
