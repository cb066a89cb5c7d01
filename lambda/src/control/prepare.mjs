import { randomUUID } from 'node:crypto';
import { PermanentError } from '../lib/errors.mjs';
import { createPublication, createSlot, dropSlot, readPublication, readSlot } from '../pg/slot.mjs';
import { readIdentity } from '../sync/identity.mjs';
import { checkRights } from '../sync/precheck.mjs';
import { checkDatabases } from '../sync/start.mjs';
import { SCHEMA, writeState } from '../sync/state.mjs';
import { proveBoth } from './canary.mjs';
import { STATES, checkNames, raiseFence, readFence } from '../sync/fence.mjs';
import { withPair } from './pair.mjs';
import { isSplit, openFence, openSplit, prepareSplit } from './split.mjs';

/**
 * `{"action": "prepare", "accept": [...]}`: closes green to its application, and makes the way back before anybody may need it. Each step finds what a killed call
 * has left of it.
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 * @typedef {import('./pair.mjs').Pair} Pair
 */

/** @param {Invocation} invocation @param {unknown} accept */
export const prepare = (invocation, accept) =>
  withPair(invocation, async (pair) => {
    const accepted = acceptedOf(pair, accept);
    const twoWay = pair.forward.context.mode === 'two-way';
    const again = twoWay && isSplit(pair) && pair.back.following && isOpen(await readFence(pair.session('green'), pair.roots('green')));
    for (const side of /** @type {const} */ (['blue', 'green'])) await checkNames(pair.session(side), pair.roots(side));
    await pair.forward.catchUp();
    if (!again || (await fenceOfBlue(pair)).state === 'closed-until') await closeGreen(pair, invocation);
    await takeOver(pair);
    await beginBack(pair, accepted);
    if (twoWay) await prepareSplit(pair);
    const canary = await proveBoth(pair);
    if (twoWay && !again) await openSplit(pair);
    // After a cutover green takes the writes alone. The canary has shown that blue has what green wrote.
    if (again && (await fenceOfBlue(pair)).state === 'closed') await openFence(pair.session('blue'), pair.roots('blue'));
    const lines = pair.back.context.lines;
    invocation.log.info('the way back is prepared', { slot: pair.back.context.state.slot });
    return { status: 'prepared', writer: twoWay ? 'both' : 'blue', irreversible: accepted, kept: named(lines, 'kept'), guarded: named(lines, 'guarded'), ...canary };
  });

/** @param {Pair} pair */
const fenceOfBlue = (pair) => readFence(pair.session('blue'), pair.roots('blue'));

/** @param {import('../sync/fence.mjs').Fence} fence */
const isOpen = ({ state }) => state === 'open' || state === 'none';

/** @param {import('../mapping/reverse.mjs').Line[]} lines @param {import('../mapping/reverse.mjs').Kind} kind */
export const named = (lines, kind) => lines.filter((line) => line.kind === kind).map(({ table, column }) => `${table}.${column}`);

/** @param {Pair} pair @param {unknown} accept @returns {string[]} */
function acceptedOf({ back }, accept) {
  const irreversible = named(back.context.lines, 'irreversible');
  const known = [...(Array.isArray(accept) ? accept : []), ...(back.context.state.identity.accepted ?? [])];
  const missing = irreversible.filter((column) => !known.includes(column));
  if (missing.length > 0)
    throw new PermanentError('IRREVERSIBLE', `green has something of these columns of blue, from which they can't be made again: ${missing.join(', ')}`, {
      hint: 'say how in the mapping ("reverse"."columns"), or that blue keeps its own ("reverse"."keep"); or accept it by naming them in "accept"',
    });
  return irreversible;
}

/** @param {Pair} pair @param {Invocation} invocation */
async function closeGreen(pair, { deadline }) {
  const green = pair.session('green');
  if (['closed', 'closed-until'].includes((await fenceOfBlue(pair)).state))
    throw new PermanentError('WRITER', 'blue is closed: green takes the writes, or a cutover was not finished', { hint: 'invoke control with {"action": "status"}, then {"action": "cutover"} in the direction that is meant' });
  const { state, complete, ended } = await readFence(green, pair.roots('green'));
  if (state === 'closed' && complete && ended === undefined) return;
  await raiseFence(green, pair.roots('green'), { state: STATES.closed, pair: pair.name, marker: randomUUID(), allows: (ms) => deadline.allows(ms) });
}

/** From now on it is for control to open green, which sync has closed when the copy began. @param {Pair} pair */
async function takeOver({ forward: { context } }) {
  const { closed, ...identity } = context.state.identity;
  if (closed === undefined) return;
  context.state = { ...context.state, identity };
  await writeState(context.green, context.state);
}

/** The slot on green, while nobody but the forward stream writes there: it is the beginning of all that green's application will ever write. @param {Pair} pair @param {string[]} accepted */
async function beginBack({ back, name }, accepted) {
  const { context } = back;
  const { blue: green, green: blue, state } = context;
  if (state.phase === 'following') return;
  context.setPair(name);
  await back.run(async () => {
    await checkDatabases(context);
    await checkRights(context);
    await createPublication(green, state.publication, context.tables.map(({ plan }) => plan.source));
    await context.masks.make(green, state.publication);
    await dropSlot(green, state.slot);
    await createSlot(green, state.slot);
    const { confirmed } = await readSlot(green, state.slot);
    const [preparedAt] = /** @type {[string]} */ (await green.row('SELECT clock_timestamp()'));
    const identity = { ...(await readIdentity(green, blue)), pair: name, publication: JSON.stringify(await readPublication(green, state.publication)), preparedAt, accepted };
    context.state = {
      ...state, phase: 'following', applied: confirmed, consistent: confirmed, copied: 0n, unconfirmed: {}, inside: { lsn: 0n, changes: 0 }, rowsCopied: 0n, changesApplied: 0n, syncedUntil: null, identity,
    };
    await blue.transaction(async () => {
      await blue.run(`DELETE FROM ${SCHEMA}.copy; DELETE FROM ${SCHEMA}.quarantine`);
      await writeState(blue, context.state);
    });
    await context.quarantine.load();
    context.committed(context.state);
    context.backfill.load(context.state);
  });
}
