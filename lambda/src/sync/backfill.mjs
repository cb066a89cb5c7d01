import { withKeys, withoutKeys } from '../pg/keys.mjs';
import { wholeRows } from '../pg/rows.mjs';
import { decodeRow, endOfLog, formatLsn, ident, parseLsn } from '../pg/text.mjs';
import { valueLimit } from './limits.mjs';

/**
 * Rows of which the stream does not hold all: an update does not repeat large values that stayed as they were. Mostly green has
 * them. Where it has not (the row was copied under another key, was in quarantine or filtered out before), they are read from blue
 * as they are now, a moment later than the change. Green is consistent only from the moment of that reading on.
 *
 * What is read may even belong to another row that has the key by now. Then the stream takes the key away from the row before it
 * reaches the moment of the reading: by a delete, or by a change of the key. So until then the row is unconfirmed, and a change of its
 * key must not carry its large values along: they are read again under the new key. The same holds for all rows while the stream
 * has not reached the end of the copy.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('./apply.mjs').Wanted} Wanted
 * @typedef {import('./batch.mjs').Pending} Pending
 * @typedef {import('../pg/session.mjs').Session} Session
 */

const AT_ONCE = 500;
/** Rows that are read are handed on in groups of about this size, since their large values would not all fit into memory. */
const GROUP_BYTES = 2 << 20;
const FIRST_KEYS = 32;
/** More are not remembered one by one. */
const MANY_UNCONFIRMED = 10_000;

export class Backfill {
  /**
   * @param {Session} green
   * @param {() => Promise<Session>} openBlue a connection beside the one that reads the stream
   * @param {import('./masks.mjs').Masks} masks
   */
  constructor(green, openBlue, masks) {
    this.green = green;
    this.openBlue = openBlue;
    this.masks = masks;
    /** @type {Promise<Session> | undefined} */
    this.blue = undefined;
    /** Blue's position after the latest reading. */
    this.readAt = 0n;
    /** Unconfirmed rows, and until which position. @type {Map<string, bigint>} */
    this.unconfirmed = new Map();
    /** Until here everything is unconfirmed. */
    this.allUntil = 0n;
  }

