import { MigrationError, PermanentError } from '../lib/errors.mjs';

/**
 * Which clusters a migration is between. The slot and the checkpoint only mean something in the log of the cluster, and on the timeline, that they are of.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {{system: string | null, timeline: string | null}} Cluster null: the server does not tell
 * @typedef {{blue: Cluster, green: Cluster}} Identity
 */

/** @param {Session} blue @param {Session} green @returns {Promise<Identity>} */
export async function readIdentity(blue, green) {
  const [one, other] = await Promise.all([cluster(blue), cluster(green)]);
  return { blue: one, green: other };
}

/** @param {Session} session @returns {Promise<Cluster>} */
async function cluster(session) {
  return {
    system: await told(session, 'SELECT system_identifier FROM pg_control_system()'),
    timeline: await told(session, 'SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)'),
  };
}

/** @param {Session} session @param {string} sql @returns {Promise<string | null>} */
async function told(session, sql) {
  try {
    const [value] = await session.row(sql);
    return value ?? null;
  } catch (error) {
    if (error instanceof MigrationError && /^(42|0A|55)/.test(error.sqlstate ?? '')) return null; // not allowed, or not there
    throw error;
  }
}

/**
 * Green may fail over to a standby, and its timeline with it: what of its commits was lost then shows in the checkpoint. Blue may not: what its new
 * writer has not got is nowhere to be seen.
 * @param {Partial<Identity>} before @param {Identity} now
 */
export function compareIdentity(before, now) {
  const hint = 'if that is what is meant: stop, empty the tables on green, and run again from the start';
  for (const side of /** @type {const} */ (['blue', 'green']))
    if (differ(before[side]?.system, now[side].system))
      throw new PermanentError('OTHER_CLUSTER', `${side} is another PostgreSQL cluster than the one that this migration began with`, { hint });
  if (differ(before.blue?.timeline, now.blue.timeline))
    throw new PermanentError('OTHER_TIMELINE', "blue's log has a new timeline: blue was restored, or a standby took over, and may lack what green already has", { hint });
}

/** @param {string | null | undefined} before @param {string | null} now */
const differ = (before, now) => before !== null && before !== undefined && now !== null && before !== now;
