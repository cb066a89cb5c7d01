import { createHash, createHmac } from 'node:crypto';
import { PermanentError } from '../lib/errors.mjs';
import { seal, unseal } from '../lib/seal.mjs';
import { SCHEMA } from './state.mjs';

/**
 * Rows that can't be brought onto green: their key and the reason are kept there, never their values. A row leaves quarantine
 * when a later change makes it fit or deletes it, and when green takes it in the end (recheck.mjs).
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {{key: string[], reason: string, column?: string, refused?: boolean}} Held `refused`: by green, not by the mapping
 */

export class Quarantine {
  /**
   * @param {Session} green
   * @param {number} limit rows in quarantine at which the run still goes on
   * @param {Buffer | null} hashKey
   */
  constructor(green, limit, hashKey) {
    this.green = green;
    this.limit = limit;
    this.hashKey = hashKey;
    /** Rows held now, by source table. @type {Map<string, number>} */
    this.counts = new Map();
    /** Of them, those in a state that blue never committed: they are not judged yet. */
    this.provisional = 0;
  }

  get total() {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Rows that count against the limit. */
  get judged() {
    return this.total - this.provisional;
  }

  async load() {
    const rows = await this.green.rows(`SELECT source, count(*), count(*) FILTER (WHERE provisional) FROM ${SCHEMA}.quarantine GROUP BY source`);
    this.counts = new Map(rows.map(([source, count]) => [source ?? '', Number(count)]));
    this.provisional = rows.reduce((sum, [, , provisional]) => sum + Number(provisional), 0);
  }

  /**
   * As part of the open transaction. Past the limit the run stops (and the transaction with it).
   * @param {SyncTable} table @param {Held[]} held
   * @param {boolean} provisional the rows are of a state that blue never committed: they may fit at the end of the transaction
   */
  async put(table, held, provisional) {
    if (held.length === 0) return;
    const list = held.map(({ key, reason, column, refused = false }) => {
      const sourceKey = this.#sourceKey(table, key);
      return { key: this.keyText(table, key), reason, column: column ?? null, refused, provisional: provisional && sourceKey !== null, sourceKey };
    });
    const inserted = await this.green.rows(
      `WITH held AS (
         SELECT DISTINCT ON (key) * FROM json_to_recordset($2::json) AS x(key text, reason text, "column" text, refused boolean, provisional boolean, "sourceKey" text)
       ), before AS (SELECT q.key, q.provisional FROM ${SCHEMA}.quarantine q JOIN held USING (key) WHERE q.source = $1), put AS (
         INSERT INTO ${SCHEMA}.quarantine AS q (source, key, reason, column_name, refused, provisional, source_key)
         SELECT $1, key, reason, "column", refused, provisional, "sourceKey" FROM held
         ON CONFLICT (source, key) DO UPDATE SET reason = excluded.reason, column_name = excluded.column_name, refused = excluded.refused,
           provisional = excluded.provisional, source_key = excluded.source_key, checked = clock_timestamp() RETURNING q.key, q.provisional
       ) SELECT before.key IS NULL, put.provisional::int - coalesce(before.provisional::int, 0) FROM put LEFT JOIN before USING (key)`,
      [table.name, JSON.stringify(list)],
    );
    const fresh = inserted.filter(([isNew]) => isNew === 't').length;
    this.counts.set(table.name, (this.counts.get(table.name) ?? 0) + fresh);
    this.provisional += inserted.reduce((sum, [, change]) => sum + Number(change), 0);
    if (this.judged > this.limit)
      throw new PermanentError('QUARANTINE_LIMIT', `more than ${this.limit} rows can't be brought onto green (the last from ${table.name}: ${held[0]?.reason})`, {
        table: table.name, column: held[0]?.column,
        hint: `see ${SCHEMA}.quarantine on green; mend the mapping or the rows on blue, or raise limits.quarantine in the mapping`,
      });
  }

  /**
   * Rows that green refused, those first that were not looked at for the longest time.
   * @param {SyncTable} table @param {number} limit @param {string} before when the looking began, green's clock
   * @param {boolean} all those too that the mapping could not transform
   * @returns {Promise<string[][]>} keys of the source
   */
  async refused(table, limit, before, all) {
    if ((this.counts.get(table.name) ?? 0) === 0) return [];
    const rows = await this.green.rows(
      `SELECT source_key FROM ${SCHEMA}.quarantine WHERE source = $1 AND (refused OR provisional OR $3) AND checked < $2 ORDER BY provisional DESC, checked LIMIT ${limit}`, [table.name, before, all]);
    return rows.flatMap(([text]) => this.#openKey(text) ?? []);
  }

  /** @param {SyncTable} table @param {string[][]} keys of the source */
  async remove(table, keys) {
    if ((this.counts.get(table.name) ?? 0) === 0 || keys.length === 0) return;
    const removed = await this.green.rows(`DELETE FROM ${SCHEMA}.quarantine WHERE source = $1 AND key = ANY ($2::text[]) RETURNING provisional`, [
      table.name, keys.map((key) => this.keyText(table, key)),
    ]);
    this.counts.set(table.name, (this.counts.get(table.name) ?? 0) - removed.length);
    this.provisional -= removed.filter(([provisional]) => provisional === 't').length;
  }

  /** @param {SyncTable} table */
  async clear(table) {
    if ((this.counts.get(table.name) ?? 0) === 0) return;
    const removed = await this.green.rows(`DELETE FROM ${SCHEMA}.quarantine WHERE source = $1 RETURNING provisional`, [table.name]);
    this.counts.delete(table.name);
    this.provisional -= removed.filter(([provisional]) => provisional === 't').length;
  }

  /**
   * Blue's key, to look the row up again. Where green does not have it as it is, it is sealed; null: it can neither be shown nor sealed.
   * @param {SyncTable} table @param {string[]} key
   */
  #sourceKey(table, key) {
    const text = JSON.stringify(key);
    if (this.hashKey !== null && table.carriedKey === undefined) return `sealed:${seal(this.hashKey, text)}`;
    return table.plan.transformKey(key).kind === 'row' ? text : null;
  }

  /** @param {string | null | undefined} text @returns {string[][] | undefined} undefined: sealed under another key */
  #openKey(text) {
    if (text === null || text === undefined) return undefined;
    if (!text.startsWith('sealed:')) return [JSON.parse(text)];
    const opened = this.hashKey === null ? undefined : unseal(this.hashKey, text.slice('sealed:'.length));
    return opened === undefined ? undefined : [JSON.parse(opened)];
  }

  /**
   * The key as green would hold it, so quarantine tells no more than the mapping lets through; a key that the mapping can't
   * transform is kept as a (keyed) hash.
   * @param {SyncTable} table @param {string[]} key
   */
  keyText({ plan }, key) {
    const transformed = plan.transformKey(key);
    if (transformed.kind === 'row') return JSON.stringify(Object.fromEntries(plan.targetKey.map((column, i) => [column, transformed.values[i]])));
    const hash = this.hashKey === null ? createHash('sha256') : createHmac('sha256', this.hashKey);
    return `hash:${hash.update(JSON.stringify(key)).digest('hex')}`;
  }
}
