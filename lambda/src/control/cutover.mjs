import { randomUUID } from 'node:crypto';
import { PermanentError } from '../lib/errors.mjs';
import { SCHEMA } from '../sync/state.mjs';
import { notPrepared } from './canary.mjs';
import { forceBlue } from './forced.mjs';
import { STATES, closeForGood, raiseFence, readFence, removeTriggers, setFence } from '../sync/fence.mjs';
import { withPair } from './pair.mjs';
import { Watch } from './watch.mjs';
import { removeOneWriter } from '../sync/undo.mjs';
import { isSplit } from './split.mjs';

/**
 * `{"action": "cutover"}` lets green take the writes in place of blue, `{"action": "cutover", "reverse": true}` the other way round: writes are refused on the side that
 * took them, what it has committed is brought to the other side up to a marker that was seen in the stream, and then the other side is opened.
 *
 * Never are both sides open, whatever is killed or unreachable in between. The side that is closed opens again by itself after CLOSED_S; so the other side is opened
 * only until a moment before that, at first. Then the former is closed for good (if it is still closed, which the
 * server decides), then the latter is opened for good. A call that was interrupted is finished by the next one.
 *
 * In mode two-way the other side is open already.
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 * @typedef {import('./pair.mjs').Pair} Pair
 * @typedef {import('./pair.mjs').Name} Name
 * @typedef {{refusedMs: number | null, drainMs: number, fenceTries: number}} Measured
 * @typedef {{status: 'done', writer: Name, already: boolean, undo: object, unreversed: number} & Partial<Measured>} CutoverAnswer
 */

const CLOSED_S = 10;
/** So long before the closed side opens by itself the other one closes by itself, if it is not opened for good. */
const APART_MS = 1_000;
/** With less time than this left until then nothing is decided any more. */
const DECIDE_MS = 3_000;
/** A proof of verify is no older. */
const VERIFIED_MINUTES = 15;
const NEEDED_MS = 30_000;

/** It ends also when green, or what is asked of green, does not answer. @param {Invocation} invocation @param {boolean} reverse @returns {Promise<CutoverAnswer | import('./forced.mjs').Forced>} */
export async function cutover(invocation, reverse) {
  const watch = new Watch(invocation);
  const work = decided({ ...invocation, sessions: watch.sessions }, reverse);
  try {
    const answer = await Promise.race([work, watch.gone().then(() => undefined)]);
    if (answer !== undefined) return answer;
    // On the way to green blue's fence comes down by the work's own hand.
    if (reverse) watch.abandon();
    else watch.abandonGreen();
    const late = await work.catch((error) => (reverse ? undefined : Promise.reject(error)));
    if (late !== undefined) return late;
  } catch (error) {
    if (!reverse || !(await watch.explains(error))) throw error;
  } finally {
    watch.end();
  }
  return await forceBlue(invocation);
}

/** @param {Invocation} invocation @param {boolean} reverse @returns {Promise<CutoverAnswer>} */
const decided = (invocation, reverse) =>
  withPair(invocation, async (pair) => {
    /** @type {[Name, Name]} */
    const [from, to] = reverse ? ['green', 'blue'] : ['blue', 'green'];
    const stream = reverse ? pair.back : pair.forward;
    if (!pair.back.following) throw notPrepared();
    const resumed = await resume(pair, from, to);
    const closing = await readFence(pair.session(from), pair.roots(from));
    const opening = await settled(pair, to);
    const closed = closing.state === 'closed' && closing.complete;
    const undo = { action: 'cutover', ...(reverse ? {} : { reverse: true }) };
    if (closed && to === 'green') await removeOneWriter(pair.session('green'));
    if (!resumed && closed && ['open', 'none'].includes(opening.state)) return { status: 'done', writer: to, already: true, unreversed: pair.back.context.quarantine.total, undo };
    if (!closed) await check(pair, reverse, opening, invocation);
    const measured = resumed ? INTERRUPTED : closed ? await finishOpening(pair, from, to, stream) : await move(pair, from, to, stream, invocation);
    await removeTriggers(pair.session(to), pair.roots(to), 'DISABLE').catch(() => {}); // they do nothing by now
    if (to === 'green') await removeOneWriter(pair.session('green'));
    const unreversed = pair.back.context.quarantine.total;
    invocation.log.info('cutover', { role: to, ms: measured.refusedMs ?? undefined });
    return { status: 'done', writer: to, already: false, ...measured, unreversed, undo };
  });

/** @type {Measured} */
const INTERRUPTED = { refusedMs: null, drainMs: 0, fenceTries: 0 };

/**
 * A call that was killed after one side had everything and was opened for a few seconds: what is left of it is done while the other side is closed. Afterwards both
 * would have written.
 * @param {Pair} pair @param {Name} from @param {Name} to @returns {Promise<boolean>}
 */
async function resume(pair, from, to) {
  const closing = await readFence(pair.session(from), pair.roots(from));
  const opening = await readFence(pair.session(to), pair.roots(to));
  if (!closing.state.startsWith('closed') || !closing.complete || opening.state !== 'open-until') return false;
  if (closing.state === 'closed-until' && !(await closeForGood(pair.session(from)))) return false;
  await setFence(pair.session(to), STATES.open);
  return true;
}

