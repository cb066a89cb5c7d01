import { MigrationError } from '../lib/errors.mjs';
import { encodeRow } from '../pg/text.mjs';
import { refusesRow } from './refusals.mjs';
import { Statements } from './statements.mjs';
import { writeAll } from './streams.mjs';

/**
 * Brings rows onto green in sets: they are copied into a temporary table, and merged from there with one statement per kind. What green refuses is
 * found there by halving, without sending the rows again.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('../mapping/types.mjs').Value} Value
 * @typedef {{index: number, error: MigrationError}} Refused `index`: of the row among those that were given
 */

/** Rows of one table, by what is to happen with them. */
export class Stage {
  /** @param {Session} green */
  constructor(green) {
    this.green = green;
    /** @type {Set<SyncTable>} */
    this.created = new Set();
    /** In the open transaction. @type {Set<SyncTable>} */
    this.createdNow = new Set();
    /** @type {Set<SyncTable>} */
    this.filled = new Set();
    /** @type {Map<SyncTable, Statements>} */
    this.statements = new Map();
  }

  /** After COMMIT the stages are empty; after ROLLBACK those made in the transaction are gone. @param {boolean} committed */
  transactionEnded(committed) {
    this.filled.clear();
    if (!committed) for (const table of this.createdNow) this.created.delete(table);
    this.createdNow.clear();
  }

  /** To be called outside of savepoints, whose rollback would take the stage away. @param {SyncTable} table */
  async prepare(table) {
    if (!this.statements.has(table)) this.statements.set(table, new Statements(table));
    if (this.created.has(table)) return;
    await this.green.run(this.#of(table).create);
    this.created.add(table);
    this.createdNow.add(table);
  }

  /**
   * Makes green hold these rows and no others of the same keys. Rows may have undefined values: those stay as they are on green.
   * @param {SyncTable} table
   * @param {Value[][]} rows values of `targetColumns`
   * @param {Value[][]} deletedKeys values of `targetKey`
   * @param {boolean} evict rows that hold a unique value of these, against a constraint of blue too, are stale and come again later: remove them
   * @param {{group: number, most: number}} search `group`: so many rows are refused together without looking for the one that green refuses; `most`: with more
   *   than so many it is over, and which ones they are does not matter
   * @param {boolean[]} [fresh] which rows are not there, where that is known: the others are there, and locked
   * @returns {Promise<Refused[]>} rows that green refuses; it holds none of their keys then (on the way back blue keeps the rows that it has)
   */
  async merge(table, rows, deletedKeys, evict, search, fresh) {
    const sql = this.#of(table);
    const staged = new Staged(table, rows, deletedKeys, fresh);
    const known = fresh !== undefined;
    await this.green.run('SAVEPOINT merge');
    try {
      await this.#empty(table);
      await this.#fill(sql, staged, 0, staged.length);
      await this.#clear(sql, staged, evict);
      if (rows.length > 0) await this.green.run(sql.upsert(known));
      await this.green.run('RELEASE SAVEPOINT merge');
      return [];
    } catch (cause) {
      const error = this.green.told(cause);
      if (!refusesRow(error, table)) throw error;
      await this.green.run('ROLLBACK TO SAVEPOINT merge; RELEASE SAVEPOINT merge');
    }
    /** @type {Refused[]} */
    const refused = [];
    await this.#empty(table);
    await this.#inParts(table, 0, staged.length, refused, { ...search, group: 1 }, (from, to) => this.#fill(sql, staged, from, to));
    const missing = [...refused];
    await this.#clear(sql, staged, evict);
    const keeps = table.keepsRows;
    if (!keeps) for (const { index } of missing) await this.#removeKey(table, rows[index]);
    await this.#inParts(table, 0, rows.length, refused, search, async (from, to) => void (await this.green.run(sql.upsertPart(from, to, known))));
    if (!sql.replaces && !keeps) for (const { index } of refused) await this.#removeKey(table, rows[index]);
    return refused;
  }

  /**
   * Does the work for a range of rows, or, where green refuses one, for its halves.
   * @param {SyncTable} table @param {number} from @param {number} to @param {Refused[]} refused @param {{group: number, most: number}} search @param {(from: number, to: number) => Promise<void>} work
   * @returns {Promise<void>}
   */
  async #inParts(table, from, to, refused, search, work) {
    if (from === to || refused.length > search.most) return;
    await this.green.run('SAVEPOINT part');
    try {
      await work(from, to);
      await this.green.run('RELEASE SAVEPOINT part');
    } catch (cause) {
      const error = this.green.told(cause);
      if (!refusesRow(error, table)) throw error;
      await this.green.run('ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part');
      if (to - from <= search.group) {
        for (let index = from; index < to; index += 1) refused.push({ index, error });
        return;
      }
      const middle = (from + to) >> 1;
      await this.#inParts(table, from, middle, refused, search, work);
      await this.#inParts(table, middle, to, refused, search, work);
    }
  }

