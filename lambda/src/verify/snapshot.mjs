import { TransientError } from '../lib/errors.mjs';
import { endOfLog, parseLsn } from '../pg/text.mjs';
import { open } from '../sync/context.mjs';
import { follow } from '../sync/follow.mjs';
import { flushLog, readSlot } from '../pg/slot.mjs';

/**
 * One moment on both sides: a snapshot of blue, and green after exactly the transactions that this snapshot sees.
 *
 * @typedef {import('../sync/context.mjs').Context} Context
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {{blue: Session, green: Session, lsn: bigint, at: string}} Moment both sessions are inside of a transaction
 */

/** The stream is in the order of commits in the log, visibility may differ by an instant: then another snapshot is taken. */
const ATTEMPTS = 50;

/** @param {Context} context that holds the lock @returns {Promise<Moment>} */
export async function takeMoment(context) {
  const blue = await open(context.invocation, 'source');
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      await blue.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const [snapshot, position, at] = await blue.row('SELECT pg_current_snapshot(), pg_current_wal_insert_lsn(), clock_timestamp()');
      const lsn = endOfLog(parseLsn(position));
      await flushed(context, lsn);
      if (await bringTo(context, parseSnapshot(snapshot ?? ''), lsn)) {
        const green = await open(context.invocation, 'target');
        await green.run('BEGIN ISOLATION LEVEL REPEATABLE READ');
        await green.row('SELECT txid_current_snapshot()');
        return { blue, green, lsn, at: at ?? '' };
      }
      await blue.run('ROLLBACK');
    }
    throw new TransientError('NO_MOMENT', 'no moment was found at which both sides can be compared', { hint: 'call again; if it persists, call while blue is less busy' });
  } catch (error) {
    blue.destroy();
    throw error;
  }
}

/** Applies what the snapshot sees. False: that is not a beginning of the stream. @param {Context} context @param {(xid: number) => boolean} sees @param {bigint} lsn */
async function bringTo(context, sees, lsn) {
  for (;;) {
    const { exhausted, split } = await follow(context, ({ xid }) => sees(xid));
    if (split) return false;
    // Rows that had to be read from blue itself are of a later moment.
    if (exhausted) return context.state.consistent <= lsn;
    if (!context.deadline.allows(5_000)) throw new TransientError('NO_TIME', 'the time did not suffice to bring green up to date', { hint: 'run sync until it answers "synced", then verify' });
  }
}

/** A transaction that commits asynchronously is visible before its log can be read. @param {Context} context @param {bigint} lsn */
async function flushed({ blue, state }, lsn) {
  await flushLog(blue);
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if ((await readSlot(blue, state.slot)).flushed >= lsn) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/**
 * `xmin:xmax:xip,xip`: sees transactions before xmin, and those before xmax that are not listed. The stream's numbers have 32 bits.
 * @param {string} text
 * @returns {(xid: number) => boolean}
 */
export function parseSnapshot(text) {
  const [, xmax = '0', list = ''] = text.split(':');
  const running = new Set(list.split(',').filter(Boolean).map((xid) => Number(BigInt(xid) & 0xffffffffn)));
  const end = Number(BigInt(xmax) & 0xffffffffn);
  return (xid) => ((xid - end) | 0) < 0 && !running.has(xid);
}
