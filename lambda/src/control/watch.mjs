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
const UNREACHABLE = /^(E[A-Z]+|CONNECTION_LOST|TIME_ENDED|DATABASE_TRANSIENT)$/;

/**
 * Did green say nothing, or that it does not work? One that refuses for another reason works: all connections are in use, a password changes. Nor is green silent
 * when its secret can't be read, or a reader answers: the writer is under another address by now, and may take writes.
 * @param {unknown} error
 */
export const isSilence = (error) =>
  error instanceof MigrationError && error.message.startsWith('green: ') && UNREACHABLE.test(error.code) && (error.sqlstate === undefined || /^57P0[1-3]$/.test(error.sqlstate));

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

  /** Is green gone? Then a connection that was lost may be one to blue, which another call has ended to open it. @param {unknown} error */
  async explains(error) {
    return error instanceof MigrationError && UNREACHABLE.test(error.code) && (await this.gone({ orAnswers: true }));
  }

  /** Ends the work that is watched. */
  abandon() {
    for (const session of this.sessions) session.destroy();
  }

  /** Ends what it asks of green. */
  abandonGreen() {
    const { host, port } = this.#invocation.config.target;
    for (const session of this.sessions) if (session.client.host === host && session.client.port === port) session.destroy();
  }

  end() {
    this.#ended = true;
  }

  #answer() {
    this.#answered = performance.now();
    this.#answers += 1;
  }

  async #ask() {
    while (!this.#ended) {
      const deadline = new Deadline(this.#invocation.deadline.clock.now() + QUESTION_MS, this.#invocation.deadline.clock);
      const sessions = /** @type {Set<Session>} */ (new Set());
      const over = setTimeout(() => sessions.forEach((session) => session.destroy()), QUESTION_MS);
      try {
        await (await open({ ...this.#invocation, deadline, sessions }, 'target')).close();
        this.#answer();
      } catch (error) {
        if (!isSilence(error)) this.#answer();
      }
      clearTimeout(over);
      await sleep(PAUSE_MS);
    }
  }
}

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
