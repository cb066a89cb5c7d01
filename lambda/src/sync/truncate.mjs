import { PermanentError } from '../lib/errors.mjs';
import { BOUNDS } from '../pg/catalog.mjs';
import { columnList, ident, qualified } from '../pg/text.mjs';

/**
 * A TRUNCATE on blue. Blue has resolved CASCADE already: the step names every table that was emptied.
 * @param {import('./apply.mjs').Applier} applier
 * @param {import('./batch.mjs').TruncateStep} step
 */
export async function truncateStep(applier, step) {
  const { green, quarantine } = applier;
  const whole = step.tables.filter(({ leaves }) => leaves === null).map(({ table }) => table);
  if (whole.length > 0) {
    const oids = whole.map(({ target }) => target.oid);
    // Green may have foreign keys from tables that were not emptied (they point to nothing that was there): TRUNCATE would refuse.
    const [referenced] = await green.row(
      `SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = ANY ($1::oid[]) AND NOT conrelid = ANY ($1::oid[])`, [oids]);
    if (referenced === '0') await green.run(`TRUNCATE ${whole.map(({ onGreen }) => onGreen).join(', ')}`);
    else for (const { onGreen } of whole) await green.run(`DELETE FROM ${onGreen}`);
    for (const table of whole) await quarantine.clear(table);
  }
  for (const { table, leaves } of step.tables) for (const leaf of leaves ?? []) await emptyPartition(applier, table, leaf);
}

/** Bounds are written in blue's names: of schemas, types, operators and functions. */
const NOT_ON_GREEN = /^(?:42704|42883|42P01|3F000|42501)$/;

const again = 'stop, empty the tables on green, and run again';

/**
 * Deletes what one partition of blue held: its bounds speak of columns of the key, which green has too. Which bounds it had at that moment is not in the
 * stream. What was inside of them both before and since is deleted; what was so only before or only since is asked of blue.
 * @param {import('./apply.mjs').Applier} applier @param {import('./table.mjs').SyncTable} table @param {number} leaf
 */
async function emptyPartition(applier, table, leaf) {
  const { backfill, leaves } = applier;
  const blue = await (backfill.blue ??= backfill.openBlue());
  const [now] = await blue.row(`SELECT ${BOUNDS} FROM pg_class c WHERE c.oid = $1`, [leaf]);
  const bounds = [...new Set([...(leaves.known.get(leaf)?.bounds ?? []), ...(now === undefined || now === null ? [] : [now])])];
  if (bounds.length === 0 && (table.carriedKey !== undefined || !leaves.known.has(leaf))) return; // made and dropped since: nothing of it is on green
  if (table.carriedKey === undefined || bounds.some((bound) => bound.includes('satisfies_hash_partition')))
    throw new PermanentError('PARTITION_TRUNCATED', `a single partition of ${table.name} was truncated, and the mapping changes its key or it is a hash partition`, {
      table: table.name, hint: again,
    });
  if (bounds.some((bound) => /[<>]/.test(bound)) && !(await sortedAlike(blue, applier.green, table)))
    throw new PermanentError('PARTITION_TRUNCATED', `a single partition of ${table.name} was truncated, and green sorts the texts of its key otherwise than blue: which rows were in it is not known there`, {
      table: table.name, hint: 'give the key the same collation on both sides; ' + again,
    });
  const all = bounds.map((bound) => `(${bound})`).join(' AND ');
  await deleteWhere(applier, table, all).catch((error) => {
    if (!(error instanceof PermanentError) || !NOT_ON_GREEN.test(error.sqlstate ?? '')) throw error;
    throw new PermanentError('PARTITION_TRUNCATED', `a single partition of ${table.name} was truncated, and its bounds name a type or an operator that green has not, or has in another schema: which rows were in it is not known there`, {
      table: table.name, sqlstate: error.sqlstate, hint: again, cause: error,
    });
  });
  if (bounds.length === 1) return;
  const some = `(${bounds.map((bound) => `(${bound})`).join(' OR ')}) AND NOT (${all})`;
  for (const keys of await keysWhere(applier, table, some)) await applier.removeWhatBlueLacks(table, keys);
}

/** Bounds of a range are compared by the collation of the column. @param {import('../pg/session.mjs').Session} blue @param {import('../pg/session.mjs').Session} green @param {import('./table.mjs').SyncTable} table */
async function sortedAlike(blue, green, { source, target, plan, carriedKey = [] }) {
  const collations = carriedKey.map((name, i) => [source.columns.find((column) => column.name === name)?.collation ?? null, target.columns.find((column) => column.name === plan.targetKey[i])?.collation ?? null]);
  if (collations.some(([one, other]) => one !== other)) return false;
  if (!collations.some(([one]) => one === 'pg_catalog."default"')) return true;
  const ofDatabase = 'SELECT datcollate FROM pg_database WHERE datname = current_database()';
  return (await blue.row(ofDatabase))[0] === (await green.row(ofDatabase))[0];
}

/** Green's columns under the names that they have on blue. @param {import('./table.mjs').SyncTable} table */
const renamed = ({ plan, carriedKey }) => plan.targetKey.map((column, i) => `${ident(column)} AS ${ident(/** @type {string} */ (carriedKey?.[i]))}`).join(', ');

/** @param {import('./apply.mjs').Applier} applier @param {import('./table.mjs').SyncTable} table @param {string} condition in blue's names */
async function deleteWhere({ green, quarantine }, table, condition) {
  const { plan, carriedKey = [] } = table;
  const target = qualified(plan.target);
  const sameNames = plan.targetKey.every((column, i) => column === carriedKey[i]);
  await green.run(
    sameNames
      ? `DELETE FROM ${target} WHERE ${condition}`
      : `DELETE FROM ${target} WHERE (${columnList(plan.targetKey)}) IN
           (SELECT ${columnList(carriedKey)} FROM (SELECT ${renamed(table)} FROM ${target}) AS x WHERE ${condition})`,
  );
  await quarantine.removeWhere(table, condition);
}

const AT_ONCE = 500;

/** Keys of green in the order of blue's key columns, in groups. @param {import('./apply.mjs').Applier} applier @param {import('./table.mjs').SyncTable} table @param {string} condition */
async function keysWhere({ green }, table, condition) {
  const { plan } = table;
  const rows = /** @type {string[][]} */ (
    await green.rows(`SELECT ${columnList(plan.key)} FROM (SELECT ${renamed(table)} FROM ${table.onGreen}) AS x WHERE ${condition}`)
  );
  const groups = [];
  for (let at = 0; at < rows.length; at += AT_ONCE) groups.push(rows.slice(at, at + AT_ONCE));
  return groups;
}
