import { randomUUID } from 'node:crypto';
import { MigrationError, PermanentError } from '../lib/errors.mjs';
import { dropPublication, dropSlot, markerOf } from '../pg/slot.mjs';
import { ident, qualified } from '../pg/text.mjs';
import { ONE_WRITER, STATES, dropFence, fencedTables, leaveClosed, raiseFence, readFence, setFence } from './fence.mjs';
import { SCHEMA, dropSchema, readState, writeState } from './state.mjs';

/**
 * What a migration leaves on both sides when it is stopped. Blue is as it was before. Green's application does not take up what was copied: its rows are those of a moment, and
 * blue, which takes the writes, goes on with them.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('./state.mjs').State} State
 * @typedef {import('./fence.mjs').Fence} Fence
 */

const LOCK_MS = 700;
const TRIES = 5;
const PAUSE_MS = 300;
export const ONE_WRITER_FUNCTION = `${SCHEMA}.one_writer`;

/** @param {Session} session */
const fenceOf = async (session) => readFence(session, await fencedTables(session));

/** @param {Fence} fence */
const isClosed = ({ state }) => state.startsWith('closed');

/**
 * A migration is not stopped while the side that takes the writes needs its streams. With green gone nobody is asked.
 * @param {Session} blue @param {Session} green @param {State | undefined} state of the stream to green
 */
export async function checkStoppable(blue, green, state) {
  const [onBlue, onGreen, back] = [await fenceOf(blue), await fenceOf(green), await readState(blue)];
  checkDecided(onBlue, onGreen);
  checkBrought(onBlue, onGreen, back, state?.identity.split === true);
  if (isClosed(onBlue) && back?.phase === 'following')
    throw new PermanentError('WRITER', 'green takes the writes, and the way back is open: blue would not get them any more', {
      hint: 'invoke control with {"action": "finish"} first, when green is to keep the writes for good; with {"action": "cutover", "reverse": true} blue takes them again',
    });
  if (state?.identity.split === true && !isClosed(onBlue) && !isClosed(onGreen)) throw bothWrite('stop');
}

/** @param {Fence} onBlue @param {Fence} onGreen */
export function checkDecided(onBlue, onGreen) {
  const changing = [onBlue, onGreen].some(({ seconds }) => seconds !== null);
  if (changing || (isClosed(onBlue) && isClosed(onGreen) && onGreen.ended !== true))
    throw new PermanentError('WRITER', changing ? 'a cutover is under way or was interrupted' : 'neither side takes the writes: a cutover was interrupted', {
      hint: 'invoke control with {"action": "cutover"} in the direction that is meant, so that one side takes them',
    });
}

/**
 * What green has acknowledged is brought to blue before the way back goes: after one that was forced, or a cutover that was killed, some of it may only be on green.
 * @param {Fence} onBlue @param {Fence} onGreen @param {State | undefined} back @param {boolean} split then both may be open
 */
export function checkBrought(onBlue, onGreen, back, split) {
  if (back?.phase !== 'following' || isClosed(onBlue)) return;
  if (back.identity.contested === true || onGreen.lapsed || (!split && !isClosed(onGreen)))
    throw new PermanentError('BEHIND', 'green has acknowledged what blue may not have yet', { hint: 'run sync with DIRECTION=reverse until it answers "synced": it closes green and brings that to blue, overwriting nothing; then call again' });
}

/** @param {string} then */
export const bothWrite = (then) =>
  new PermanentError('WRITER', 'both sides take writes', { hint: `invoke control with {"action": "cutover"}, or with "reverse": true, so that one of them does; then ${then}` });

/**
 * Slot and publication are gone already.
 * @param {Session} blue @param {Session | undefined} green undefined: it can't be reached @param {State | undefined} state of the stream to green
 * @param {string} backName of slot and publication of the way back, if a prepare was killed before its state was on blue @param {(ms: number) => boolean} allows
 * @returns {Promise<{greenClosed: boolean, left: number}>} `left`: tables whose triggers could not be taken away; they do nothing any more
 */
export async function undo(blue, green, state, backName, allows) {
  const back = await readState(blue);
  const blueWrites = !isClosed(await fenceOf(blue));
  let left = 0;
  if (blueWrites) {
    await removePast(blue, [...(state?.identity.whole ?? []), ...(back?.identity.wholeOfBlue ?? [])]);
    left += await dropFence(blue);
  }
  if (green === undefined) return { greenClosed: false, left };
  await dropSlot(green, markerOf(back?.slot ?? backName));
  await dropSlot(green, back?.slot ?? backName);
  await dropPublication(green, back?.publication ?? backName);
  if (back !== undefined) {
    await removePast(green, back.identity.whole ?? []);
    await removeOneWriter(green);
  }
  // Also without a state: of a prepare that was killed before it.
  if (blueWrites && left === 0) await dropSchema(blue);
  else if (back !== undefined) await writeState(blue, { ...back, phase: 'stopped' });
  const ended = await leaveClosed(green, () => closeEnded(green, state?.identity.pair ?? '', allows));
  return { greenClosed: ended.closed, left: left + ended.left };
}

/** Also partitions that were made since. @param {Session} green @param {string} pair @param {(ms: number) => boolean} allows */
async function closeEnded(green, pair, allows) {
  await setFence(green, STATES.ended);
  const roots = await fencedTables(green);
  if ((await readFence(green, roots)).complete) return;
  await raiseFence(green, roots, { state: STATES.ended, pair, marker: randomUUID(), allows });
}

/** When green alone takes the writes, it writes these tables too. @param {Session} green */
export async function removeOneWriter(green) {
  const rows = await green.rows('SELECT n.nspname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.tgname = $1 AND t.tgfoid = to_regproc($2)', [ONE_WRITER, ONE_WRITER_FUNCTION]);
  for (const [schema, name] of rows) await locked(green, `DROP TRIGGER IF EXISTS ${ident(ONE_WRITER)} ON ${qualified({ schema: schema ?? '', name: name ?? '' })}`);
  if (rows.length > 0) await green.run(`DROP FUNCTION IF EXISTS ${ONE_WRITER_FUNCTION}()`);
}

/** Tables that were given whole rows in the log get back what they had, whatever their names are by now. @param {Session} session @param {number[]} whole OIDs */
export async function removePast(session, whole) {
  if (whole.length === 0) return;
  const rows = await session.rows("SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1::oid[]) AND c.relreplident = 'f'", [whole]);
  for (const [schema, name] of rows) await locked(session, `ALTER TABLE ONLY ${qualified({ schema: schema ?? '', name: name ?? '' })} REPLICA IDENTITY DEFAULT`);
}

/** A statement that needs a table for itself for an instant: nobody waits longer for it. @param {Session} session @param {string} statement */
export async function locked(session, statement) {
  for (let tries = 1; ; tries += 1) {
    try {
      await session.transaction(() => session.run(`SET LOCAL lock_timeout = '${LOCK_MS}ms'; ${statement}`));
      return;
    } catch (error) {
      if (!(error instanceof MigrationError) || error.sqlstate !== '55P03') throw error;
      if (tries >= TRIES) throw new PermanentError('TABLE_LOCKED', `${session.side}: a table is locked by others, and was waited for ${TRIES} times`, { sqlstate: '55P03', hint: 'call again when the long transaction has ended' });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
