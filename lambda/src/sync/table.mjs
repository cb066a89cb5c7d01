import { PermanentError } from '../lib/errors.mjs';
import { primaryKey } from '../pg/keys.mjs';
import { dotted, qualified } from '../pg/text.mjs';
import { namesThings } from './refusals.mjs';
import { sharedUnique } from './unique.mjs';

/**
 * A mapped table, with what both catalogs say of it.
 *
 * @typedef {import('../mapping/types.mjs').TablePlan} TablePlan
 * @typedef {import('../pg/catalog.mjs').Table} Table
 * @typedef {import('../pg/pgoutput.mjs').Tuple} Tuple
 */

export class SyncTable {
  /**
   * @param {TablePlan} plan @param {Table} source @param {Table} target @param {number} number
   * @param {number[]} [unique] OIDs of the unique indexes that blue had when the migration began
   * @param {TablePlan} [forward] on the way back: how the mapping makes green's rows of blue's
   * @param {import('../split/rules.mjs').Rule} [rule] while traffic is split
   * @param {string[]} [idempotency] on the way back: blue's columns of an idempotency key
   */
  constructor(plan, source, target, number, unique, forward, rule, idempotency = []) {
    this.plan = plan;
    /** On the way back blue's rows have columns that are not written: rows are changed there, never replaced, and removed only where green has deleted them. */
    this.forward = forward;
    /** While traffic is split in mode two-way: see split/rules.mjs. @type {import('../split/rules.mjs').Rule | undefined} */
    this.rule = rule;
    /** Rows of the target are changed, never replaced: they have columns that are not written, or the application writes there too. */
    this.keepsRows = forward !== undefined || rule !== undefined;
    /** Of the target. @type {string[]} */
    this.idempotency = forward === undefined ? (rule?.idempotency ?? []) : idempotency;
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
    this.sourceKey = primaryKey(source);
    this.targetKey = primaryKey(target);
    /** Blue checks the key at the end of the statement or of the transaction: until then two rows may have the same one. */
    this.lateKey = !source.keyImmediate;
    /** Unique indexes of green that an index of blue implies. @type {import('../pg/catalog.mjs').UniqueIndex[]} */
    this.sharedUnique = !this.keepsRows ? sharedUnique(plan, source, target, unique && new Set(unique)) : [];
    /** Source columns that carry the target's key unchanged, or undefined: then key ranges of blue mean nothing on green. */
    this.carriedKey = carried(plan);
    /** Values of the target's columns name things that green may not have. */
    this.namesThings = namesThings(plan, target);
    check(this);
    if (this.keepsRows && this.lateKey)
      throw new PermanentError('REPLICA_IDENTITY', `the primary key of ${this.name} is DEFERRABLE: changes of it can't be followed on the way back`, { table: this.name, hint: 'make it again without DEFERRABLE' });
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

/** PostgreSQL's limit on a table's columns, less those that the stage adds. */
const MAX_COLUMNS = 1600 - 2;

/** What logical decoding and the copy need of a table, beyond what the mapping checks. @param {SyncTable} table */
function check({ plan, source, target, name, targetName, keyAt, targetKeyAt }) {
  if (plan.key.length === 0 || plan.targetKey.length === 0)
    throw new PermanentError('NO_PRIMARY_KEY', `the table ${name} has no primary key`, {
      table: name, hint: 'add a primary key on both sides, or leave the table out of the mapping',
    });
  if (keyAt.includes(-1) || targetKeyAt.includes(-1))
    throw new PermanentError('KEY_NOT_MAPPED', `the mapping of ${name} leaves out a column of the key`, { table: name, hint: 'map every column of the primary key' });
  if (plan.targetColumns.length > MAX_COLUMNS)
    throw new PermanentError('TOO_MANY_COLUMNS', `the mapping fills ${plan.targetColumns.length} columns of green's table ${targetName}, at most ${MAX_COLUMNS} are possible`, {
      table: targetName, hint: 'leave columns out, or divide the table',
    });
  checkLogged(source, target);
  checkIdentity(source, plan.key, name);
  // ON CONFLICT, the application's too, works on blue and would fail there.
  if (!target.keyImmediate && source.keyImmediate)
    throw new PermanentError('TARGET_KEY', `the primary key of green's table ${targetName} is DEFERRABLE, and that of blue's is not`, {
      table: targetName, hint: 'make it again on green without DEFERRABLE',
    });
  const generated = source.columns.find((column) => column.generated && plan.sourceColumns.includes(column.name));
  if (generated !== undefined)
    throw new PermanentError('GENERATED_COLUMN', `the mapping of ${name} reads a generated column, which is not in the stream of changes`, {
      table: name, column: generated.name, hint: 'compute it on green from the columns it is generated from',
    });
}

/** @param {Table} source @param {Table} target */
function checkLogged(source, target) {
  for (const [side, { leaves }, why] of /** @type {const} */ ([['blue', source, "its changes can't be followed"], ['green', target, 'a crash empties it, and what was brought there is not brought again']])) {
    const unlogged = leaves.find(({ logged }) => !logged);
    if (unlogged !== undefined)
      throw new PermanentError('UNLOGGED', `${side}'s table ${dotted(unlogged)} is unlogged: ${why}`, { table: dotted(unlogged), hint: 'ALTER TABLE ... SET LOGGED, or leave it out of the mapping' });
  }
}

/**
 * From the moment that a table is published blue itself refuses updates and deletes of rows that it can't name in the log. A primary key that is DEFERRABLE
 * names none. Partitions to come get the key of the whole table, and the default identity.
 * @param {Table} source @param {string[]} key @param {string} name
 */
function checkIdentity({ leaves, partitioned, keyImmediate }, key, name) {
  const refuse = (/** @type {string} */ table, /** @type {string} */ why, /** @type {string} */ hint) => new PermanentError('REPLICA_IDENTITY', why, { table, hint });
  const odd = leaves.find(({ replicaIdentity }) => replicaIdentity !== 'd' && replicaIdentity !== 'f');
  if (odd !== undefined)
    throw refuse(dotted(odd), `the replica identity of ${dotted(odd)} is neither the primary key nor the full row`, 'ALTER TABLE ... REPLICA IDENTITY DEFAULT');
  const late = leaves.find(({ identified }) => !identified);
  if (late !== undefined || (partitioned && !keyImmediate)) {
    const table = late === undefined ? name : dotted(late);
    throw refuse(table, `the primary key of ${table} can't identify rows in blue's log: it is DEFERRABLE, not valid or not there`,
      `make it again without DEFERRABLE${partitioned ? '' : ', or ALTER TABLE ... REPLICA IDENTITY FULL'}`);
  }
  const other = leaves.find(({ replicaIdentity, identityKey }) => replicaIdentity === 'd' && [...identityKey].sort().join('\0') !== [...key].sort().join('\0'));
  if (other !== undefined)
    throw refuse(dotted(other), `the partition ${dotted(other)} has another primary key than ${name}`, `give it the primary key (${key.join(', ')})`);
}
