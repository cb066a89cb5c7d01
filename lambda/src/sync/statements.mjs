import { joinedBy, sameKey, typedValue } from '../pg/keys.mjs';
import { columnList, ident, qualified } from '../pg/text.mjs';

/**
 * The SQL that merges staged rows into one table of green.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('../mapping/types.mjs').Value} Value
 */

/** What is to happen with a staged row: NULL upsert (where it is known what is there: update), `i` insert, `d` delete, `p...` upsert where `1` marks columns to be taken from green. */
const OP = '"payment_migration op"';
/** The number of the row among those staged together. */
const ROW = '"payment_migration row"';

export class Statements {
  /** @param {SyncTable} table */
  constructor(table) {
    const { plan, stage, target, onGreen, targetKey } = table;
    const name = qualified(plan.target);
    const columns = columnList(plan.targetColumns);
    const rest = plan.targetColumns.filter((column) => !plan.targetKey.includes(column));
    this.table = table;
    /**
     * Rows leave before any comes: with further unique indexes (they may swap their values), with an identity column (no update can set it), and where
     * ON CONFLICT does not take the key because it is DEFERRABLE.
     */
    this.replaces = !table.keepsRows && (
      target.uniqueIndexes.length > 0 || target.exclusions || !target.keyImmediate || target.columns.some((column) => column.identityAlways && rest.includes(column.name)));
    this.create = `CREATE TEMPORARY TABLE ${stage.replace('pg_temp.', '')} (${stageColumns(table)}, ${ROW} integer, ${OP} text) ON COMMIT DELETE ROWS`;
    this.empty = `TRUNCATE ${stage}`;
    this.fill = `COPY ${stage} (${columns}, ${ROW}, ${OP}) FROM STDIN`;
    const kept = rest.map((column) => {
      const at = plan.targetColumns.indexOf(column) + 2; // after the letter, from 1
      return `${ident(column)} = CASE substr(s.${OP}, ${at}, 1) WHEN '1' THEN t.${ident(column)} ELSE s.${ident(column)} END`;
    });
    const same = joinedBy(targetKey, 't', 's');
    this.complete = `UPDATE ${stage} s SET ${kept.join(', ')} FROM ${onGreen} t WHERE ${same} AND s.${OP} LIKE 'p%'`;
    this.removeAll = `DELETE FROM ${onGreen} t USING ${stage} s WHERE ${same}`;
    this.removeDeleted = `${this.removeAll} AND s.${OP} = 'd'`;
    const set = rest.map((column) => `${ident(column)} = excluded.${ident(column)}`).join(', ');
    this.conflict = this.replaces ? '' : ` ON CONFLICT (${columnList(plan.targetKey)}) DO ${set === '' ? 'NOTHING' : `UPDATE SET ${set}`}`;
    this.insert = `INSERT INTO ${name} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${stage} s WHERE ${OP} IS DISTINCT FROM 'd'`;
    /** Where rows are changed and not replaced. */
    this.change = !table.keepsRows ? undefined : target.uniqueIndexes.length > 0 || target.exclusions ? replaceStatement(table) : updateStatement(table);
    this.evict = table.sharedUnique.map((index) => evictStatement(table, index));
  }

  /** @param {boolean} known which rows are there */
  upsert(known) {
    return this.change === undefined ? `${this.insert}${this.conflict}` : this.upsertPart(0, 2 ** 31 - 1, known);
  }

  /** @param {number} from @param {number} to @param {boolean} known */
  upsertPart(from, to, known) {
    const rows = `s.${ROW} >= ${from} AND s.${ROW} < ${to}`;
    if (known && this.change !== undefined) return `${this.change(`s.${OP} IS NULL AND ${rows}`)}; ${this.insert} AND s.${OP} = 'i' AND ${rows}`;
    if (this.change === undefined) return `${this.insert} AND ${rows}${this.conflict}`;
    const { onGreen, targetKey } = this.table;
    return `${this.change(rows)}; ${this.insert} AND ${rows} AND NOT EXISTS (SELECT FROM ${onGreen} t WHERE ${joinedBy(targetKey, 't', 's')})`;
  }