/** A call that was killed may have opened it for a few seconds: these are waited for. @param {Pair} pair @param {Name} side */
async function settled(pair, side) {
  for (;;) {
    const fence = await readFence(pair.session(side), pair.roots(side));
    if (fence.state !== 'open-until' || Number(fence.seconds) > CLOSED_S) return fence;
    await new Promise((resolve) => setTimeout(resolve, Number(fence.seconds) * 1000 + 50));
  }
}

/** Before anybody is stopped. @param {Pair} pair @param {boolean} reverse @param {import('../sync/fence.mjs').Fence} opening @param {Invocation} invocation */
async function check(pair, reverse, opening, { deadline }) {
  const [from, to] = reverse ? ['green', 'blue'] : ['blue', 'green'];
  if (!deadline.allows(NEEDED_MS)) throw new PermanentError('NO_TIME', `a cutover needs ${NEEDED_MS / 1000} s of the function's timeout`, { hint: 'give control a timeout of at least a minute' });
  const both = isSplit(pair) && ['open', 'none'].includes(opening.state);
  if (!both && (opening.state !== 'closed' || !opening.complete))
    throw new PermanentError('WRITER', `${to} is not closed, so both sides may take writes`, { hint: `invoke control with {"action": "status"}; if ${from} takes the writes, close ${to} with {"action": "prepare"}` });
  for (const stream of [pair.forward, pair.back])
    if (!(await stream.catchUp())) throw new PermanentError('BEHIND', `the ${stream.direction} stream is not up to date`, { hint: 'run sync (DIRECTION=reverse for the way back) until it answers "synced", then call again' });
  if (reverse) return; // nothing stands in the way of a way back
  const held = pair.forward.context.quarantine.total;
  if (held > 0) throw new PermanentError('HELD_ROWS', `${held} rows of blue are in quarantine on green`, { hint: 'correct the rows or the mapping, until verify answers "equal"' });
  const [proven] = await pair.session('green').row(
    `SELECT EXISTS (SELECT FROM ${SCHEMA}.verified WHERE verdict = 'equal' AND at > clock_timestamp() - interval '${VERIFIED_MINUTES} minutes' AND at > $1::timestamptz)`, [pair.back.context.state.identity.preparedAt]);
  if (proven !== 't') throw new PermanentError('NOT_VERIFIED', `verify has not answered "equal" for all tables since green was closed, within the last ${VERIFIED_MINUTES} minutes`, { hint: 'invoke verify with {}, then call again' });
}

/** @param {Pair} pair @param {Name} from @param {Name} to @param {import('./pair.mjs').Stream} stream @param {Invocation} invocation @returns {Promise<Measured>} */
async function move(pair, from, to, stream, { deadline, log }) {
  const [moment] = /** @type {[string]} */ (await pair.session(to).row('SELECT clock_timestamp()'));
  const read = performance.now(); // the other side's clock showed this moment, or was beyond it
  const marker = randomUUID();
  const { tries, at } = await raiseFence(pair.session(from), pair.roots(from), { state: STATES.closedFor(CLOSED_S), pair: pair.name, marker, allows: (ms) => deadline.allows(ms) });
  const raised = performance.now();
  log.debug('the fence is raised', { role: from, attempt: tries });
  const opensAgain = at + CLOSED_S * 1000;
  const inTime = () => opensAgain - performance.now() > DECIDE_MS;
  try {
    if (!(await stream.until(marker, inTime)) || !inTime())
      throw new PermanentError('DRAIN_TOO_LONG', `what ${from} has committed could not be brought to ${to} in time, so ${from} takes the writes again`, { hint: 'call again when the stream is up to date' });
  } catch (error) {
    await setFence(pair.session(from), STATES.open).catch(() => {}); // it opens by itself otherwise
    await removeTriggers(pair.session(from), pair.roots(from), 'DISABLE').catch(() => {});
    throw error;
  }
  const drained = performance.now();
  const split = isSplit(pair) && ['open', 'none'].includes((await readFence(pair.session(to), pair.roots(to))).state);
  if (!split) await setFence(pair.session(to), STATES.openUntil(moment, opensAgain - APART_MS - read));
  const opened = performance.now();
  if (!(await closeForGood(pair.session(from))))
    throw new PermanentError('DRAIN_TOO_LONG', `${from} takes the writes again: it could not be closed for good before the time was over for which it was closed`, { hint: 'call again when both databases answer' });
  if (!split) await setFence(pair.session(to), STATES.open);
  return { refusedMs: Math.round(opened - at), drainMs: Math.round(drained - raised), fenceTries: tries };
}

/** One side is closed for good already: a call was interrupted. @param {Pair} pair @param {Name} from @param {Name} to @param {import('./pair.mjs').Stream} stream @returns {Promise<Measured>} */
async function finishOpening(pair, from, to, stream) {
  const began = performance.now();
  if (!(await stream.catchUp())) throw new PermanentError('BEHIND', `what ${from} has committed is not on ${to} yet`, { hint: 'call again' });
  await setFence(pair.session(to), STATES.open);
  return { refusedMs: null, drainMs: Math.round(performance.now() - began), fenceTries: 0 };
}
