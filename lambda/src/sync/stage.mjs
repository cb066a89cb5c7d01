import { columnList, encodeRow, ident, qualified } from '../pg/text.mjs';
import { writeAll } from './streams.mjs';

/**
 * Brings rows onto green in sets: they are copied into a temporary table, and merged from there with one statement per kind.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('../mapping/types.mjs').Value} Value
 */

/** What is to happen with a staged row: NULL upsert, `d` delete, `p...` upsert where `1` marks columns to be taken from green. */
const OP = '"payment_migration op"';

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
   * @param {boolean} evict other rows that hold a unique value of these are stale, and come again later: remove them
   */
  async merge(table, rows, deletedKeys, evict) {
    const sql = this.#of(table);
    if (this.filled.has(table)) await this.green.run(sql.empty);
    this.filled.add(table);
    let partial = false;
    const lines = function* () {
      for (const row of rows) {
        const whole = !row.includes(undefined);
        partial ||= !whole;
        const op = whole ? null : `p${row.map((value) => (value === undefined ? '1' : '0')).join('')}`;
        yield encodeRow([...(whole ? /** @type {(string | null)[]} */ (row) : row.map((value) => value ?? null)), op]);
      }
      for (const key of deletedKeys) {
        /** @type {(string | null)[]} */
        const row = new Array(table.plan.targetColumns.length).fill(null);
        table.targetKeyAt.forEach((at, i) => (row[at] = key[i] ?? null));
        yield encodeRow([...row, 'd']);
      }
    };
    await this.green.guard(writeAll(this.green.copyIn(sql.fill), lines()));
    if (partial) await this.green.run(sql.complete);
    if (sql.replaces) await this.green.run(sql.removeAll);
    else if (deletedKeys.length > 0) await this.green.run(sql.removeDeleted);
    if (rows.length === 0) return;
    if (evict) for (const statement of sql.evict) await this.green.run(statement);
    await this.green.run(sql.upsert);
  }

  /** @param {SyncTable} table */
  #of(table) {
    return /** @type {Statements} */ (this.statements.get(table));
  }
}

/** The SQL for one table. */
class Statements {
  /** @param {SyncTable} table */
  constructor(table) {
    const { plan, stage, target, onGreen } = table;
    const name = qualified(plan.target);
    const columns = columnList(plan.targetColumns);
    const sameKey = plan.targetKey.map((column) => `t.${ident(column)} = s.${ident(column)}`).join(' AND ');
    const rest = plan.targetColumns.filter((column) => !plan.targetKey.includes(column));
    /** With further unique indexes, rows that swap their values must all leave before any comes. */
    this.replaces = target.uniqueIndexes.length > 0 || target.columns.some((column) => column.identityAlways && rest.includes(column.name));
    this.create = `CREATE TEMPORARY TABLE ${stage.replace('pg_temp.', '')} ON COMMIT DELETE ROWS AS SELECT ${columns}, NULL::text AS ${OP} FROM ${name} WITH NO DATA`;
    this.empty = `TRUNCATE ${stage}`;
    this.fill = `COPY ${stage} (${columns}, ${OP}) FROM STDIN`;
    const kept = rest.map((column) => {
      const at = plan.targetColumns.indexOf(column) + 2; // after the letter, from 1
      return `${ident(column)} = CASE substr(s.${OP}, ${at}, 1) WHEN '1' THEN t.${ident(column)} ELSE s.${ident(column)} END`;
    });
    this.complete = `UPDATE ${stage} s SET ${kept.join(', ')} FROM ${onGreen} t WHERE ${sameKey} AND s.${OP} LIKE 'p%'`;
    this.removeAll = `DELETE FROM ${onGreen} t USING ${stage} s WHERE ${sameKey}`;
    this.removeDeleted = `${this.removeAll} AND s.${OP} = 'd'`;
    const set = rest.map((column) => `${ident(column)} = excluded.${ident(column)}`).join(', ');
    const conflict = this.replaces ? '' : ` ON CONFLICT (${columnList(plan.targetKey)}) DO ${set === '' ? 'NOTHING' : `UPDATE SET ${set}`}`;
    this.upsert = `INSERT INTO ${name} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${stage} WHERE ${OP} IS DISTINCT FROM 'd'${conflict}`;
    this.evict = target.uniqueIndexes.map((index) => evictStatement(table, index));
  }
}

/** @param {SyncTable} table @param {import('../pg/catalog.mjs').UniqueIndex} index */
function evictStatement({ plan, stage, onGreen }, { expressions, predicate }) {
  const key = columnList(plan.targetKey);
  const values = expressions.map((expression, i) => `(${expression}) AS u${i}`).join(', ');
  const held = `SELECT ${key}, ${values} FROM ${onGreen}${predicate === null ? '' : ` WHERE ${predicate}`}`;
  const wanted = `SELECT ${key}, ${values} FROM ${stage} WHERE ${OP} IS DISTINCT FROM 'd'${predicate === null ? '' : ` AND (${predicate})`}`;
  const same = expressions.map((_, i) => `h.u${i} = w.u${i}`).join(' AND ');
  const list = (/** @type {string} */ alias) => plan.targetKey.map((column) => `${alias}.${ident(column)}`).join(', ');
  const join = plan.targetKey.map((column) => `t.${ident(column)} = x.${ident(column)}`).join(' AND ');
  return `DELETE FROM ${onGreen} t USING (SELECT ${list('h')} FROM (${held}) h JOIN (${wanted}) w ON ${same} WHERE (${list('h')}) <> (${list('w')})) x WHERE ${join}`;
}
