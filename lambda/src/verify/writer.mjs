import { readFence } from '../sync/fence.mjs';
import { reversed } from '../lib/config.mjs';
import { withSidesExchanged } from '../lib/errors.mjs';
import { Context } from '../sync/context.mjs';
import { readState } from '../sync/state.mjs';
import { catchUp } from '../sync/run.mjs';
import { checkPublication } from '../sync/start.mjs';
import { takeMoment } from './snapshot.mjs';

/**
 * Which side takes the writes, and the moment at which both can be compared: it is one of the side that writes.
 *
 * @typedef {import('../sync/context.mjs').Context} Context_
 * @typedef {{writer: 'blue' | 'green' | 'both', back: Context_ | undefined, wayBack: boolean, undecided: boolean, problems: string[]}} Writer `wayBack`: green's rows are or were brought to blue;
 *   `undecided`: a cutover was interrupted, and the side that is open will close by itself if it is not finished
 */

const LOCK_WAIT_MS = 30_000;

/** @param {Context_} context @returns {Promise<Writer>} */
export async function findWriter(context) {
  const { blue, green, tables, invocation } = context;
  const onBlue = await readFence(blue, tables.map(({ source }) => source));
  const onGreen = await readFence(green, tables.map(({ target }) => target));
  const wayBack = (await readState(blue))?.phase === 'following';
  const blueClosed = onBlue.state === 'closed' && onBlue.complete;
  const greenClosed = onGreen.state === 'closed' && onGreen.complete;
  /** @type {string[]} */
  const problems = [];
  const undecided = onBlue.state === 'open-until' || onGreen.state === 'open-until';
  const bothOpen = [onBlue, onGreen].every(({ state }) => state === 'open' || state === 'none');
  const split = wayBack && bothOpen && context.state.identity.split === true;
  if (context.mode === 'two-way' && !(context.state.identity.split === true && wayBack))
    problems.push('the mapping declares the mode two-way, and it is not prepared: invoke control with {"action": "prepare"} before traffic is split');
  if (undecided) problems.push('a cutover is under way or was interrupted: call control again as it was called');
  if (context.mode === 'read-only' && !blueClosed && (!greenClosed || context.state.identity.closed === true))
    problems.push('the mapping declares the mode read-only, and it is not prepared, or green is not closed to writes on all tables and partitions: invoke control with {"action": "prepare"} before traffic is split');
  if (!undecided && wayBack && greenClosed && onGreen.lapsed && !blueClosed) await bringBack(invocation);
  if (split) return { writer: 'both', back: undefined, wayBack, undecided, problems };
  if (undecided || !blueClosed || greenClosed || !wayBack) return { writer: 'blue', back: undefined, wayBack, undecided, problems };
  return { writer: 'green', back: await openBack(invocation), wayBack: true, undecided, problems };
}

/** @param {import('../sync/context.mjs').Invocation} invocation */
const openBack = (invocation) =>
  Context.open({ ...invocation, config: reversed(invocation.config) }, { lockWaitMs: LOCK_WAIT_MS }).catch((error) => {
    throw withSidesExchanged(error);
  });

/** What green has written in the seconds of a cutover that was not finished. @param {import('../sync/context.mjs').Invocation} invocation */
async function bringBack(invocation) {
  const back = await openBack(invocation);
  try {
    await checkPublication(back);
    await catchUp(back);
  } catch (error) {
    throw withSidesExchanged(error);
  } finally {
    await back.close();
  }
}

/** @param {Context_} context @param {Context_ | undefined} back open when green takes the writes @returns {Promise<import('./moment.mjs').Moment>} */
export async function momentOf(context, back) {
  if (back === undefined) return takeMoment(context);
  try {
    await checkPublication(back);
    await catchUp(back);
    return (await takeMoment(back)).exchanged;
  } catch (error) {
    throw withSidesExchanged(error);
  }
}
