import { PermanentError } from '../lib/errors.mjs';

/**
 * Which mapped table a relation of the stream belongs to, and where its columns are.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/pgoutput.mjs').Tuple} Tuple
 * @typedef {{table: SyncTable, columns: number[], straight: boolean, names: string[], gone: boolean, full: boolean}} Known `columns`: where each of `sourceColumns` is in the relation's tuples; `names`: of all its columns;
 *   `gone`: a partition that blue has dropped or detached since: rows may still have left it for others, new ones in it are not blue's any more; `full`: the log has whole rows as they were before
 * @typedef {{root: number, bounds: string | null}} Partition
 */

export class Relations {
  /**
   * @param {SyncTable[]} tables
   * @param {import('./leaves.mjs').Leaves} leaves
   * @param {(oid: number, roots: number[]) => Promise<Partition | undefined>} partitionOf which of these tables a partition belongs to, asked of blue
   */
  constructor(tables, leaves, partitionOf) {
    this.partitionOf = partitionOf;
    this.leaves = leaves;
    this.tables = tables;
    /** By the OID of the table and of each of its partitions. @type {Map<number, SyncTable>} */
    this.byOid = new Map(tables.flatMap((table) => [[table.source.oid, table], ...table.source.leaves.map(({ oid }) => /** @type {const} */ ([oid, table]))]));
    for (const [oid, { source }] of leaves.known) {
      const table = tables.find(({ name }) => name === source);
      if (table !== undefined && !this.byOid.has(oid)) this.byOid.set(oid, table);
    }
    /** Partitions that only the stream has shown. @type {Map<number, SyncTable>} */
    this.shown = new Map();
    /** @type {Map<number, Known | undefined>} */
    this.known = new Map();
  }

  /** @param {import('../pg/pgoutput.mjs').Relation} relation @param {import('./batch.mjs').Batch} batch is told of a partition that is new */
  async define(relation, batch) {
    this.leaves.unread.delete(relation.oid);
    const table = await this.#tableOf(relation.oid, batch);
    if (table === undefined) {
      this.known.set(relation.oid, undefined); // a partition that was made, and dropped or detached, since: its rows are not blue's any more
      return;
    }
    const columns = table.plan.sourceColumns.map((name) => relation.columns.findIndex((column) => column.name === name));
    const missing = columns.indexOf(-1);
    if (missing !== -1) {
      const column = table.plan.sourceColumns[missing];
      throw new PermanentError('SCHEMA_CHANGED', `blue's table ${table.name} has no column ${column} at this point of the stream`, {
        table: table.name, column, hint: 'stop, bring the mapping up to date, empty the tables on green, and run again',
      });
    }
    const { plan } = table;
    const retyped = relation.columns.find(({ name, typeOid }) => table.source.columns.some((column) => column.name === name && column.typeOid !== typeOid));
    if (retyped !== undefined)
      throw new PermanentError('SCHEMA_CHANGED', `column ${retyped.name} of blue's table ${table.name} has another type at this point of the stream`, {
        table: table.name, column: retyped.name, hint: 'stop, empty the tables on green, and run again',
      });
    // Names that were exchanged, and perhaps exchanged back since: a value of the stream belongs to another column than its name says now.
    const ordered = table.source.leaves.find(({ oid }) => oid === relation.oid)?.columns.filter((name) => plan.sourceColumns.includes(name));
    const then = relation.columns.map(({ name }) => name).filter((name) => plan.sourceColumns.includes(name));
    const exchanged = ordered?.find((name, i) => name !== then[i]);
    if (exchanged !== undefined)
      throw new PermanentError('SCHEMA_CHANGED', `column ${exchanged} of blue's table ${table.name} has another column's name, or another place, at this point of the stream`, {
        table: table.name, column: exchanged, hint: 'stop, empty the tables on green, and run again',
      });
    const keyed = relation.identity === 'f' || relation.columns.every(({ name, key }) => key === plan.key.includes(name));
    if (!keyed)
      throw new PermanentError('SCHEMA_CHANGED', `the rows of blue's table ${table.name} are not identified by its primary key (${plan.key.join(', ')}) at this point of the stream`, {
        table: table.name, hint: 'put primary key and replica identity back; stop, empty the tables on green, and run again',
      });
    const straight = columns.length === relation.columns.length && columns.every((at, i) => at === i);
    this.known.set(relation.oid, { table, columns, straight, names: relation.columns.map(({ name }) => name), gone: this.leaves.known.get(relation.oid)?.current === false, full: relation.identity === 'f' });
  }

  /** Undefined: changes of this relation mean nothing to the mapping. @param {number} oid */
  get(oid) {
    return this.known.get(oid);
  }

  /** Truncated relations as mapped tables: whole, or the partitions of them. @param {number[]} oids @returns {import('./batch.mjs').TruncateStep['tables']} */
  truncated(oids) {
    /** @type {Map<SyncTable, number[]>} */
    const byTable = new Map();
    for (const oid of oids) {
      const table = this.byOid.get(oid);
      if (table !== undefined) byTable.set(table, [...(byTable.get(table) ?? []), oid]);
    }
    return [...byTable].map(([table, leaves]) => ({ table, leaves: leaves.includes(table.source.oid) || this.#areAll(table, leaves) ? null : leaves }));
  }

  /**
   * Do these partitions hold all rows of the table that green has at this point of the stream, and is to keep? Of a partitioned table the stream names each partition that is truncated, never the whole. One that was
   * dropped or detached since took its rows with it, whenever that was.
   * @param {SyncTable} table @param {number[]} oids
   */
  #areAll(table, oids) {
    const known = [...this.leaves.known].flatMap(([oid, { source, current }]) => (source === table.name && current && !this.leaves.unread.has(oid) ? [oid] : []));
    const shown = [...this.shown].flatMap(([oid, of]) => (of === table ? [oid] : []));
    return [...known, ...shown].every((oid) => oids.includes(oid));
  }

  /** @param {number} oid @param {import('./batch.mjs').Batch} batch */
  async #tableOf(oid, batch) {
    const table = this.byOid.get(oid);
    if (table !== undefined) return table;
    const partition = await this.partitionOf(oid, this.tables.map(({ source }) => source.oid));
    const found = partition && this.byOid.get(partition.root);
    if (partition === undefined || found === undefined) return undefined;
    this.byOid.set(oid, found);
    this.shown.set(oid, found);
    batch.leaf({ oid, source: found.name, bounds: partition.bounds });
    return found;
  }
}

/** A tuple of the stream in the order of `sourceColumns`. @param {Known} known @param {Tuple} tuple @returns {Tuple} */
export const project = ({ columns, straight }, tuple) => (straight ? tuple : columns.map((at) => tuple[at]));
