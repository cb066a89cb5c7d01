import { TransientError } from '../lib/errors.mjs';
import { endOfLog, parseLsn } from '../pg/text.mjs';
import { flushLog, readSlot } from '../pg/slot.mjs';
import { follow } from '../sync/follow.mjs';
import { Moment, Side } from './moment.mjs';

/**
 * Finds a moment: a snapshot of blue, and green after exactly the transactions that this snapshot sees.
 *
 * @typedef {import('../sync/context.mjs').Context} Context
 */

/** The stream is in the order of commits in the log, visibility may differ by an instant: then another snapshot is taken. */
const ATTEMPTS = 50;

/** @param {Context} context that holds the lock @returns {Promise<Moment>} */
export async function takeMoment(context) {
  const { invocation } = context;
  const blue = await Side.open(invocation, 'source');
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const { snapshot, position, at } = await blue.take('SELECT pg_current_snapshot(), pg_current_wal_insert_lsn(), clock_timestamp()');
      const lsn = endOfLog(parseLsn(position));
      await flushed(context, lsn);
      if (await bringTo(context, parseSnapshot(snapshot), lsn)) {
        const green = await Side.open(invocation, 'target');
        await green.take('SELECT pg_current_snapshot(), NULL, NULL');
        return new Moment(blue, green, lsn, at);
      }
      await blue.release();
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
