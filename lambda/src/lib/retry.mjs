import { systemClock } from './clock.mjs';
import { classify } from './classify.mjs';
import { TransientError } from './errors.mjs';

const CUT_OFF = new Set(['CONNECTION_LOST', 'TIME_ENDED']);

/**
 * Runs `work`, again and again while it fails transiently and time is left. The pause before attempt n is drawn evenly from
 * 0 to min(cap, base * 2^(n-1)) (exponential backoff with full jitter: many clients that were thrown out together by a
 * failover don't come back together). A pause that would pass the deadline is not begun: the last error leaves at once.
 *
 * @template T
 * @param {(attempt: number) => Promise<T>} work given the attempt's number, from 1
 * @param {object} options
 * @param {import('./deadline.mjs').Deadline} options.deadline the total, pauses included, fits into it
 * @param {number} [options.attempts] at most this many
 * @param {number} [options.baseMs]
 * @param {number} [options.capMs] the longest pause
 * @param {(error: TransientError, attempt: number, pauseMs: number) => void} [options.onRetry]
 * @param {import('./clock.mjs').Clock} [options.clock]
 * @returns {Promise<T>} rejects with a MigrationError, always
 */
export async function retry(work, options) {
  const { deadline, attempts = 10, baseMs = 100, capMs = 5_000, onRetry, clock = systemClock } = options;
  /** @type {import('./errors.mjs').MigrationError | undefined} */
  let before;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (cause) {
      const last = classify(cause);
      // An attempt that the time has cut off says less than the one before it.
      const error = before !== undefined && CUT_OFF.has(last.code) && !deadline.allows(1) ? before : last;
      before = error;
      if (!(error instanceof TransientError) || attempt >= attempts) throw error;
      const pauseMs = Math.round(clock.random() * Math.min(capMs, baseMs * 2 ** (attempt - 1)));
      if (!deadline.allows(Math.max(1, pauseMs))) throw error;
      onRetry?.(error, attempt, pauseMs);
      await clock.sleep(pauseMs);
    }
  }
}
