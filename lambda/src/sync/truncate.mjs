import { PermanentError } from '../lib/errors.mjs';
import { columnList, ident, qualified } from '../pg/text.mjs';

/**
 * A TRUNCATE on blue. Blue has resolved CASCADE already: the step names every table that was emptied.
 * @param {import('./apply.mjs').Applier} applier
 * @param {import('./batch.mjs').TruncateStep} step
 */
export async function truncateStep(applier, step) {
  const { green, quarantine, backfill } = applier;
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
  for (const { table, leaves } of step.tables)
    for (const leaf of leaves ?? []) {
      const blue = await (backfill.blue ??= backfill.openBlue());
      const [constraint] = await blue.row(`SELECT pg_get_partition_constraintdef(oid) FROM pg_class WHERE oid = ${leaf}`);
      if (constraint === undefined || constraint === null) continue; // the partition is gone by now
      await deletePartition(green, table, constraint);
      await quarantine.removeWhere(table, constraint);
    }
}

/**
 * Deletes what one partition of blue held: its constraint speaks of columns of the key, which green has too.
 * @param {import('../pg/session.mjs').Session} green @param {import('./table.mjs').SyncTable} table @param {string} constraint
 */
async function deletePartition(green, table, constraint) {
  const { plan, carriedKey, name } = table;
  if (carriedKey === undefined || constraint.includes('satisfies_hash_partition'))
    throw new PermanentError('PARTITION_TRUNCATED', `a single partition of ${name} was truncated, and the mapping changes its key or it is a hash partition`, {
      table: name, hint: 'stop, empty the tables on green, and run again',
    });
  const renamed = plan.targetKey.map((column, i) => `${ident(column)} AS ${ident(/** @type {string} */ (carriedKey[i]))}`).join(', ');
  const target = qualified(plan.target);
  const sameNames = plan.targetKey.every((column, i) => column === carriedKey[i]);
  await green.run(
    sameNames
      ? `DELETE FROM ${target} WHERE ${constraint}`
      : `DELETE FROM ${target} WHERE (${columnList(plan.targetKey)}) IN
           (SELECT ${columnList(carriedKey)} FROM (SELECT ${renamed} FROM ${target}) AS x WHERE ${constraint})`,
  );
}
