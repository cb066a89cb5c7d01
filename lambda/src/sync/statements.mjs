import { joinedBy, sameKey, typedValue } from '../pg/keys.mjs';
import { columnList, ident, qualified } from '../pg/text.mjs';

/**
 * The SQL that merges staged rows into one table of green.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('../mapping/types.mjs').Value} Value
 */

/**
 * The stage's own columns beside green's: `op` is what is to happen with a staged row: NULL upsert (where it is known what is there: update), `i` insert, `d` delete, `p...` upsert where `1` marks columns to be
 * taken from green. `row` is the number of the row among those staged together.
 * @typedef {{op: string, row: string}} Own quoted
 */

export class Statements {
  /** @param {SyncTable} table */
  constructor(table) {
    const { plan, stage, target, onGreen, targetKey } = table;
    const name = qualified(plan.target);
    const columns = columnList(plan.targetColumns);
    const rest = plan.targetColumns.filter((column) => !plan.targetKey.includes(column));
    const own = { op: ident(freeName('payment_migration op', plan.targetColumns)), row: ident(freeName('payment_migration row', plan.targetColumns)) };
    this.own = own;
    this.table = table;
    /**
     * Rows leave before any comes: with further unique indexes (they may swap their values), with an identity column (no update can set it), and where
     * ON CONFLICT does not take the key because it is DEFERRABLE, or nothing at all because the table has a rule for UPDATE (also one that does nothing for a replica).
     */
    this.replaces = !table.keepsRows && (
      target.uniqueIndexes.length > 0 || target.exclusions || !target.keyImmediate || target.updateRules || target.columns.some((column) => column.identityAlways && rest.includes(column.name)));
    this.create = `CREATE TEMPORARY TABLE ${stage.replace('pg_temp.', '')} (${stageColumns(table)}, ${own.row} integer, ${own.op} text) ON COMMIT DELETE ROWS`;
    this.empty = `TRUNCATE ${stage}`;
    this.fill = `COPY ${stage} (${columns}, ${own.row}, ${own.op}) FROM STDIN`;
    const kept = rest.map((column) => {
      const at = plan.targetColumns.indexOf(column) + 2; // after the letter, from 1
      return `${ident(column)} = CASE substr(s.${own.op}, ${at}, 1) WHEN '1' THEN t.${ident(column)} ELSE s.${ident(column)} END`;
    });
    const same = joinedBy(targetKey, 't', 's');
    this.complete = `UPDATE ${stage} s SET ${kept.join(', ')} FROM ${onGreen} t WHERE ${same} AND s.${own.op} LIKE 'p%'`;
    this.removeAll = `DELETE FROM ${onGreen} t USING ${stage} s WHERE ${same}`;
    this.removeDeleted = `${this.removeAll} AND s.${own.op} = 'd'`;
    const set = rest.map((column) => `${ident(column)} = excluded.${ident(column)}`).join(', ');
    this.conflict = this.replaces ? '' : ` ON CONFLICT (${columnList(plan.targetKey)}) DO ${set === '' ? 'NOTHING' : `UPDATE SET ${set}`}`;
    this.insert = `INSERT INTO ${name} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${stage} s WHERE s.${own.op} IS DISTINCT FROM 'd'`;
    /** Where rows are changed and not replaced. */
    this.change = !table.keepsRows ? undefined : target.uniqueIndexes.length > 0 || target.exclusions ? replaceStatement(table, own) : updateStatement(table, own);
    this.evict = table.sharedUnique.map((index) => evictStatement(table, index, own));
  }

  /** @param {boolean} known which rows are there */
  upsert(known) {
    return this.change === undefined ? `${this.insert}${this.conflict}` : this.upsertPart(0, 2 ** 31 - 1, known);
  }

