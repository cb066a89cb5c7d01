import { literal } from '../pg/text.mjs';
import { open } from '../sync/context.mjs';

/**
 * One moment on both sides, kept by a transaction that holds a snapshot and no table. What is read under the snapshot is read in short
 * transactions beside it, because a transaction keeps its locks on the tables that it has read: an application that truncates or alters
 * one of them must not wait for the end of the comparison, and who waits is let through at once.
 *
 * A snapshot does not protect from everything: a table that is truncated or rewritten afterwards looks empty to it, and partitions come and
 * go. So each reading ends with the question whether the tables' files and partitions are still those of the moment.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 */

const WATCH_MS = 40;
/** So often a reading gives way before it is given up. */
const ATTEMPTS = 8;

/** The files of the tables and partitions, as the snapshot sees them and as they are now. */
const CHANGED = `
WITH RECURSIVE tree(oid, relkind) AS (
  SELECT oid, relkind FROM pg_class WHERE oid = ANY ($1::oid[])
  UNION ALL
  SELECT c.oid, c.relkind FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid JOIN pg_class c ON c.oid = i.inhrelid WHERE tree.relkind = 'p'
), before AS (
  SELECT c.oid, c.relfilenode FROM tree JOIN pg_class c USING (oid)
), now AS (
  SELECT oid, coalesce(pg_relation_filenode(oid), 0) FROM (
    SELECT unnest($1::oid[]) AS oid UNION SELECT relid FROM unnest($1::oid[]) AS root(oid), pg_partition_tree(root.oid)) AS relations
)
SELECT EXISTS ((TABLE before EXCEPT TABLE now) UNION ALL (TABLE now EXCEPT TABLE before))`;

/** A reading that gave way to somebody who waits for the table. */
class GaveWay extends Error {}

/** The table is not what it was at the moment. */
export class Moved extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

export class Side {
  /** @type {Session | undefined} */
  #reader;
  #snapshot = '';
  #readerPid = '';

  /** @param {Invocation} invocation @param {'source' | 'target'} role @param {Session} holder */
  constructor(invocation, role, holder) {
    this.invocation = invocation;
    this.role = role;
    this.holder = holder;
    this.name = role === 'source' ? 'blue' : 'green';
  }

  /** @param {Invocation} invocation @param {'source' | 'target'} role */
  static async open(invocation, role) {
    const holder = await open(invocation, role);
    await holder.run(`SET idle_in_transaction_session_timeout = ${Math.ceil(invocation.deadline.remainingMs()) + 5_000}`);
    return new Side(invocation, role, holder);
  }

  /** Takes a snapshot. @param {string} question the first statement under it: snapshot, position, time */
  async take(question) {
    await this.holder.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const [snapshot, position, at] = await this.holder.row(question);
    const [id] = await this.holder.row('SELECT pg_export_snapshot()');
    this.#snapshot = id ?? '';
    return { snapshot: snapshot ?? '', position: position ?? null, at: at ?? '' };
  }

  async release() {
    await this.holder.run('ROLLBACK');
  }

