import { PermanentError } from '../lib/errors.mjs';
import { dotted, qualified } from '../pg/text.mjs';

/**
 * A mapped table, with what both catalogs say of it.
 *
 * @typedef {import('../mapping/types.mjs').TablePlan} TablePlan
 * @typedef {import('../pg/catalog.mjs').Table} Table
 * @typedef {import('../pg/pgoutput.mjs').Tuple} Tuple
 */

export class SyncTable {
  /** @param {TablePlan} plan @param {Table} source @param {Table} target @param {number} number */
  constructor(plan, source, target, number) {
    this.plan = plan;
    this.source = source;
    this.target = target;
    this.name = dotted(plan.source);
    this.targetName = dotted(plan.target);
    /** For FROM: the table and its partitions, but not other tables that inherit from it. */
    this.onBlue = ownRows(plan.source, source);
    this.onGreen = ownRows(plan.target, target);
    /** The staging table of this table, in the session's temporary schema. */
    this.stage = `pg_temp.stage_${number}`;
    /** Where the key's columns are among `sourceColumns`. */
    this.keyAt = plan.key.map((column) => plan.sourceColumns.indexOf(column));
    /** Where the target's key is among `targetColumns`. */
    this.targetKeyAt = plan.targetKey.map((column) => plan.targetColumns.indexOf(column));
    /** Source columns that carry the target's key unchanged, or undefined: then key ranges of blue mean nothing on green. */
    this.carriedKey = carried(plan);
    check(this);
  }

  /** @param {Tuple} row values of `sourceColumns` @returns {string[]} */
  keyOf(row) {
    return this.keyAt.map((at) => /** @type {string} */ (row[at]));
  }
}

/** @param {{schema: string, name: string}} name @param {Table} table */
const ownRows = (name, { partitioned }) => `${partitioned ? '' : 'ONLY '}${qualified(name)}`;

/** @param {TablePlan} plan */
function carried(plan) {
  const sources = plan.targetKey.map((column) => plan.carriedFrom[plan.targetColumns.indexOf(column)] ?? null);
  return sources.every((source) => source !== null && plan.key.includes(source)) ? /** @type {string[]} */ (sources) : undefined;
}

/** What logical decoding and the copy need of a table, beyond what the mapping checks. @param {SyncTable} table */
function check({ plan, source, name, keyAt, targetKeyAt }) {
  if (plan.key.length === 0 || plan.targetKey.length === 0)
    throw new PermanentError('NO_PRIMARY_KEY', `the table ${name} has no primary key`, {
      table: name, hint: 'add a primary key on both sides, or leave the table out of the mapping',
    });
  if (keyAt.includes(-1) || targetKeyAt.includes(-1))
    throw new PermanentError('KEY_NOT_MAPPED', `the mapping of ${name} leaves out a column of the key`, { table: name, hint: 'map every column of the primary key' });
  const unlogged = source.leaves.find(({ logged }) => !logged);
  if (unlogged !== undefined)
    throw new PermanentError('UNLOGGED', `blue's table ${dotted(unlogged)} is unlogged: its changes can't be followed`, {
      table: dotted(unlogged), hint: 'ALTER TABLE ... SET LOGGED, or leave it out of the mapping',
    });
  // Without one blue itself would refuse updates and deletes from the moment on that the table is published.
  const odd = source.leaves.find(({ replicaIdentity }) => replicaIdentity !== 'd' && replicaIdentity !== 'f');
  if (odd !== undefined)
    throw new PermanentError('REPLICA_IDENTITY', `the replica identity of ${dotted(odd)} is neither the primary key nor the full row`, {
      table: dotted(odd), hint: 'ALTER TABLE ... REPLICA IDENTITY DEFAULT',
    });
  const generated = source.columns.find((column) => column.generated && plan.sourceColumns.includes(column.name));
  if (generated !== undefined)
    throw new PermanentError('GENERATED_COLUMN', `the mapping of ${name} reads a generated column, which is not in the stream of changes`, {
      table: name, column: generated.name, hint: 'compute it on green from the columns it is generated from',
    });
}
