import { Deadline } from '../lib/deadline.mjs';
import { MigrationError } from '../lib/errors.mjs';
import { open } from '../sync/context.mjs';

/**
 * Whether green answers, while the way back is at work: asked on connections of its own, since a server that is gone without a word lets those that exist hang.
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 * @typedef {import('../pg/session.mjs').Session} Session
 */

/** Green is gone when it has not answered for so long. */
const WAIT_MS = 5_000;
/** One question takes no longer. */
const QUESTION_MS = 2_000;
const PAUSE_MS = 250;

export class Watch {
  #invocation;
  #ended = false;
  #answered = performance.now();
  #answers = 0;
  /** The connections of the work that is watched. @type {Set<Session>} */
  sessions = new Set();

  /** @param {Invocation} invocation */
  constructor(invocation) {
    this.#invocation = invocation;
    void this.#ask();
  }

  /** Resolves when green is gone; `false`: it has answered after this call first. */
  async gone({ orAnswers = false } = {}) {
    const answers = this.#answers;
    while (!this.#ended && performance.now() - this.#answered < WAIT_MS) {
      if (orAnswers && this.#answers > answers) return false;
      await sleep(50);
    }
    return !this.#ended;
  }

  /** Is it green that could not be reached, and still can't? @param {unknown} error */
  async explains(error) {
    const network = /^(E[A-Z]+|CONNECTION_LOST|DATABASE_TRANSIENT)$/;
    return error instanceof MigrationError && error.message.startsWith('green: ') && network.test(error.code) && (await this.gone({ orAnswers: true }));
  }

  /** Ends the work that is watched. */
  abandon() {
    for (const session of this.sessions) session.destroy();
  }

  end() {
    this.#ended = true;
  }

  async #ask() {
    while (!this.#ended) {
      const deadline = new Deadline(this.#invocation.deadline.clock.now() + QUESTION_MS, this.#invocation.deadline.clock);
      const sessions = /** @type {Set<Session>} */ (new Set());
      const over = setTimeout(() => sessions.forEach((session) => session.destroy()), QUESTION_MS);
      try {
        await (await open({ ...this.#invocation, deadline, sessions }, 'target')).close();
        this.#answered = performance.now();
        this.#answers += 1;
      } catch {
        // it is asked again
      }
      clearTimeout(over);
      await sleep(PAUSE_MS);
    }
  }
}

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