  /** Begins to read under the snapshot. @returns {Promise<Session>} */
  async begin() {
    if (this.#reader === undefined) {
      this.#reader = await open(this.invocation, this.role);
      [this.#readerPid] = /** @type {string[]} */ (await this.#reader.row('SELECT pg_backend_pid()'));
    }
    await this.#reader.run(`BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT ${literal(this.#snapshot)}`);
    return this.#reader;
  }

  /** @param {number} oid of the table that was read @returns {Promise<boolean>} whether it is another one than at the moment */
  async end(oid) {
    const reader = /** @type {Session} */ (this.#reader);
    const [changed] = await reader.row(CHANGED, [[oid]]);
    await reader.run('ROLLBACK');
    return changed === 't';
  }

  /** Stops what is being read, if somebody waits for it. @returns {Promise<boolean>} */
  async giveWay() {
    const rows = await this.holder.rows(
      `SELECT pg_cancel_backend($1::int) FROM pg_locks own JOIN pg_locks waiting ON waiting.locktype = 'relation' AND waiting.database = own.database AND waiting.relation = own.relation
        WHERE own.pid = $1::int AND own.locktype = 'relation' AND own.granted AND NOT waiting.granted AND waiting.mode = 'AccessExclusiveLock' LIMIT 1`,
      [this.#readerPid]);
    if (rows.length > 0) this.drop();
    return rows.length > 0;
  }

  /**
   * Who makes or drops an index CONCURRENTLY waits for the end of every transaction with an older snapshot, whatever tables it reads. Then the moment is given up: the
   * snapshot is released and what is being read stops.
   * @returns {Promise<boolean>}
   */
  async giveUp() {
    const rows = await this.holder.rows(
      `SELECT pg_cancel_backend($1::int) FROM pg_locks own JOIN pg_locks waiting ON waiting.locktype = 'virtualxid' AND waiting.virtualxid = own.virtualxid
        WHERE own.pid IN ($1::int, pg_backend_pid()) AND own.locktype = 'virtualxid' AND own.granted AND NOT waiting.granted LIMIT 1`,
      [this.#readerPid]);
    if (rows.length === 0) return false;
    this.drop();
    await this.release();
    return true;
  }

  /** Ends the reading session: after a failure, or because somebody waits (between its statements there is nothing to cancel). */
  drop() {
    this.#reader?.destroy();
    this.#reader = undefined;
  }

  destroy() {
    this.drop();
    this.holder.destroy();
  }

  async close() {
    await Promise.all([this.#reader?.close(), this.holder.close()]);
  }
}

export class Moment {
  /** @param {Side} blue @param {Side} green @param {bigint} lsn of blue @param {string} at blue's clock */
  constructor(blue, green, lsn, at) {
    this.blue = blue;
    this.green = green;
    this.lsn = lsn;
    this.at = at;
    /** Whose application must not wait. */
    this.watched = blue;
    /** Somebody waited for the snapshot. */
    this.givenUp = false;
  }

  /** A moment of the way back, as one of blue and green. */
  get exchanged() {
    const moment = new Moment(this.green, this.blue, this.lsn, this.at);
    moment.watched = this.blue;
    return moment;
  }

  /**
   * Runs what reads a part of a table on both sides, again when it had to give way on blue.
   * @template T
   * @param {import('../sync/table.mjs').SyncTable} table
   * @param {(blue: Session, green: Session) => Promise<T>} work
   * @returns {Promise<T>} rejects with `Moved` when the table was truncated, rewritten or repartitioned since the moment
   */
  async read(table, work) {
    for (let attempt = 1; ; attempt += 1) {
      if (this.givenUp) throw new Moved(`${table.name}: it was not compared, because an index is made or dropped CONCURRENTLY on ${this.watched === this.blue ? 'blue' : 'green'}, which waits for the comparison's snapshot; verify again`);
      try {
        return await this.#once(table, work);
      } catch (error) {
        this.blue.drop();
        this.green.drop();
        if (this.givenUp) continue;
        if (!(error instanceof GaveWay)) throw error;
        if (attempt >= ATTEMPTS) throw new Moved(`${table.name}: others waited for the table again and again, and were let through`);
      }
    }
  }

  /**
   * @template T
   * @param {import('../sync/table.mjs').SyncTable} table
   * @param {(blue: Session, green: Session) => Promise<T>} work
   */
  async #once(table, work) {
    const [blue, green] = await Promise.all([this.blue.begin(), this.green.begin()]);
    const watch = new Watch(this.watched);
    try {
      const result = await work(blue, green);
      const [onBlue, onGreen] = await Promise.all([this.blue.end(table.source.oid), this.green.end(table.target.oid)]);
      if (onBlue || onGreen) throw new Moved(`${onBlue ? table.name : table.targetName}: it was truncated, rewritten or repartitioned on ${onBlue ? 'blue' : 'green'} while it was compared`);
      return result;
    } catch (error) {
      throw watch.gaveWay ? new GaveWay() : error;
    } finally {
      await watch.stop();
      this.givenUp ||= watch.givenUp;
    }
  }

  destroy() {
    this.blue.destroy();
    this.green.destroy();
  }

  async close() {
    await Promise.all([this.blue.close(), this.green.close()]);
  }
}

/** Looks again and again whether somebody waits for what a side is reading. */
class Watch {
  gaveWay = false;
  givenUp = false;
  #stopped = false;
  /** @type {() => void} */
  #wake = () => {};

  /** @param {Side} side */
  constructor(side) {
    this.running = this.#loop(side);
  }

  /** @param {Side} side */
  async #loop(side) {
    while (!this.#stopped && !this.gaveWay && !this.givenUp) {
      await new Promise((resolve) => {
        this.#wake = () => resolve(undefined);
        setTimeout(resolve, WATCH_MS).unref();
      });
      if (this.#stopped) return;
      this.gaveWay = await side.giveWay().catch(() => false); // the next statement reports a lost connection
      if (!this.gaveWay) this.givenUp = await side.giveUp().catch(() => false);
    }
  }

  async stop() {
    this.#stopped = true;
    this.#wake();
    await this.running;
  }
}
