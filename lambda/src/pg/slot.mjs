import { TransientError } from '../lib/errors.mjs';
import { endOfLog, formatLsn, ident, literal, parseLsn, qualified } from './text.mjs';

/**
 * The publication and the logical replication slot on blue. The slot makes blue keep its log until the changes are on green: it
 * must be dropped when a migration ends or is given up.
 *
 * @typedef {import('./session.mjs').Session} Session
 * @typedef {{exists: boolean, lost: boolean, confirmed: bigint, current: bigint, flushed: bigint, retainedBytes: number, lagBytes: number, now: string}} SlotState
 */

/** @param {Session} blue @param {string} slot @returns {Promise<SlotState>} */
export async function readSlot(blue, slot) {
  const [plugin, lost, confirmed, current, flushed, retained, lag, now] = await blue.row(
    `SELECT s.plugin, s.wal_status = 'lost', s.confirmed_flush_lsn, at.current, at.flushed, pg_wal_lsn_diff(at.current, s.restart_lsn),
            pg_wal_lsn_diff(at.current, s.confirmed_flush_lsn), clock_timestamp()
       FROM (SELECT pg_current_wal_insert_lsn() AS current, pg_current_wal_flush_lsn() AS flushed) AS at
       LEFT JOIN pg_replication_slots s ON s.slot_name = $1`,
    [slot],
  );
  return {
    exists: plugin !== null, lost: lost === 't', confirmed: parseLsn(confirmed), current: endOfLog(parseLsn(current)), flushed: parseLsn(flushed),
    retainedBytes: Number(retained ?? 0), lagBytes: Math.max(0, Number(lag ?? 0)), now: now ?? '',
  };
}

/**
 * The tables are locked one after the other, against ALTER TABLE and VACUUM only. But who waits for the next one keeps those before, and an ALTER TABLE that
 * waits for one of them makes all writers of it wait: so it is given up soon, and tried again later.
 */
const PUBLICATION_LOCK_MS = 50;

/**
 * The publication names tables, not partitions: it then covers partitions to come. Changes arrive under the partition's own
 * name, because a TRUNCATE of a single partition would not be published under the root's name. Tables that merely inherit stay out:
 * without a key of their own blue would refuse to change their rows.
 * @param {Session} blue @param {string} publication @param {{schema: string, name: string}[]} tables
 */
export async function createPublication(blue, publication, tables) {
  const [known] = await blue.rows('SELECT 1 FROM pg_publication WHERE pubname = $1', [publication]);
  const list = tables.map((table) => `ONLY ${qualified(table)}`).join(', ');
  const statements = known === undefined
    ? [`CREATE PUBLICATION ${ident(publication)} FOR TABLE ${list}`]
    : [`ALTER PUBLICATION ${ident(publication)} SET TABLE ${list}`, `ALTER PUBLICATION ${ident(publication)} SET (publish = 'insert, update, delete, truncate', publish_via_partition_root = false)`];
  await blue.transaction(async () => {
    await blue.run(`SET LOCAL lock_timeout = '${PUBLICATION_LOCK_MS}ms'`);
    for (const statement of statements) await blue.run(statement);
  });
}

/**
 * What the publication is made of. A table that was taken out and put back has another row in the catalog.
 * @param {Session} blue @param {string} publication
 * @returns {Promise<{oid: number, options: string, tables: number[][]} | undefined>} `tables`: OIDs of each and of its row in the catalog
 */
export async function readPublication(blue, publication) {
  const [row] = await blue.rows(
    `SELECT p.oid, concat(p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot),
            (SELECT json_agg(json_build_array(r.prrelid::int8, r.oid::int8) ORDER BY r.prrelid) FROM pg_publication_rel r WHERE r.prpubid = p.oid)
       FROM pg_publication p WHERE p.pubname = $1`, [publication]);
  return row === undefined ? undefined : { oid: Number(row[0]), options: row[1] ?? '', tables: JSON.parse(row[2] ?? '[]') };
}

/** Each places the slot's start anew; one is enough unless blue was restarted in between. */
const PLACINGS = 5;

/**
 * Makes the slot, at a place from which it can be decoded.
 *
 * A new slot alone is not that: until it is consistent PostgreSQL overlooks what changes the catalog (14.23 still: in the phase
 * BUILDING_SNAPSHOT of snapbuild.c its records are skipped, and who ran it is no initial transaction). A table that is truncated
 * or rewritten in that phase is then looked up under its old file by every pass that begins at the slot's first place: "could not
 * map filenode ... to relation OID", for good, and maybe only minutes later. Passes that begin at a snapshot which a consistent
 * pass has written down know everything. So a second, temporary slot is made: PostgreSQL logs who is running, waits until all of
 * them have ended, and then the first slot moves past that, without decoding, to begin at the snapshot in between.
 * Nobody is blocked by it, nothing but the end of blue's running transactions is waited for.
 * @param {Session} blue @param {string} slot
 */
export async function createSlot(blue, slot) {
  const first = await made(blue, slot, false);
  for (let placing = 1; (await restartOf(blue, slot)) <= first; placing += 1) {
    if (placing > PLACINGS) throw new TransientError('SLOT_PLACE', 'blue: the new replication slot does not move to where it can be decoded');
    await place(blue, slot);
  }
  await settle(blue);
}

