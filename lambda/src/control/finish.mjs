import { reversed } from '../lib/config.mjs';
import { PermanentError, withSidesExchanged } from '../lib/errors.mjs';
import { loadMapping } from '../mapping/load.mjs';
import { readCatalog } from '../pg/catalog.mjs';
import { mappedNames, openBoth } from '../sync/context.mjs';
import { takeLock } from '../sync/lock.mjs';
import { stop } from '../sync/manage.mjs';
import { SCHEMA, dropSchema, readState, writeState } from '../sync/state.mjs';
import { STATES, readFence, removeTriggers, setFence } from '../sync/fence.mjs';
import { bothWrite, checkBrought, checkDecided, removeOneWriter, removePast } from '../sync/undo.mjs';

/**
 * `{"action": "finish"}`: ends the way back. The side that takes the writes is left as if there had been no fence; the other stays closed, unless it is released by
 * `{"action": "finish", "release": true}`.
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 * @typedef {import('../pg/session.mjs').Session} Session
 * @param {Invocation} invocation @param {boolean} release
 */
export async function finish(invocation, release) {
  await endSplit(invocation, release);
  const stopped = await stop({ ...invocation, config: reversed(invocation.config) }).catch((error) => {
    throw withSidesExchanged(error);
  });
  const { json } = await loadMapping(invocation.config, invocation.secrets, invocation.deadline);
  const names = mappedNames(json);
  const sessions = await openBoth(invocation);
  try {
    /** @type {Record<string, string>} */
    const fences = {};
    for (const [i, session] of sessions.entries()) {
      const roots = Object.values((await readCatalog(session, i === 0 ? names.source : names.target)).tables);
      const fence = await readFence(session, roots);
      const exists = await session.rows("SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND p.proname = 'fence'", [SCHEMA]);
      fences[session.side] = fence.state;
      if (exists.length === 0 || (!release && fence.state === 'closed')) continue;
      await setFence(session, STATES.open);
      const left = await removeTriggers(session, roots, 'DROP');
      if (left > 0)
        throw new PermanentError('FENCE_NOT_REMOVED', `${session.side}: ${left} triggers of the fence could not be dropped, because the tables are in use. They do nothing any more`, { hint: 'call again' });
      await session.run(`DROP FUNCTION ${SCHEMA}.fence()`);
      fences[session.side] = 'none';
    }
    const [blue] = sessions;
    if (fences['blue'] === 'none') await dropSchema(blue);
    return { status: 'finished', slotDropped: stopped.slotDropped, publicationDropped: stopped.publicationDropped, fences };
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** What mode two-way has made on both sides. @param {Invocation} invocation @param {boolean} release */
async function endSplit(invocation, release) {
  const { json } = await loadMapping(invocation.config, invocation.secrets, invocation.deadline);
  const names = mappedNames(json);
  const [blue, green] = await openBoth(invocation);
  try {
    const [forward, back] = [await readState(green), await readState(blue)];
    const fenceOf = async (/** @type {Session} */ session, /** @type {string[]} */ tables) => readFence(session, Object.values((await readCatalog(session, tables)).tables));
    const [onBlue, onGreen] = [await fenceOf(blue, names.source), await fenceOf(green, names.target)];
    if (!release) {
      checkDecided(onBlue, onGreen);
      checkBrought(onBlue, onGreen, back, forward?.identity.split === true);
    }
    if (forward?.identity.split !== true && forward?.identity.whole === undefined && back?.identity.whole === undefined) return;
    for (const session of [green, blue]) await takeLock(session, invocation.deadline);
    const open = [onBlue, onGreen].every(({ state }) => state === 'open' || state === 'none');
    if (forward?.identity.split === true && open) throw bothWrite('finish');
    if (forward !== undefined) {
      await removePast(blue, forward.identity.whole ?? []);
      await removePast(green, back?.identity.whole ?? []);
      await removeOneWriter(green);
      const { split, whole, ...identity } = forward.identity;
      await writeState(green, { ...forward, identity });
    }
  } finally {
    await Promise.all([blue.close(), green.close()]);
  }
}
