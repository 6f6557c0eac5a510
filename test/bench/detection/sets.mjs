/** Reads labelled recordings: every NAME.events.ndjson.gz of a folder with its NAME.labels.ndjson.gz. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { isActionEvent } from '../../../dist/domain/event-check.js';

const EVENTS = '.events.ndjson.gz';
/** Parts of an event that give an answer away or that nobody would store: no judgement may rest on them. */
const UNREAD = ['args', 'resultExcerpt'];

/**
 * @typedef {object} Session
 * @property {string} session
 * @property {string} label benign, attack_success, attack_failed or unknown
 * @property {string} unit the task that it repeats, or the session itself
 * @property {string | undefined} goal
 * @property {number[]} harm positions of the harmful events, from 0
 * @property {object[]} events in order
 */

/** @returns {{ name: string, sessions: Session[] }[]} */
export function readSets(folder) {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith(EVENTS))
    .map((file) => file.slice(0, -EVENTS.length));
  if (names.length === 0) throw new Error(`${folder}: no *${EVENTS} here, each with its *.labels.ndjson.gz`);
  return names.sort().map((name) => ({ name, sessions: readSet(folder, name) }));
}

function readSet(folder, name) {
  const events = new Map();
  for (const event of lines(join(folder, `${name}${EVENTS}`))) {
    for (const field of UNREAD) delete event[field];
    if (!isActionEvent(event)) throw new Error(`${name}: the event ${event.id} is no action event`);
    const list = events.get(event.session) ?? [];
    list.push(event);
    events.set(event.session, list);
  }
  return lines(join(folder, `${name}.labels.ndjson.gz`))
    .filter(({ session }) => events.has(session))
    .map(({ session, label, task, goal, harmSeqs = [] }) => ({
      session,
      label,
      unit: task ?? session,
      goal,
      harm: harmSeqs,
      events: events.get(session),
    }));
}

function lines(file) {
  return gunzipSync(readFileSync(file))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** The events of each session in another order, at the same times: what a detector that reads sequences must miss. */
export function shuffled(sessions, seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return sessions.map((session) => {
    const order = session.events.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    const events = order.map((from, at) => ({ ...session.events[from], time: session.events[at].time }));
    return { ...session, events, harm: session.harm.map((position) => order.indexOf(position)) };
  });
}