  /** @param {Value[]} key */
  removeKey(key) {
    const { onGreen, targetKey } = this.table;
    return `DELETE FROM ${onGreen} t WHERE ${sameKey(targetKey, ({ name }) => `t.${ident(name)}`, (column, i) => typedValue(column, key[i]))}`;
  }
}

/** Green's columns as their types store them: what a domain checks is for the table itself to check. @param {SyncTable} table */
function stageColumns({ plan, target }) {
  return plan.targetColumns
    .map((name) => {
      const column = target.columns.find((candidate) => candidate.name === name);
      return `${ident(name)} ${column?.storageType ?? 'text'}${column?.collation == null ? '' : ` COLLATE ${column.collation}`}`;
    })
    .join(', ');
}

/** Rows that are there keep the columns that are not written. @param {SyncTable} table @returns {(rows: string) => string} */
function updateStatement({ plan, stage, target, onGreen, targetKey }) {
  const fixed = target.columns.filter(({ identityAlways }) => identityAlways).map(({ name }) => name); // no update can set it
  const written = plan.targetColumns.filter((column) => !plan.targetKey.includes(column) && !fixed.includes(column));
  const set = (written.length === 0 ? plan.targetKey : written).map((column) => `${ident(column)} = s.${ident(column)}`);
  return (rows) => `UPDATE ${onGreen} t SET ${set.join(', ')} FROM ${stage} s WHERE ${joinedBy(targetKey, 't', 's')} AND s.${OP} IS DISTINCT FROM 'd' AND ${rows}`;
}

/**
 * The same where unique values may change places: all rows leave before any comes (they are sorted in between), with the columns that are not written.
 * @param {SyncTable} table @returns {(rows: string) => string}
 */
function replaceStatement({ plan, stage, target, onGreen, targetKey }) {
  const columns = target.columns.filter(({ generated }) => !generated).map(({ name }) => name);
  const values = columns.map((column) => `${plan.targetColumns.includes(column) ? 's' : 'g'}.${ident(column)}`);
  const wanted = (/** @type {string} */ rows) => `s.${OP} IS DISTINCT FROM 'd' AND ${rows}`;
  return (rows) =>
    `WITH gone AS (DELETE FROM ${onGreen} t USING ${stage} s WHERE ${joinedBy(targetKey, 't', 's')} AND ${wanted(rows)} RETURNING t.*)
     INSERT INTO ${qualified(plan.target)} (${columnList(columns)}) OVERRIDING SYSTEM VALUE
     SELECT ${values.join(', ')} FROM gone g JOIN ${stage} s ON ${joinedBy(targetKey, 'g', 's')} WHERE ${wanted(rows)} ORDER BY s.${ROW}`;
}

/** @param {SyncTable} table @param {import('../pg/catalog.mjs').UniqueIndex} index */
function evictStatement({ plan, stage, onGreen, targetKey }, { expressions, operators, predicate }) {
  const key = columnList(plan.targetKey);
  const values = expressions.map((expression, i) => `(${expression}) AS u${i}`).join(', ');
  const held = `SELECT ${key}, ${values} FROM ${onGreen}${predicate === null ? '' : ` WHERE ${predicate}`}`;
  const wanted = `SELECT ${key}, ${values} FROM ${stage} WHERE ${OP} IS DISTINCT FROM 'd'${predicate === null ? '' : ` AND (${predicate})`}`;
  const same = expressions.map((_, i) => `h.u${i} ${operators[i]?.eq} w.u${i}`).join(' AND ');
  const list = plan.targetKey.map((column) => `h.${ident(column)}`).join(', ');
  return `DELETE FROM ${onGreen} t USING (SELECT ${list} FROM (${held}) h JOIN (${wanted}) w ON ${same} WHERE NOT (${joinedBy(targetKey, 'h', 'w')})) x WHERE ${joinedBy(targetKey, 't', 'x')}`;
}
