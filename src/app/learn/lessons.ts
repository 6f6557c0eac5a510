import type { ActionEvent } from '../../domain/event.ts';
import { parseInstant } from '../../domain/instant.ts';
import type { PolicySettings } from '../../domain/rule.ts';
import { cohortKeys } from '../../engine/evidence/plan.ts';
import type { Lesson } from './lesson.ts';
import type { Subject } from './subject.ts';

/** Which life of a session a record belongs to, as the engine ends them: by the time of the log. */
export class Lives<L> {
  readonly #settings: Pick<PolicySettings, 'idleEndMs' | 'maxLifetimeMs'>;
  readonly #lives = new Map<string, { life: L; startMs: number; lastMs: number }>();

  constructor(settings: Pick<PolicySettings, 'idleEndMs' | 'maxLifetimeMs'>) {
    this.#settings = settings;
  }

  /** The life that goes on at `appendMs`, or the one that `begin` makes. */
  at(session: string, appendMs: number, begin: () => L): L {
    const { idleEndMs, maxLifetimeMs } = this.#settings;
    const known = this.#lives.get(session);
    if (known && appendMs - known.lastMs < idleEndMs && appendMs - known.startMs < maxLifetimeMs) {
      known.lastMs = appendMs;
      return known.life;
    }
    const life = begin();
    this.#lives.set(session, { life, startMs: appendMs, lastMs: appendMs });
    return life;
  }
}

type OpenLesson = Lesson & { actions: Map<number, ActionEvent> };

/** Gathers lessons from events in which sessions are interleaved. A session that ends and begins again gives two. */
export class Lessons {
  readonly all: Lesson[] = [];
  readonly #subject: Pick<Subject, 'cohortBy' | 'looksAt'>;
  readonly #unitOf: (session: string) => string | undefined;
  readonly #lives: Lives<OpenLesson>;

  /** `unitOf` answers undefined for a session that is not to be learned from. */
  constructor(
    subject: Pick<Subject, 'cohortBy' | 'looksAt'>,
    settings: Pick<PolicySettings, 'idleEndMs' | 'maxLifetimeMs'>,
    unitOf: (session: string) => string | undefined,
  ) {
    this.#subject = subject;
    this.#lives = new Lives(settings);
    this.#unitOf = unitOf;
  }

  /** `appendMs` is the time of the log, by which a session ends. */
  add(event: ActionEvent, appendMs: number): void {
    const unit = this.#unitOf(event.session);
    if (unit === undefined) return;
    const { times, actions } = this.#lives.at(event.session, appendMs, () => this.#begin(event, unit));
    if (this.#subject.looksAt(event)) actions.set(times.length, event);
    times.push(parseInstant(event.time));
  }

  #begin(event: ActionEvent, unit: string): OpenLesson {
    const lesson = {
      session: event.session,
      unit,
      cohortKeys: cohortKeys(this.#subject.cohortBy, event),
      agent: event.agent.id,
      principal: event.principal?.id,
      times: [],
      actions: new Map(),
    };
    this.all.push(lesson);
    return lesson;
  }
}
