import { systemClock } from './clock.mjs';

/** Without a Lambda context (a run by hand) there are the 15 minutes that Lambda would give at most. */
const LAMBDA_MAXIMUM_MS = 15 * 60 * 1000;

/** The end of the invocation, with a reserve in which to commit, log and answer. */
export class Deadline {
  /**
   * @param {number} at when the work has to stop, in milliseconds since the epoch
   * @param {import('./clock.mjs').Clock} [clock]
   */
  constructor(at, clock = systemClock) {
    this.at = at;
    this.clock = clock;
  }

  /** Milliseconds left for work; never negative. */
  remainingMs() {
    return Math.max(0, this.at - this.clock.now());
  }

  /** Is there time for something that takes up to `ms`? @param {number} [ms] */
  allows(ms = 1) {
    return this.remainingMs() >= ms;
  }

  /**
   * The deadline of an invocation: what Lambda says is left, less a reserve (half of it, where that is less).
   * @param {{getRemainingTimeInMillis?: () => number} | undefined} context
   * @param {{reserveMs?: number, clock?: import('./clock.mjs').Clock}} [options]
   */
  static of(context, { reserveMs = 5_000, clock = systemClock } = {}) {
    const left = context?.getRemainingTimeInMillis?.() ?? LAMBDA_MAXIMUM_MS;
    return new Deadline(clock.now() + Math.max(0, left - Math.min(reserveMs, left / 2)), clock);
  }
}
