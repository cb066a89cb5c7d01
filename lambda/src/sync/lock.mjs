import { MigrationError } from '../lib/errors.mjs';

/**
 * One run at a time: an advisory lock of green's session. The session's name says until when its run may last (Lambda ends it
 * then), so a lock whose run was killed while its backend lives on differs from one of a run that works. That time is one of green's clock: those of two invocations may differ.
 */

const LOCK = `hashtext('payment_migration'), 1`;
export const NAME = 'payment-migration';
/** A backend of a run that has ended is given this long to notice by itself. */
const GRACE_MS = 10_000;
/** The backend of a run that was killed notices it within two seconds, or when its statement ends on a busy server. */
const WAIT_MS = 6_000;

/** Another run is at work. Not a failure: nothing is to be done but to come back. */
export class BusyError extends MigrationError {}

/**
 * @param {import('../pg/session.mjs').Session} green
 * @param {import('../lib/deadline.mjs').Deadline} deadline of the run
 * @param {number} [waitMs]
 */
export async function takeLock(green, deadline, waitMs = WAIT_MS) {
  const end = Date.now() + waitMs;
  for (;;) {
    const [taken] = await green.row(
      `SELECT pg_try_advisory_lock(${LOCK}), set_config('application_name', '${NAME} until ' || round(extract(epoch FROM clock_timestamp()) * 1000 + $1), false)`, [Math.round(deadline.remainingMs())]);
    if (taken === 't') return;
    await endDeadHolder(green);
    if (Date.now() >= end) {
      throw new BusyError('BUSY', 'another run of sync or verify holds the lock', { hint: 'it goes on by itself; call again later' });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** @param {import('../pg/session.mjs').Session} green */
export async function releaseLock(green) {
  await green.run(`SELECT pg_advisory_unlock(${LOCK})`);
}

/** Ends the session that holds the lock, whatever it does, and takes it: what that one had not committed is not done. @param {import('../pg/session.mjs').Session} green @param {import('../lib/deadline.mjs').Deadline} deadline */
export async function takeFromHolder(green, deadline) {
  await green.rows(endHolder('true'));
  await takeLock(green, deadline);
}

/** @param {import('../pg/session.mjs').Session} green */
async function endDeadHolder(green) {
  await green.rows(endHolder(`a.application_name ~ '^${NAME} until [0-9]+$'
        AND substring(a.application_name from '[0-9]+$')::numeric + ${GRACE_MS} < extract(epoch FROM clock_timestamp()) * 1000`));
}

/** @param {string} which */
const endHolder = (which) =>
  `SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::int8 = hashtext('payment_migration')::int8 & 4294967295
        AND l.objid = 1 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND ${which}`;