/** The temporary slot that a run makes beside its own, for a moment. @param {string} slot */
export const markerOf = (slot) => `${slot}_marker`;

/** @param {Session} blue @param {string} slot */
async function place(blue, slot) {
  const marker = markerOf(slot);
  await dropSlot(blue, marker); // a killed run's backend may still be making it
  const end = await made(blue, marker, true);
  await dropSlot(blue, marker);
  await advanceSlot(blue, slot, end);
}

/** @param {Session} blue @param {string} slot @param {boolean} temporary @returns {Promise<bigint>} where it is consistent */
async function made(blue, slot, temporary) {
  const [lsn] = await blue.row(`SELECT lsn FROM pg_create_logical_replication_slot(${literal(slot)}, 'pgoutput', ${temporary})`);
  return parseLsn(lsn);
}

/** Where the decoding of the slot begins to read. @param {Session} blue @param {string} slot @returns {Promise<bigint>} */
async function restartOf(blue, slot) {
  const [lsn] = await blue.row('SELECT restart_lsn FROM pg_replication_slots WHERE slot_name = $1', [slot]);
  return parseLsn(lsn);
}

/**
 * A transaction whose commit is in the log before the slot's start is not in the slot's stream. It may still be invisible to
 * others for a moment (while it waits for its log to be safe): the copy must not take its snapshots in that moment. Waits until
 * whoever runs now has ended, or is known to do something other than committing (what others do is for pg_read_all_stats to see).
 * @param {Session} blue
 */
async function settle(blue) {
  const [running] = await blue.row(`SELECT coalesce(array_agg(x::text), '{}') FROM pg_snapshot_xip(pg_current_snapshot()) AS x`);
  for (let quiet = 0; quiet < 10; ) {
    const [open, committing] = await blue.row(
      `SELECT count(*), count(*) FILTER (WHERE a.pid IS NULL OR a.state IS NULL OR a.state = 'active' AND a.wait_event IN ('SyncRep', 'XactSync', 'WALSync', 'WALWrite', 'WALWriteLock'))
         FROM unnest($1::xid8[]) AS x LEFT JOIN pg_stat_activity a ON a.backend_xid = x::xid
        WHERE pg_xact_status(x) = 'in progress'`,
      [running],
    );
    if (open === '0') return;
    quiet = committing === '0' ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Makes blue write its log to disk: what no transaction waits for (the pruning of a page, an aborted transaction) may stay in memory
 * for seconds on a quiet server, and is not decoded before. A commit waits for all that is before it; this one says nothing.
 * @param {Session} blue
 */
export async function flushLog(blue) {
  await blue.row(`SELECT pg_logical_emit_message(true, 'payment_migration', '')`);
}

/** Lets blue forget its log up to here. Going back is not possible, so an older position is left as it is. @param {Session} blue @param {string} slot @param {bigint} lsn */
export async function advanceSlot(blue, slot, lsn) {
  await blue.run(
    `SELECT pg_replication_slot_advance(slot_name, ${literal(formatLsn(lsn))}) FROM pg_replication_slots
      WHERE slot_name = ${literal(slot)} AND confirmed_flush_lsn < ${literal(formatLsn(lsn))}`,
  );
}

/** Ends whoever holds the slot, and drops it. @param {Session} blue @param {string} slot @returns {Promise<boolean>} whether it was there */
export async function dropSlot(blue, slot) {
  const [holder] = await blue.rows('SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1 AND active_pid <> pg_backend_pid()', [slot]);
  if (holder !== undefined) await blue.run('SELECT pg_terminate_backend($1::int, 5000)', [holder[0]]);
  const dropped = await blue.rows('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1', [slot]);
  return dropped.length > 0 || holder !== undefined;
}

/** The comment of the large object that keeps a migration's key (sync/masks.mjs). Numbers of large objects are given again: by this mark it is known. @param {string} publication */
export const markOfKey = (publication) => `key of migration ${publication}`;

/**
 * Removes the key of a publication, also one that was left when somebody else dropped the publication. An object of another owner is none of ours.
 * @param {Session} blue @param {string} publication
 */
export async function unlinkKey(blue, publication) {
  await blue.run(
    `SELECT lo_unlink(o.oid) FROM pg_description d JOIN pg_largeobject_metadata o ON o.oid = d.objoid
      WHERE d.classoid = 'pg_largeobject'::regclass AND d.description = $1 AND pg_has_role(o.lomowner, 'USAGE')`, [markOfKey(publication)]);
}

/** The migration's key goes with it, in the same transaction. @param {Session} blue @param {string} publication @returns {Promise<boolean>} whether it was there */
export async function dropPublication(blue, publication) {
  const [published] = await blue.rows('SELECT 1 FROM pg_publication WHERE pubname = $1', [publication]);
  await blue.transaction(async () => {
    // An event trigger may refuse the statement also where there is nothing to drop.
    if (published !== undefined) await blue.run(`DROP PUBLICATION IF EXISTS ${ident(publication)}`);
    await unlinkKey(blue, publication);
  });
  return published !== undefined;
}
