import { columnList, endOfLog, ident, literal, parseLsn, qualified } from '../pg/text.mjs';

/**
 * Rows of which the stream does not hold all: an update does not repeat large values that stayed as they were. Mostly green has
 * them. Where it has not (the row was copied under another key, was held back or filtered out before), the row is read from blue
 * as it is now. That is later than the moment of the change, so green is consistent only from the moment of that reading on.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('./apply.mjs').Wanted} Wanted
 * @typedef {import('../pg/session.mjs').Session} Session
 */

const AT_ONCE = 500;

export class Healer {
  /**
   * @param {Session} green
   * @param {() => Promise<Session>} openBlue a connection beside the one that reads the stream
   */
  constructor(green, openBlue) {
    this.green = green;
    this.openBlue = openBlue;
    /** @type {Promise<Session> | undefined} */
    this.blue = undefined;
    /** Blue's position after the latest reading. */
    this.readAt = 0n;
  }

  /**
   * Parts rows with unsent values by whether green has them.
   * @param {SyncTable} table @param {Wanted[]} wanted
   * @returns {Promise<[Wanted[], string[][]]>} rows that can be written, keys on blue of those that can't
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
          WHERE NOT EXISTS (SELECT FROM ${qualified(plan.target)} t WHERE ${plan.targetKey.map((column, n) => `t.${ident(column)} = wanted.k${n}`).join(' AND ')})`,
      );
      for (const [i] of rows) baseless.add(/** @type {Wanted} */ (some[Number(i)]));
    }
    return [wanted.filter((row) => !baseless.has(row)), [...baseless].map(({ key }) => key)];
  }

  /**
   * Rows as they are on blue now.
   * @param {SyncTable} table @param {string[][]} keys
   * @returns {Promise<{found: (string | null)[][], missing: string[][]}>}
   */
  async fetch(table, keys) {
    if (keys.length === 0) return { found: [], missing: [] };
    const blue = await (this.blue ??= this.openBlue());
    const { plan } = table;
    /** @type {(string | null)[][]} */
    const found = [];
    for (let at = 0; at < keys.length; at += AT_ONCE) {
      const list = keys.slice(at, at + AT_ONCE).map((key) => `(${key.map((value, n) => typed(table.source, plan.key[n], value)).join(', ')})`);
      found.push(...(await blue.rows(
        `SELECT ${columnList(plan.sourceColumns)} FROM ${qualified(plan.source)} WHERE (${columnList(plan.key)}) IN (${list.join(', ')})`,
      )));
    }
    const [now] = await blue.row('SELECT pg_current_wal_insert_lsn()');
    this.readAt = endOfLog(parseLsn(now));
    const there = new Set(found.map((row) => table.keyOf(row).join('\0')));
    return { found, missing: keys.filter((key) => !there.has(key.join('\0'))) };
  }

  async close() {
    const blue = this.blue;
    this.blue = undefined;
    if (blue !== undefined) await (await blue.catch(() => undefined))?.close();
  }
}

/** @param {import('../pg/catalog.mjs').Table} table @param {string | undefined} column @param {import('../mapping/types.mjs').Value} value */
function typed(table, column, value) {
  const type = table.columns.find(({ name }) => name === column)?.baseType ?? 'text';
  return `${literal(/** @type {string} */ (value))}::${type}`;
}
