import { PermanentError } from '../lib/errors.mjs';
import { ident, literal } from '../pg/text.mjs';
import { SCHEMA } from './state.mjs';
import { freeName } from './statements.mjs';

/**
 * Rows that can't be brought onto green: their key (masked, and sealed) and the reason are kept there, never their values. A row leaves quarantine
 * when a later change makes it fit or deletes it, and when green takes it in the end (recheck.mjs).
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {{key: string[], reason: string, column?: string, refused?: boolean, provisional?: boolean}} Held `refused`: by green, not by the mapping; `provisional`: not judged yet
 */

/** More keys of one table are not kept in memory. */
const KEPT = 50_000;

export class Quarantine {
  /** Keys that may be in quarantine, by source table, as JSON: read when first needed. They spare every other key the mask. @type {Map<string, Set<string>>} */
  #known = new Map();

  /**
   * @param {Session} green
   * @param {number} limit rows in quarantine at which the run still goes on
   * @param {import('./masks.mjs').Masks} masks
   */
  constructor(green, limit, masks) {
    this.green = green;
    this.limit = limit;
    this.masks = masks;
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
    this.#known.clear();
  }

  /**
   * As part of the open transaction. Past the limit the run stops (and the transaction with it).
   * @param {SyncTable} table @param {Held[]} held
   * @param {boolean} provisional the rows are of a state that blue never committed: they may fit at the end of the transaction
   */
  async put(table, held, provisional) {
    if (held.length === 0) return;
    const list = held.map(({ key, reason, column, refused = false, provisional: open = provisional }) => ({
      key: this.keyText(table, key), reason, column: column ?? null, refused, provisional: open, sourceKey: this.masks.seal(JSON.stringify(key)),
    }));
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
    for (const { key } of held) this.#known.get(table.name)?.add(JSON.stringify(key));
    const fresh = inserted.filter(([isNew]) => isNew === 't').length;
    this.counts.set(table.name, (this.counts.get(table.name) ?? 0) + fresh);
    this.provisional += inserted.reduce((sum, [, change]) => sum + Number(change), 0);
    this.#checkLimit(table, held[0]?.reason ?? '', held[0]?.column);
  }

  /** These rows were looked at again, and still can't be brought over. @param {SyncTable} table @param {string[][]} keys of the source */
  async judge(table, keys) {
    const rows = await this.green.rows(
      `UPDATE ${SCHEMA}.quarantine SET provisional = false, checked = clock_timestamp() WHERE source = $1 AND key = ANY ($2::text[]) RETURNING reason`,
      [table.name, keys.map((key) => this.keyText(table, key))]);
    await this.load();
    this.#checkLimit(table, rows[0]?.[0] ?? '');
  }

  /** @param {SyncTable} table @param {string} reason @param {string} [column] */
  #checkLimit(table, reason, column) {
    if (this.judged > this.limit) this.refuse(table, reason, column);
  }

  /** @param {SyncTable} table @param {string} [reason] @param {string} [column] */
  refuse(table, reason = 'a unique value', column) {
    throw new PermanentError('QUARANTINE_LIMIT', `more than ${this.limit} rows can't be brought onto green (the last from ${table.name}: ${reason})`, {
      table: table.name, column, hint: `see ${SCHEMA}.quarantine on green; correct the mapping or the rows on blue, or raise limits.quarantine in the mapping`,
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
    return rows.map(([sealed]) => /** @type {string[]} */ (JSON.parse(this.masks.open(sealed ?? ''))));
  }

  /** @param {SyncTable} table @param {string[][]} keys of the source */
  async remove(table, keys) {
    const wanted = keys.length === 0 ? keys : await this.mayHold(table, keys);
    if (wanted.length === 0) return;
    const removed = await this.green.rows(`DELETE FROM ${SCHEMA}.quarantine WHERE source = $1 AND key = ANY ($2::text[]) RETURNING provisional`, [
      table.name, wanted.map((key) => this.keyText(table, key)),
    ]);
    this.counts.set(table.name, (this.counts.get(table.name) ?? 0) - removed.length);
    this.provisional -= removed.filter(([provisional]) => provisional === 't').length;
  }

  /** Of these keys, all that are in quarantine, and perhaps some that were. @param {SyncTable} table @param {string[][]} keys */
  async mayHold({ name }, keys) {
    const count = this.counts.get(name) ?? 0;
    if (count === 0) return [];
    if (count > KEPT) return keys;
    let known = this.#known.get(name);
    if (known === undefined) {
      const rows = await this.green.rows(`SELECT source_key FROM ${SCHEMA}.quarantine WHERE source = $1`, [name]);
      known = new Set(rows.map(([sealed]) => this.masks.open(sealed ?? '')));
      this.#known.set(name, known);
    }
    return keys.filter((key) => known?.has(JSON.stringify(key)));
  }

  /** @param {SyncTable} table */
  async clear(table) {
    if ((this.counts.get(table.name) ?? 0) === 0) return;
    const removed = await this.green.rows(`DELETE FROM ${SCHEMA}.quarantine WHERE source = $1 RETURNING provisional`, [table.name]);
    this.counts.delete(table.name);
    this.provisional -= removed.filter(([provisional]) => provisional === 't').length;
  }

  /**
   * Rows whose key meets a condition of blue's partition.
   * @param {SyncTable} table that carries its key @param {string} condition in blue's names
   */
  async removeWhere(table, condition) {
    if ((this.counts.get(table.name) ?? 0) === 0) return;
    const { plan, carriedKey = [] } = table;
    const rows = await this.green.rows(`SELECT key, source_key FROM ${SCHEMA}.quarantine WHERE source = $1`, [table.name]);
    const sourceKeys = rows.map(([, sealed]) => /** @type {string[]} */ (JSON.parse(this.masks.open(sealed ?? ''))));
    const targetKeys = sourceKeys.map((key) => Object.fromEntries(plan.targetKey.map((column, i) => [column, key[plan.key.indexOf(/** @type {string} */ (carriedKey[i]))]])));
    // As plain types: a domain of green may be why such a key is in quarantine.
    const typeOf = (/** @type {string} */ column) => table.target.columns.find(({ name }) => name === column)?.baseType ?? 'text';
    const renamed = plan.targetKey.map((column, i) => `(keys.key ->> ${literal(column)})::${typeOf(column)} AS ${ident(/** @type {string} */ (carriedKey[i]))}`).join(', ');
    const number = ident(freeName('payment_migration number', carriedKey));
    const met = await this.green.rows(
      `SELECT ${number} FROM (SELECT keys.number AS ${number}, ${renamed}
           FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS keys(key, number)) AS x
        WHERE ${condition}`, [JSON.stringify(targetKeys)]);
    const keys = met.map(([at]) => rows[Number(at) - 1]?.[0] ?? '');
    const removed = await this.green.rows(`DELETE FROM ${SCHEMA}.quarantine WHERE source = $1 AND key = ANY ($2::text[]) RETURNING provisional`, [table.name, keys]);
    this.counts.set(table.name, (this.counts.get(table.name) ?? 0) - removed.length);
    this.provisional -= removed.filter(([provisional]) => provisional === 't').length;
  }

  /** How quarantine names a row: by the masks of blue's key. @param {SyncTable} table @param {string[]} key */
  keyText({ plan, name }, key) {
    return JSON.stringify(this.masks.masked(name, plan.key, key));
  }
}
