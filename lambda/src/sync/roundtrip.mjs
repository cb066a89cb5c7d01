import { ident } from '../pg/text.mjs';
import { withKeys } from '../pg/keys.mjs';

/**
 * Rows of green that were written to blue are proven there: blue's row, as the mapping makes it, has to be green's row again. Where it is not, something of green's row
 * could not go back (a card that exists only as a hash, an address that was changed), and the row is named.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable of the way back: from green to blue
 * @typedef {import('./apply.mjs').Wanted} Wanted
 * @typedef {import('./quarantine.mjs').Held} Held
 */

const AT_ONCE = 500;
/** Rows are read again in groups of about so much text. */
const GROUP_BYTES = 1 << 20;

/** @param {import('../pg/session.mjs').Session} blue @param {SyncTable} table @param {Wanted[]} rows that were written @returns {Promise<Held[]>} */
export async function whatDiffers(blue, table, rows) {
  /** @type {Held[]} */
  const held = [];
  for (const group of groups(rows)) held.push(...(await compare(blue, table, group)));
  return held;
}

/** @param {Wanted[]} rows */
function* groups(rows) {
  /** @type {Wanted[]} */
  let group = [];
  let bytes = 0;
  for (const row of rows) {
    group.push(row);
    bytes += row.row.reduce((sum, value) => sum + (value?.length ?? 0), 0);
    if (group.length < AT_ONCE && bytes < GROUP_BYTES) continue;
    yield group;
    group = [];
    bytes = 0;
  }
  if (group.length > 0) yield group;
}

/** @param {import('../pg/session.mjs').Session} blue @param {SyncTable} table @param {Wanted[]} group @returns {Promise<Held[]>} */
async function compare(blue, table, group) {
  const { plan, onGreen: onBlue, targetKey, targetKeyAt } = table;
  const forward = /** @type {import('../mapping/types.mjs').TablePlan} */ (table.forward);
  const keys = group.map(({ values }) => targetKeyAt.map((at) => values[at]));
  const found = await blue.rows(`SELECT ${forward.sourceColumns.map((column) => `t.${ident(column)}`).join(', ')} FROM ${withKeys(targetKey, onBlue, keys)}`);
  const keyAt = forward.key.map((column) => forward.sourceColumns.indexOf(column));
  const orderOfKey = plan.key.map((column) => forward.targetKey.indexOf(column));
  /** @type {Map<string, import('../mapping/types.mjs').Transformed>} */
  const made = new Map();
  for (const row of found) {
    const key = forward.transformKey(keyAt.map((at) => row[at]));
    if (key.kind === 'row') made.set(orderOfKey.map((at) => key.values[at]).join('\0'), forward.transform(row));
  }
  return group.flatMap(({ key, row }) => {
    const result = made.get(key.join('\0'));
    if (result === undefined || result.kind === 'needsFullRow') return [{ key, reason: "blue's key does not lead back to green's" }];
    if (result.kind === 'skip') return [{ key, reason: "the mapping's filter leaves it out" }];
    if (result.kind === 'quarantine') return [{ key, reason: `blue's row does not lead back to green's: ${result.reason}`, column: result.column }];
    const column = forward.targetColumns.find((name, i) => {
      const value = row[plan.sourceColumns.indexOf(name)];
      return value !== undefined && value !== result.values[i];
    });
    return column === undefined ? [] : [{ key, reason: "green's value can't go back to blue", column }];
  });
}
