import { PermanentError } from '../lib/errors.mjs';

/**
 * Changes of one transaction to tables whose key blue checks late (a DEFERRABLE primary key, with the full row as replica identity). Within the
 * transaction two rows may have the same key, so the last state of a key says nothing before the end: `UPDATE t SET id = id + 1` gives
 * a row the key that another has until it is its turn. What comes and what goes is matched by the whole row.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/pgoutput.mjs').Tuple} Tuple
 * @typedef {{key: string[], rows: Tuple[], left: boolean}} Place `rows`: that came and are still there; `left`: the row that was there before went
 */

/** All of it is in memory until the transaction ends. */
const LATE_BYTES = 32 << 20;

export class LateRows {
  constructor() {
    /** @type {Map<SyncTable, Map<string, Place>>} */
    this.tables = new Map();
    this.bytes = 0;
  }

  get empty() {
    return this.tables.size === 0;
  }

  /** @param {SyncTable} table @param {Tuple} row @param {number} bytes */
  comes(table, row, bytes) {
    this.bytes += bytes;
    if (this.bytes > LATE_BYTES)
      throw new PermanentError('TRANSACTION_TOO_LARGE', `one transaction changes more of blue's table ${table.name} than fits into memory, and its DEFERRABLE primary key leaves no other way`, {
        table: table.name, hint: 'make the primary key again on blue without DEFERRABLE; stop, empty the tables on green, and run again',
      });
    this.#at(table, row).rows.push(row);
  }

  /** @param {SyncTable} table @param {Tuple} row the whole of it */
  goes(table, row) {
    const place = this.#at(table, row);
    const same = place.rows.findIndex((other) => other.every((value, i) => value === row[i]));
    if (same === -1) place.left = true;
    else place.rows.splice(same, 1);
  }

  /** @param {SyncTable} table */
  truncated(table) {
    this.tables.delete(table);
  }

  /** The transaction has ended: each key has one row or none. @param {import('./batch.mjs').Batch} batch */
  settle(batch) {
    for (const [table, places] of this.tables)
      for (const { key, rows, left } of places.values()) {
        const row = rows.at(-1);
        if (row !== undefined) batch.put(table, key, row);
        else if (left) batch.put(table, key, null);
      }
    this.tables.clear();
    this.bytes = 0;
  }

  /** @param {SyncTable} table @param {Tuple} row */
  #at(table, row) {
    let places = this.tables.get(table);
    if (places === undefined) this.tables.set(table, (places = new Map()));
    const key = table.keyOf(row);
    const id = key.join('\0');
    let place = places.get(id);
    if (place === undefined) places.set(id, (place = { key, rows: [], left: false }));
    return place;
  }
}
