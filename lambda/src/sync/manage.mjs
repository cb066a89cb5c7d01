import { reversed } from '../lib/config.mjs';
import { MigrationError, PermanentError } from '../lib/errors.mjs';
import { dropPublication, dropSlot, markerOf, readSlot } from '../pg/slot.mjs';
import { open, openBoth, slotName } from './context.mjs';
import { takeLock } from './lock.mjs';
import { nameOnBlue } from './masks.mjs';
import { lagSeconds, progress } from './run.mjs';
import { SCHEMA, readState, readUnits, writeState } from './state.mjs';
import { checkStoppable, undo } from './undo.mjs';

/**
 * `status` and `stop`.
 * @typedef {import('./context.mjs').Invocation} Invocation
 */

/** A run that is at work ends its statement within this time, or `stop` answers that it is busy. */
const STOP_WAIT_MS = 20_000;

/** Reads, and changes nothing. @param {Invocation} invocation */
export async function status(invocation) {
  const [blue, green] = await openBoth(invocation);
  try {
    const state = await readState(green);
    const name = state?.slot ?? slotName(invocation.config);
    const slot = await readSlot(blue, name);
    if (slot.exists) invocation.metrics.gauge('LagBytes', slot.lagBytes);
    const facts = { status: 'ok', slot: slot.exists ? (slot.lost ? 'lost' : 'active') : 'none', lagBytes: slot.lagBytes, retainedBytes: slot.retainedBytes };
    if (state === undefined) return { ...facts, phase: 'none' };
    const units = await readUnits(green);
    const [held] = await green.row(`SELECT count(*) FROM ${SCHEMA}.quarantine`);
    return {
      ...facts, phase: state.phase, progressPercent: progress(state.phase, units), rowsCopied: Number(state.rowsCopied), changesApplied: Number(state.changesApplied),
      quarantined: Number(held), consistent: state.phase === 'following' && state.applied >= state.consistent,
      lagSeconds: lagSeconds(slot.now, state.syncedUntil), startedAt: state.startedAt,
      copying: units.filter(({ done, cursor }) => !done && cursor !== null).map(({ unit, rows, estimate }) => ({ table: unit, rows, estimate })),
    };
  } finally {
    await Promise.all([blue.close(), green.close()]);
  }
}

/**
 * Ends the migration: blue is as it was before. Also when green is gone: then the slot matters all the more, since it fills blue's disk. (`control` ends the stream of the way back by this too,
 * and then what else there is by itself.)
 * @param {Invocation} invocation
 */
export async function stop(invocation) {
  const blue = await open(invocation, 'source');
  /** @type {import('../pg/session.mjs').Session | undefined} */
  let green;
  try {
    green = await reachable(invocation);
    if (green !== undefined) await takeLock(green, invocation.deadline, STOP_WAIT_MS);
    const state = green && (await readState(green));
    const whole = invocation.config.direction !== 'reverse';
    if (whole && (await readState(blue)) !== undefined) await takeLock(blue, invocation.deadline, STOP_WAIT_MS);
    if (whole && green !== undefined) await checkStoppable(blue, green, state);
    const named = slotName(invocation.config);
    const name = state?.slot ?? (green === undefined ? await nameOnBlue(blue, named) : named);
    await dropSlot(blue, markerOf(name)); // of a run that was killed when it began
    const slotDropped = await dropSlot(blue, name);
    /** An event trigger of blue may refuse it: without the slot the publication does nothing, so the rest is done first. @type {MigrationError | undefined} */
    let refused;
    const publicationDropped = await dropPublication(blue, state?.publication ?? name).catch((error) => {
      if (!(error instanceof PermanentError)) throw error;
      refused = error;
      return false;
    });
    const { greenClosed, left: triggers } = whole ? await undo(blue, green, state, slotName(reversed(invocation.config)), (ms) => invocation.deadline.allows(ms)) : { greenClosed: false, left: 0 };
    if (triggers > 0) invocation.log.warn('triggers of the fence are left, since the tables are in use: they do nothing any more', {});
    if (greenClosed) invocation.log.warn('green stays closed to its application, since the rows that were copied are there', {});
    if (green !== undefined && state !== undefined) {
      const { closed, ...identity } = state.identity;
      if (whole) for (const key of /** @type {const} */ (['split', 'whole'])) delete identity[key];
      await writeState(green, { ...state, phase: 'stopped', identity });
    }
    invocation.metrics.gauge('LagBytes', 0);
    if (refused !== undefined)
      throw new PermanentError('PUBLICATION_LEFT', `blue refuses to drop the publication ${state?.publication ?? name}; everything else of the migration is gone`, {
        sqlstate: refused.sqlstate, cause: refused, hint: 'let the event trigger pass what the user of the migration does, or DROP PUBLICATION by a user whom it lets; then call stop again',
      });
    invocation.log.info('stopped', { slot: name, done: slotDropped });
    const left = green === undefined && !slotDropped ? await slotsOf(blue) : [];
    return { status: 'stopped', slotDropped, publicationDropped, targetReached: green !== undefined, ...(greenClosed && { greenClosed }), ...(left.length > 0 && { slotsLeft: left }) };
  } finally {
    await Promise.all([blue.close(), green?.close()]);
  }
}

/**
 * After a failure, green's perhaps: the slot keeps filling blue's disk, so its lag is told as long as blue can be asked.
 * @param {Invocation} invocation
 */
export async function watchSlot(invocation) {
  try {
    const blue = await open(invocation, 'source');
    const slot = await nameOnBlue(blue, slotName(invocation.config)).then((name) => readSlot(blue, name)).finally(() => blue.close());
    if (slot.exists) invocation.metrics.gauge('LagBytes', slot.lagBytes);
  } catch {
    // the failure that led here is told
  }
}

/** Slots of migrations in this database, whichever they are. @param {import('../pg/session.mjs').Session} blue @returns {Promise<string[]>} */
async function slotsOf(blue) {
  const rows = await blue.rows("SELECT slot_name FROM pg_replication_slots WHERE database = current_database() AND starts_with(slot_name, 'payment_migration_') ORDER BY 1");
  return rows.map(([name]) => name ?? '');
}

/** @param {Invocation} invocation */
async function reachable(invocation) {
  try {
    return await open(invocation, 'target');
  } catch (error) {
    if (error instanceof MigrationError && error.code === 'READER') throw error; // a writer is there, under another address or in a moment
    invocation.log.warn('green is not reachable, only blue is cleaned up', { error: error instanceof MigrationError ? error : undefined });
    return undefined;
  }
}