  /** May the row have values of a later moment than this? @param {SyncTable} table @param {string[]} key @param {bigint} lsn */
  isUnconfirmed(table, key, lsn) {
    return lsn < this.allUntil || (this.unconfirmed.size > 0 && (this.unconfirmed.get(this.#idOf(table, key)) ?? 0n) > lsn);
  }

  /** @param {import('./state.mjs').State} state */
  load({ unconfirmed, copied }) {
    this.unconfirmed = new Map(Object.entries(unconfirmed).map(([id, lsn]) => [id, parseLsn(lsn)]));
    this.allUntil = copied;
  }

  /** To go back to, when what was read was not used. */
  remember() {
    return { readAt: this.readAt, unconfirmed: new Map(this.unconfirmed) };
  }

  /** @param {ReturnType<Backfill['remember']>} memory */
  recall({ readAt, unconfirmed }) {
    Object.assign(this, { readAt, unconfirmed });
  }

  /** What of the state has changed with these readings, and with having come so far. @param {bigint} applied @returns {Pick<import('./state.mjs').State, 'unconfirmed' | 'copied'>} */
  save(applied) {
    for (const [id, lsn] of this.unconfirmed) if (lsn <= applied) this.unconfirmed.delete(id);
    if (this.unconfirmed.size > MANY_UNCONFIRMED) {
      this.allUntil = this.readAt;
      this.unconfirmed.clear();
    }
    return { unconfirmed: Object.fromEntries([...this.unconfirmed].map(([id, lsn]) => [id, formatLsn(lsn)])), copied: this.allUntil };
  }

  /**
   * Parts rows with unsent values by whether green has them.
   * @param {SyncTable} table @param {Wanted[]} wanted
   * @returns {Promise<[Wanted[], Wanted[]]>} rows that can be written, and those that can't
   */
  async split(table, wanted) {
    const partial = wanted.filter(({ values }) => values.includes(undefined));
    if (partial.length === 0) return [wanted, []];
    const { onGreen, targetKey, targetKeyAt } = table;
    /** @type {Set<Wanted>} */
    const baseless = new Set();
    for (let at = 0; at < partial.length; at += AT_ONCE) {
      const some = partial.slice(at, at + AT_ONCE);
      const rows = await this.green.rows(withoutKeys(targetKey, onGreen, some.map(({ values }) => targetKeyAt.map((at) => values[at]))));
      for (const [n] of rows) baseless.add(/** @type {Wanted} */ (some[Number(n) - 1]));
    }
    return [wanted.filter((row) => !baseless.has(row)), [...baseless]];
  }

  /**
   * Fills the unsent values of rows from blue, as they are there now, and hands the rows on in groups.
   * @param {SyncTable} table @param {Pending[]} incomplete
   * @returns {AsyncGenerator<{found: Pending[], missing: string[][]}>} `missing`: keys that blue has no more
   */
  async *fetch(table, incomplete) {
    let size = FIRST_KEYS;
    for (let at = 0; at < incomplete.length; ) {
      const some = incomplete.slice(at, at + size);
      at += size;
      const waiting = new Map(some.map((pending) => [pending.key.join('\0'), pending]));
      let bytes = 0;
      for await (const { rows, read } of this.#read(table, some)) {
        bytes += read;
        /** @type {Pending[]} */
        const found = [];
        for (const current of rows) {
          const id = table.keyOf(current).join('\0');
          const pending = waiting.get(id);
          if (pending === undefined || pending.row === null) continue;
          waiting.delete(id);
          found.push({ key: pending.key, row: pending.row.map((value, i) => (value === undefined ? current[i] : value)) });
          this.unconfirmed.set(this.#idOf(table, pending.key), this.readAt);
        }
        if (found.length > 0) yield { found, missing: [] };
      }
      if (waiting.size > 0) yield { found: [], missing: [...waiting.values()].map(({ key }) => key) };
      size = Math.max(1, Math.min(AT_ONCE, size * 4, Math.floor((GROUP_BYTES * some.length) / Math.max(bytes, 1))));
    }
  }

  /** Which of these keys blue has no more. @param {SyncTable} table @param {string[][]} keys @returns {Promise<string[][]>} */
  async missing(table, keys) {
    const blue = await (this.blue ??= this.openBlue());
    const { sourceKey, onBlue } = table;
    const rows = await blue.rows(withoutKeys(sourceKey, onBlue, keys));
    const [now] = await blue.row('SELECT pg_current_wal_insert_lsn()');
    const read = endOfLog(parseLsn(now));
    if (read > this.readAt) this.readAt = read;
    return rows.map(([n]) => /** @type {string[]} */ (keys[Number(n) - 1]));
  }

  /**
   * Each row comes with blue's position after the snapshot in which it was seen.
   * @param {SyncTable} table @param {Pending[]} wanted
   */
  async *#read(table, wanted) {
    const blue = await (this.blue ??= this.openBlue());
    const columns = table.plan.sourceColumns.map((column) => `t.${ident(column)}`).join(', ');
    const stream = blue.copyOut(`COPY (SELECT ${columns}, pg_current_wal_insert_lsn() FROM ${withKeys(table.sourceKey, table.onBlue, wanted.map(({ key }) => key))}) TO STDOUT`);
    /** @type {(string | null)[][]} */
    let rows = [];
    let read = 0;
    try {
      for await (const block of wholeRows(stream, valueLimit(table))) {
        for (const line of block.toString('utf8', 0, block.length - 1).split('\n')) {
          const row = decodeRow(line);
          const now = endOfLog(parseLsn(row.pop()));
          if (now > this.readAt) this.readAt = now;
          rows.push(row);
        }
        read += block.length;
        if (read < GROUP_BYTES) continue;
        yield { rows, read };
        rows = [];
        read = 0;
      }
    } catch (cause) {
      throw blue.told(cause);
    }
    if (rows.length > 0) yield { rows, read };
  }

  /** Keys are not written down: the mapping may not let them through. @param {SyncTable} table @param {string[]} key */
  #idOf(table, key) {
    return this.masks.mask(table.name, JSON.stringify(key)) ?? '';
  }

  async close() {
    const blue = this.blue;
    this.blue = undefined;
    if (blue !== undefined) await (await blue.catch(() => undefined))?.close();
  }
}