  /** @param {number} from @param {number} to @param {boolean} known */
  upsertPart(from, to, known) {
    const { op, row } = this.own;
    const rows = `s.${row} >= ${from} AND s.${row} < ${to}`;
    if (known && this.change !== undefined) return `${this.change(`s.${op} IS NULL AND ${rows}`)}; ${this.insert} AND s.${op} = 'i' AND ${rows}`;
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

/** A name that none of these columns has. @param {string} name @param {string[]} columns @returns {string} */
export const freeName = (name, columns) => (columns.includes(name) ? freeName(`${name}_`, columns) : name);

/** Green's columns as their types store them: what a domain checks is for the table itself to check. @param {SyncTable} table */
function stageColumns({ plan, target }) {
  return plan.targetColumns
    .map((name) => {
      const column = target.columns.find((candidate) => candidate.name === name);
      return `${ident(name)} ${column?.storageType ?? 'text'}${column?.collation == null ? '' : ` COLLATE ${column.collation}`}`;
    })
    .join(', ');
}

/** Rows that are there keep the columns that are not written. @param {SyncTable} table @param {Own} own @returns {(rows: string) => string} */
function updateStatement({ plan, stage, target, onGreen, targetKey }, { op }) {
  const fixed = target.columns.filter(({ identityAlways }) => identityAlways).map(({ name }) => name); // no update can set it
  const written = plan.targetColumns.filter((column) => !plan.targetKey.includes(column) && !fixed.includes(column));
  const set = (written.length === 0 ? plan.targetKey : written).map((column) => `${ident(column)} = s.${ident(column)}`);
  return (rows) => `UPDATE ${onGreen} t SET ${set.join(', ')} FROM ${stage} s WHERE ${joinedBy(targetKey, 't', 's')} AND s.${op} IS DISTINCT FROM 'd' AND ${rows}`;
}

/**
 * The same where unique values may change places: all rows leave before any comes (they are sorted in between), with the columns that are not written.
 * @param {SyncTable} table @param {Own} own @returns {(rows: string) => string}
 */
function replaceStatement({ plan, stage, target, onGreen, targetKey }, { op, row }) {
  const columns = target.columns.filter(({ generated }) => !generated).map(({ name }) => name);
  const values = columns.map((column) => `${plan.targetColumns.includes(column) ? 's' : 'g'}.${ident(column)}`);
  const wanted = (/** @type {string} */ rows) => `s.${op} IS DISTINCT FROM 'd' AND ${rows}`;
  return (rows) =>
    `WITH gone AS (DELETE FROM ${onGreen} t USING ${stage} s WHERE ${joinedBy(targetKey, 't', 's')} AND ${wanted(rows)} RETURNING t.*)
     INSERT INTO ${qualified(plan.target)} (${columnList(columns)}) OVERRIDING SYSTEM VALUE
     SELECT ${values.join(', ')} FROM gone g JOIN ${stage} s ON ${joinedBy(targetKey, 'g', 's')} WHERE ${wanted(rows)} ORDER BY s.${row}`;
}

/** @param {SyncTable} table @param {import('../pg/catalog.mjs').UniqueIndex} index @param {Own} own */
function evictStatement({ plan, stage, onGreen, targetKey }, { expressions, operators, predicate }, { op }) {
  const key = columnList(plan.targetKey);
  const names = expressions.map((_, i) => ident(freeName(`u${i}`, plan.targetKey)));
  const values = expressions.map((expression, i) => `(${expression}) AS ${names[i]}`).join(', ');
  const held = `SELECT ${key}, ${values} FROM ${onGreen}${predicate === null ? '' : ` WHERE ${predicate}`}`;
  const wanted = `SELECT ${key}, ${values} FROM ${stage} WHERE ${op} IS DISTINCT FROM 'd'${predicate === null ? '' : ` AND (${predicate})`}`;
  const same = expressions.map((_, i) => `h.${names[i]} ${operators[i]?.eq} w.${names[i]}`).join(' AND ');
  const list = plan.targetKey.map((column) => `h.${ident(column)}`).join(', ');
  return `DELETE FROM ${onGreen} t USING (SELECT ${list} FROM (${held}) h JOIN (${wanted}) w ON ${same} WHERE NOT (${joinedBy(targetKey, 'h', 'w')})) x WHERE ${joinedBy(targetKey, 't', 'x')}`;
}
