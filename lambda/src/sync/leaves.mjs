import { PermanentError } from '../lib/errors.mjs';
import { SCHEMA } from './state.mjs';

/**
 * The plain tables that blue's mapped tables consist of, as they were when the stream was read last. The stream is of an earlier moment than blue's
 * catalog: a partition may be truncated there and be gone by now, or have other bounds (the default partition has, with each new one beside it). So what
 * was known is kept on green until the stream has passed the moment at which it was looked up.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {{source: string, bounds: string[], storage: string, current: boolean}} Known `bounds`: all conditions that may have held; `current`: blue has it now
 */

export class Leaves {
  /** @param {Session} green */
  constructor(green) {
    this.green = green;
    /** By OID. @type {Map<number, Known>} */
    this.known = new Map();
    /** There is more in `known` than blue's catalog said, and that was read at this position of its log. @type {bigint | undefined} */
    this.staleUntil = undefined;
    /** @type {number[]} */
    this.changed = [];
    this.anew = false;
    /** Partitions that blue's catalog has got since the last run, as long as the stream has not named them: none of their rows are on green. @type {Set<number>} */
    this.unread = new Set();
    /** Tables whose key stands on green as it is. Bounds are made of values of the key: those of the others are not written down (and not needed). @type {Set<string>} */
    this.carried = new Set();
  }

  /**
   * Joins what was known with what blue's catalog says now.
   * @param {SyncTable[]} tables @param {boolean} anew forget what was known
   * @param {() => Promise<bigint>} position of blue's log, now
   * @returns {Promise<Map<SyncTable, ReadonlySet<string> | undefined>>} tables that ALTER TABLE may have rewritten since. A table without TOAST gets new storage by TRUNCATE too:
   *   then it was rewritten only if one of these transactions altered a column
   */
  async observe(tables, anew, position) {
    const rows = anew ? [] : await this.green.rows(`SELECT oid, source, array_to_json(bounds), storage FROM ${SCHEMA}.leaves`);
    this.known = new Map(rows.map(([oid, source, bounds, storage]) => [Number(oid), { source: source ?? '', bounds: JSON.parse(bounds ?? '[]'), storage: storage ?? '', current: false }]));
    this.carried = new Set(tables.filter(({ carriedKey }) => carriedKey !== undefined).map(({ name }) => name));
    /** @type {Map<SyncTable, ReadonlySet<string> | undefined>} */
    const rewritten = new Map();
    /** @type {number[]} */
    const changed = [];
    for (const table of tables)
      for (const { oid, bounds: ofLeaf, storage, writers } of table.source.leaves) {
        const bounds = this.carried.has(table.name) ? ofLeaf : null;
        const before = this.known.get(oid);
        if (before === undefined && !anew) this.unread.add(oid);
        if (before !== undefined && before.source !== table.name) throw moved(before.source, table.name);
        if (before !== undefined && before.storage !== '' && before.storage !== storage) {
          const known = rewritten.get(table);
          const certain = before.storage.startsWith('t') || storage.startsWith('t') || (rewritten.has(table) && known === undefined);
          rewritten.set(table, certain ? undefined : new Set([...(known ?? []), ...writers]));
        }
        const now = before?.bounds.at(-1) === (bounds ?? undefined) ? (before?.bounds ?? []) : [...(before?.bounds ?? []), ...(bounds === null ? [] : [bounds])];
        if (before === undefined || before.bounds !== now || before.storage !== storage) changed.push(oid);
        this.known.set(oid, { source: table.name, bounds: now, storage, current: true });
      }
    this.changed = changed;
    this.anew = anew;
    const stale = [...this.known.values()].some(({ current, bounds }) => !current || bounds.length > 1);
    this.staleUntil = stale ? await position() : undefined;
    return rewritten;
  }

  /** Writes down what `observe` has found. */
  async save() {
    if (this.anew) await this.green.run(`DELETE FROM ${SCHEMA}.leaves`);
    await this.#write(this.changed);
    this.changed = [];
  }

  /** A partition that the stream names and nobody knew. As part of the open transaction. @param {number} oid @param {string} source @param {string | null} bounds */
  async add(oid, source, bounds) {
    this.known.set(oid, { source, bounds: bounds === null || !this.carried.has(source) ? [] : [bounds], storage: '', current: true });
    await this.#write([oid]);
  }

  /** What was known before blue's catalog was read is of no more use when green has got so far. @param {bigint} applied */
  async passed(applied) {
    if (this.staleUntil === undefined || applied < this.staleUntil) return;
    const gone = [...this.known].filter(([, { current }]) => !current).map(([oid]) => oid);
    const several = [...this.known].filter(([, { current, bounds }]) => current && bounds.length > 1).map(([oid]) => oid);
    for (const oid of gone) this.known.delete(oid);
    for (const oid of several) {
      const leaf = /** @type {Known} */ (this.known.get(oid));
      leaf.bounds = leaf.bounds.slice(-1);
    }
    if (gone.length > 0) await this.green.run(`DELETE FROM ${SCHEMA}.leaves WHERE oid = ANY ($1::oid[])`, [gone]);
    await this.#write(several);
    this.staleUntil = undefined;
  }

  /** @param {number[]} oids */
  async #write(oids) {
    if (oids.length === 0) return;
    const list = oids.map((oid) => ({ oid, .../** @type {Known} */ (this.known.get(oid)) }));
    await this.green.run(
      `INSERT INTO ${SCHEMA}.leaves AS l (oid, source, bounds, storage)
       SELECT oid, source, ARRAY(SELECT json_array_elements_text(bounds)), storage FROM json_to_recordset($1::json) AS x(oid oid, source text, bounds json, storage text)
       ON CONFLICT (oid) DO UPDATE SET source = excluded.source, bounds = excluded.bounds, storage = CASE excluded.storage WHEN '' THEN l.storage ELSE excluded.storage END`,
      [JSON.stringify(list)],
    );
  }
}

/** @param {string} from @param {string} to */
const moved = (from, to) =>
  new PermanentError('SCHEMA_CHANGED', `a partition of blue's table ${from} is one of ${to} now, with its rows`, {
    table: to, hint: 'stop, empty the tables on green, and run again',
  });
