import { randomUUID } from 'node:crypto';
import { PermanentError } from '../lib/errors.mjs';
import { emitMarker } from '../sync/marks.mjs';
import { withPair } from './pair.mjs';

/**
 * `{"action": "canary"}`: proves both streams, from a commit on the one side to a commit on the other.
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 * @typedef {import('./pair.mjs').Pair} Pair
 */

/** @param {Invocation} invocation */
export const canary = (invocation) => withPair(invocation, async (pair) => ({ status: 'ok', ...(await proveBoth(pair)) }));

/** @param {Pair} pair @returns {Promise<{forwardMs: number, reverseMs: number}>} */
export async function proveBoth(pair) {
  if (!pair.back.following) throw notPrepared();
  return { forwardMs: await prove(pair, 'blue', pair.forward), reverseMs: await prove(pair, 'green', pair.back) };
}

export const notPrepared = () => new PermanentError('NOT_PREPARED', 'the way back from green to blue is not prepared', { hint: 'invoke control with {"action": "prepare"} first' });

/** @param {Pair} pair @param {import('./pair.mjs').Name} side @param {import('./pair.mjs').Stream} stream */
async function prove(pair, side, stream) {
  const { canaryMs } = stream.context.tuning;
  const began = performance.now();
  const marker = randomUUID();
  await pair.session(side).row(emitMarker(pair.name, marker));
  if (!(await stream.until(marker, () => performance.now() - began < canaryMs)))
    throw new PermanentError('CANARY_LOST', `what was written on ${side} did not come through the stream within ${canaryMs / 1000} s`, { hint: 'bring the stream up to date (sync), then call again' });
  return Math.round(performance.now() - began);
}
