// node enforcer.mjs OPTIONS: an enforcer of processes that run beside it; tells on stdout what it does, one JSON a line.
// OPTIONS is JSON: those of connectEnforcer, and the agents: [{ session, tenant, pid }].
import { connectEnforcer } from 'firebreak/enforcer';

const { agents, ...options } = JSON.parse(process.argv[2]);
const pids = new Map(agents.map(({ session, pid }) => [session, pid]));
const say = (what, more = {}) => console.log(JSON.stringify({ what, ...more }));

function hand(what, signal) {
  return (session, { command }) => {
    try {
      process.kill(-pids.get(session), signal); // the group: what an agent starts is stopped with it
    } catch (error) {
      if (error.code !== 'ESRCH') throw error; // it has ended
    }
    say(what, { session, command });
  };
}

const enforcer = await connectEnforcer({
  ...options,
  sessions: () => agents.map(({ session, tenant }) => ({ session, ...(tenant === undefined ? {} : { tenant }) })),
  pause: hand('paused', 'SIGSTOP'),
  resume: hand('resumed', 'SIGCONT'),
  kill: hand('killed', 'SIGKILL'),
});
say('ready');
await enforcer.ended;
