import { labelsAreKnown } from './schema.mjs';

/**
 * Rows that green refused are offered to it again, as they are on blue by now: its constraint may have been changed, another row may have made room for
 * them, or they were refused in a state that blue never committed (in the middle of a long transaction, while the copy was a mixture of
 * moments). Rows that the mapping can't transform wait for a change on blue; but where a label of an enum was renamed on both sides they are read again
 * too, since the stream had them with the former one. In mode two-way rows that are held leave the list where both sides have become equal.
 *
 * @typedef {import('./context.mjs').Context} Context
 */

/** In one run; those refused in a state that blue never committed are all looked at. */
const IN_ONE_RUN = 200;
const PROVISIONAL_AT_ONCE = 5_000;
const RESERVE_MS = 3_000;

/**
 * @param {Context} context green is up to date and consistent
 * @returns {Promise<boolean>} whether rows came back: then green is of a later moment than before
 */
export async function recheck(context) {
  const { quarantine, tables, green, applier, backfill, log } = context;
  const [began = ''] = /** @type {string[]} */ (await green.row('SELECT clock_timestamp()')); // no row is looked at twice
  let cameBack = false;
  let looked = 0;
  for (const [table, onlyEqual] of tables.flatMap((one) => (one.rule === undefined ? [/** @type {const} */ ([one, false])] : [/** @type {const} */ ([one, false]), /** @type {const} */ ([one, true])]))) {
    const renamed = context.renamed.has(table) || onlyEqual;
    while (renamed || looked < IN_ONE_RUN || quarantine.provisional > 0) {
      if (!context.deadline.allows(RESERVE_MS)) return cameBack;
      const keys = await quarantine.refused(table, quarantine.provisional > 0 ? PROVISIONAL_AT_ONCE : IN_ONE_RUN, began, renamed);
      if (keys.length === 0) break;
      looked += keys.length;
      const before = quarantine.total;
      const memory = backfill.remember();
      await context.begin();
      await applier.offer(table, keys, onlyEqual);
      const back = before - quarantine.total;
      if (back > 0) {
        cameBack = true;
        log.info('rows left quarantine', { table: table.name, rows: back });
        await context.commit({ applied: context.state.applied, inside: context.state.inside, syncedUntil: context.state.syncedUntil });
      } else {
        // Green is left as it is, at the moment at which it is.
        await context.rollback();
        backfill.recall(memory);
        await quarantine.judge(table, keys);
      }
    }
    if (renamed && !onlyEqual) labelsAreKnown(context.state.schema, table);
    context.renamed.delete(table);
  }
  return cameBack;
}
