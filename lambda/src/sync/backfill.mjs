import { columnList, endOfLog, formatLsn, ident, literal, parseLsn } from '../pg/text.mjs';

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
    const { plan } = table;
    /** @type {Set<Wanted>} */
    const baseless = new Set();
    for (let at = 0; at < partial.length; at += AT_ONCE) {
      const some = partial.slice(at, at + AT_ONCE);
      const keys = some.map(({ values }, i) => `(${i}, ${table.targetKeyAt.map((k, n) => typed(table.target, plan.targetKey[n], values[k])).join(', ')})`);
      const names = plan.targetKey.map((_, n) => `k${n}`);
      const rows = await this.green.rows(
        `SELECT wanted.i FROM (VALUES ${keys.join(', ')}) AS wanted(i, ${names.join(', ')})
          WHERE NOT EXISTS (SELECT FROM ${table.onGreen} t WHERE ${plan.targetKey.map((column, n) => `t.${ident(column)} = wanted.k${n}`).join(' AND ')})`,
      );
      for (const [i] of rows) baseless.add(/** @type {Wanted} */ (some[Number(i)]));
    }
    return [wanted.filter((row) => !baseless.has(row)), [...baseless]];
  }

  /**
   * Fills the unsent values of rows from blue, as they are there now.
   * @param {SyncTable} table @param {Pending[]} incomplete
   * @returns {Promise<{found: Pending[], missing: string[][]}>} `missing`: keys that blue has no more
   */
  async fetch(table, incomplete) {
    if (incomplete.length === 0) return { found: [], missing: [] };
    const blue = await (this.blue ??= this.openBlue());
    const { plan } = table;
    const rows = await select(blue, table.source, table.onBlue, plan.sourceColumns, plan.key, incomplete.map(({ key }) => key));
    const [now] = await blue.row('SELECT pg_current_wal_insert_lsn()');
    this.readAt = endOfLog(parseLsn(now));
    const byKey = new Map(rows.map((row) => [table.keyOf(row).join('\0'), row]));
    /** @type {Pending[]} */
    const found = [];
    /** @type {string[][]} */
    const missing = [];
    for (const { key, row } of incomplete) {
      const current = byKey.get(key.join('\0'));
      if (current === undefined || row === null) missing.push(key);
      else {
        found.push({ key, row: row.map((value, i) => (value === undefined ? current[i] : value)) });
        this.unconfirmed.set(this.#idOf(table, key), this.readAt);
      }
    }
    return { found, missing };
  }

  /**
   * Fills the unsent values of rows from green itself.
   * @param {SyncTable} table @param {Wanted[]} wanted
   */
  async completeFromGreen(table, wanted) {
    const partial = wanted.filter(({ values }) => values.includes(undefined));
    if (partial.length === 0) return;
    const { plan } = table;
    const keyOf = (/** @type {import('../mapping/types.mjs').Value[]} */ values) => table.targetKeyAt.map((at) => /** @type {string} */ (values[at]));
    const rows = await select(this.green, table.target, table.onGreen, plan.targetColumns, plan.targetKey, partial.map(({ values }) => keyOf(values)));
    const byKey = new Map(rows.map((row) => [keyOf(row).join('\0'), row]));
    for (const { values } of partial) {
      const base = byKey.get(keyOf(values).join('\0'));
      if (base !== undefined) values.forEach((value, i) => value === undefined && (values[i] = base[i]));
    }
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

/**
 * @param {Session} session @param {import('../pg/catalog.mjs').Table} table @param {string} rows
 * @param {string[]} columns @param {string[]} key @param {string[][]} keys
 */
async function select(session, table, rows, columns, key, keys) {
  const found = [];
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const list = keys.slice(at, at + AT_ONCE).map((values) => `(${values.map((value, n) => typed(table, key[n], value)).join(', ')})`);
    found.push(...(await session.rows(`SELECT ${columnList(columns)} FROM ${rows} WHERE (${columnList(key)}) IN (${list.join(', ')})`)));
  }
  return found;
}

/** @param {import('../pg/catalog.mjs').Table} table @param {string | undefined} column @param {import('../mapping/types.mjs').Value} value */
function typed(table, column, value) {
  const type = table.columns.find(({ name }) => name === column)?.baseType ?? 'text';
  return `${literal(/** @type {string} */ (value))}::${type}`;
}
