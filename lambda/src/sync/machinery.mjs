import { PermanentError } from '../lib/errors.mjs';
import { readMachinery } from '../pg/machinery.mjs';
import { sharedUnique } from './unique.mjs';

/**
 * Green's own machinery is looked at before anything is written there. Rows arrive with `session_replication_role = replica`: blue has fired its triggers and
 * checked its constraints already. What acts all the same would do it a second time; what is left undone must be what blue does too.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 */

/** @param {import('../pg/session.mjs').Session} blue @param {import('../pg/session.mjs').Session} green @param {SyncTable[]} tables */
export async function checkMachinery(blue, green, tables) {
  for (const { plan, source, target, targetName } of tables) {
    const shared = sharedUnique(plan, source, target);
    const late = target.uniqueIndexes.find((index) => !index.immediate && !shared.includes(index));
    if (late !== undefined) throw undone(targetName, late.name, 'unique');
  }
  for (const { root, table, name, kind, definition } of await readMachinery(green, tables.map(({ target }) => target.oid))) {
    if (kind === 'exclusion') {
      if (await alsoOnBlue(blue, tables.find(({ target }) => target.oid === root), definition)) continue;
      throw undone(table, name, 'EXCLUDE');
    }
    throw new PermanentError('TARGET_TRIGGER', `green's table ${table} has the ${kind} ${name}, which acts on replicated rows too`, {
      table, constraint: name, hint: `ALTER TABLE ... ENABLE ${kind.toUpperCase()} (neither ALWAYS nor REPLICA) for the time of the migration, or drop it: blue's rows arrive as they are to be`,
    });
  }
}

/** @param {import('../pg/session.mjs').Session} blue @param {SyncTable | undefined} table @param {string} definition */
async function alsoOnBlue(blue, table, definition) {
  if (table === undefined || !table.plan.targetColumns.every((column, i) => table.plan.carriedFrom[i] === column)) return false;
  const [same] = await blue.rows("SELECT 1 FROM pg_constraint WHERE conrelid = $1 AND contype = 'x' AND pg_get_constraintdef(oid) = $2", [table.source.oid, definition]);
  return same !== undefined;
}

/** @param {string} table @param {string} name @param {string} kind */
const undone = (table, name, kind) =>
  new PermanentError('TARGET_CONSTRAINT', `green's table ${table} has the ${kind} constraint ${name}, which is DEFERRABLE: green does not check it while rows are replicated, and no constraint of blue implies it`, {
    table, constraint: name, hint: 'make it again without DEFERRABLE, or give blue the same constraint; or create it after the migration',
  });
