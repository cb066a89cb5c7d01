import { randomUUID } from 'node:crypto';
import { STATES, raiseFence, readFence, setFence } from './fence.mjs';
import { writeState } from './state.mjs';

/**
 * What a side has written while it was not decided that it takes the writes: during a cutover that was not finished, or after a way back that was forced because
 * green could not be reached. The other side has taken writes since, so nothing is overwritten there: new rows are brought over, and a row that differs is held and named.
 *
 * @typedef {import('./context.mjs').Context} Context
 */

/** @param {Context} context of the stream that brings it over @returns {Promise<boolean>} */
export async function beginContested(context) {
  const { blue: source, tables, pair, deadline, state } = context;
  const roots = tables.map((table) => table.source);
  const forced = state.identity.contested === true;
  const { lapsed } = await readFence(source, roots);
  if (lapsed && !forced) {
    // Where the other side was closed for good before that time ended, the decision was made, and only its last step is missing.
    const other = await readFence(context.green, tables.map((table) => table.target));
    if (other.state === 'closed' && other.complete && !other.lapsed) return false;
  }
  if (forced) await raiseFence(source, roots, { state: STATES.closed, pair, marker: randomUUID(), allows: (ms) => deadline.allows(ms) });
  if (!forced && !lapsed) return false;
  // Where there are rules for rows that both sides have changed, these decide.
  context.applier.contested = context.state.identity.split !== true;
  context.log.warn('contested changes: rows that differ are held', { forced });
  return true;
}

/** All of it is brought over. @param {Context} context */
export async function endContested(context) {
  context.applier.contested = false;
  await setFence(context.blue, STATES.closed);
  if (context.state.identity.contested !== true) return;
  const { contested, ...identity } = context.state.identity;
  context.state = { ...context.state, identity };
  await writeState(context.green, context.state);
}