  /** @param {SyncTable} table */
  async #empty(table) {
    if (this.filled.has(table)) await this.green.run(this.#of(table).empty);
    this.filled.add(table);
  }

  /** @param {Statements} sql @param {Staged} staged @param {number} from @param {number} to */
  async #fill(sql, staged, from, to) {
    await this.green.guard(writeAll(this.green.copyIn(sql.fill), staged.lines(from, to)));
  }

  /** Completes staged rows from green, and removes there what is not to stay. @param {Statements} sql @param {Staged} staged @param {boolean} evict */
  async #clear(sql, staged, evict) {
    if (staged.partial) await this.green.run(sql.complete);
    if (sql.replaces) await this.green.run(sql.removeAll);
    else if (staged.deletes) await this.green.run(sql.removeDeleted);
    if (evict) for (const statement of sql.evict) await this.green.run(statement);
  }

  /** A key that green's type does not take is not there. @param {SyncTable} table @param {Value[] | undefined} row */
  async #removeKey(table, row) {
    const key = table.targetKeyAt.map((at) => row?.[at]);
    await this.#inParts(table, 0, 1, [], { group: 1, most: 1 }, async () => void (await this.green.run(this.#of(table).removeKey(key))));
  }

  /** @param {SyncTable} table */
  #of(table) {
    return /** @type {Statements} */ (this.statements.get(table));
  }
}

/** What goes into the stage: rows, then deleted keys. */
class Staged {
  /** @param {SyncTable} table @param {Value[][]} rows @param {Value[][]} deletedKeys @param {boolean[]} [fresh] */
  constructor(table, rows, deletedKeys, fresh) {
    this.fresh = fresh;
    this.table = table;
    this.rows = rows;
    this.deletedKeys = deletedKeys;
    this.length = rows.length + deletedKeys.length;
    this.deletes = deletedKeys.length > 0;
    this.partial = rows.some((row) => row.includes(undefined));
  }

  /** @param {number} from @param {number} to */
  *lines(from, to) {
    for (let i = from; i < to; i += 1) yield i < this.rows.length ? this.#row(i) : this.#deletion(i);
  }

  /** @param {number} i */
  #row(i) {
    const row = /** @type {Value[]} */ (this.rows[i]);
    if (!row.includes(undefined)) return encodeRow([.../** @type {(string | null)[]} */ (row), `${i}`, this.fresh?.[i] === true ? 'i' : null]);
    return encodeRow([...row.map((value) => value ?? null), `${i}`, `p${row.map((value) => (value === undefined ? '1' : '0')).join('')}`]);
  }

  /** @param {number} i */
  #deletion(i) {
    const key = /** @type {Value[]} */ (this.deletedKeys[i - this.rows.length]);
    /** @type {(string | null)[]} */
    const row = new Array(this.table.plan.targetColumns.length).fill(null);
    this.table.targetKeyAt.forEach((at, k) => (row[at] = key[k] ?? null));
    return encodeRow([...row, `${i}`, 'd']);
  }
}
