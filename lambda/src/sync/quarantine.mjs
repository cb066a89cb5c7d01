import { PermanentError } from '../lib/errors.mjs';
import { ident, qualified } from '../pg/text.mjs';
import { SCHEMA } from './state.mjs';

/**
 * Rows that can't be brought onto green: their key (masked, and sealed) and the reason are kept there, never their values. A row leaves quarantine
 * when a later change makes it fit or deletes it.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {{key: string[], reason: string, column?: string}} Held
 */

export class Quarantine {
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
    /** Rows put in since this run began. */
    this.added = 0;
  }

  get total() {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  async load() {
    const rows = await this.green.rows(`SELECT source, count(*) FROM ${SCHEMA}.quarantine GROUP BY source`);
    this.counts = new Map(rows.map(([source, count]) => [source ?? '', Number(count)]));
    this.added = 0;
  }

  /** As part of the open transaction. Past the limit the run stops (and the transaction with it). @param {SyncTable} table @param {Held[]} held */
  async put(table, held) {
    if (held.length === 0) return;
    const inserted = await this.green.rows(
      `INSERT INTO ${SCHEMA}.quarantine AS q (source, key, source_key, reason, column_name)
       SELECT DISTINCT ON (key) $1, key, source_key, reason, column_name FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS held(key, source_key, reason, column_name)
       ON CONFLICT (source, key) DO UPDATE SET reason = excluded.reason, column_name = excluded.column_name RETURNING xmax = '0'`,
      [table.name, held.map(({ key }) => this.keyText(table, key)), held.map(({ key }) => this.masks.seal(JSON.stringify(key))), held.map(({ reason }) => reason), held.map(({ column }) => column ?? null)],
    );
    const fresh = inserted.filter(([isNew]) => isNew === 't').length;
    this.added += fresh;
    this.counts.set(table.name, (this.counts.get(table.name) ?? 0) + fresh);
    if (this.total > this.limit)
      throw new PermanentError('QUARANTINE_LIMIT', `more than ${this.limit} rows can't be brought onto green (the last from ${table.name}: ${held[0]?.reason})`, {
        table: table.name, column: held[0]?.column,
        hint: `see ${SCHEMA}.quarantine on green; mend the mapping or the rows on blue, or raise limits.quarantine in the mapping`,
      });
  }

  /** @param {SyncTable} table @param {string[][]} keys of the source */
  async remove(table, keys) {
    if ((this.counts.get(table.name) ?? 0) === 0 || keys.length === 0) return;
    const removed = await this.green.run(`DELETE FROM ${SCHEMA}.quarantine WHERE source = $1 AND key = ANY ($2::text[])`, [
      table.name, keys.map((key) => this.keyText(table, key)),
    ]);
    this.counts.set(table.name, (this.counts.get(table.name) ?? 0) - removed);
  }

  /** @param {SyncTable} table */
  async clear(table) {
    if ((this.counts.get(table.name) ?? 0) === 0) return;
    await this.green.run(`DELETE FROM ${SCHEMA}.quarantine WHERE source = $1`, [table.name]);
    this.counts.delete(table.name);
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
    const renamed = plan.targetKey.map((column, i) => `r.${ident(column)} AS ${ident(/** @type {string} */ (carriedKey[i]))}`).join(', ');
    const met = await this.green.rows(
      `SELECT "payment_migration number" FROM (SELECT keys.number AS "payment_migration number", ${renamed}
           FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS keys(key, number), jsonb_populate_record(NULL::${qualified(plan.target)}, keys.key) AS r) AS x
        WHERE ${condition}`, [JSON.stringify(targetKeys)]);
    const keys = met.map(([number]) => rows[Number(number) - 1]?.[0] ?? '');
    const removed = await this.green.run(`DELETE FROM ${SCHEMA}.quarantine WHERE source = $1 AND key = ANY ($2::text[])`, [table.name, keys]);
    this.counts.set(table.name, (this.counts.get(table.name) ?? 0) - removed);
  }

  /** How quarantine names a row: by the masks of blue's key. @param {SyncTable} table @param {string[]} key */
  keyText({ plan, name }, key) {
    return JSON.stringify(this.masks.masked(name, plan.key, key));
  }
}
