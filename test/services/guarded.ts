import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * A server that never outlives this process: a shell starts it and waits for the end of its standard input, which the
 * kernel brings about however this process ends. An ordinary stop takes the same way, so that way is always tested.
 */
const SCRIPT = `
folder=$1; end=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- >>"$folder/server.log" 2>&1 &
server=$!
trap '' PIPE
{ cat <&3 >/dev/null; eval "$end"; } 2>/dev/null >/dev/null &
exec 3<&-
wait "$server"
tail -n 25 "$folder/server.log" >&2
[ -e "$folder/keep" ] || rm -rf -- "$folder"
`;

export interface Guarded {
  /** Fulfilled with the last lines of its log when the server has ended, by itself or not. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/**
 * `folder` takes the log and is removed at the end unless it holds a file `keep`. `end` is what ends the server, in
 * shell; the process itself when nothing is given.
 */
export function startGuarded(command: string[], folder: string, end = 'kill -KILL "$server"'): Guarded {
  const guard = spawn('/bin/sh', ['-c', SCRIPT, 'guard', folder, end, ...command], {
    detached: true, // Ctrl-C reaches this process alone; the guard sees its end
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let log = '';
  guard.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  guard.stdin.on('error', () => {}); // the guard ended first: then there is nothing to tell it
  guard.unref();
  for (const stream of [guard.stdin, guard.stderr]) (stream as unknown as { unref(): void }).unref();
  const ended = once(guard, 'exit').then(() => {
    guard.stdin.end();
    return log;
  });
  return {
    ended,
    async stop() {
      guard.ref();
      guard.stdin.end();
      await ended;
    },
  };
}
