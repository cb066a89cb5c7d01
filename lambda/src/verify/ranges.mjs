import { columnList, ident, literal } from '../pg/text.mjs';

/**
 * Key ranges of a table, as conditions for both sides.
 *
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {{after: string[] | null, to: string[] | null, source: string, target: string}} Range `source`, `target`: conditions on blue's and green's columns
 */

const RANGE_ROWS = 100_000;

/**
 * Only keys that mean the same on green, and are ordered the same there, can be cut into ranges; other tables are one range.
 * @param {SyncTable} table
 */
const divisible = ({ plan, carriedKey, source }) =>
  carriedKey !== undefined && carriedKey.length === plan.key.length && !source.columns.some(({ name, collated }) => collated && plan.key.includes(name));

/** @param {Session} blue @param {SyncTable} table @returns {AsyncGenerator<Range>} */
export async function* ranges(blue, table) {
  if (!divisible(table)) {
    yield { after: null, to: null, source: 'true', target: 'true' };
    return;
  }
  const { plan } = table;
  const key = columnList(plan.key);
  /** @type {string[] | null} */
  let after = null;
  for (;;) {
    const rows = await blue.rows(
      `SELECT ${key} FROM ${table.onBlue} WHERE ${condition(table, plan.key, after, null)} ORDER BY ${plan.key.map(ident).join(', ')} OFFSET ${RANGE_ROWS - 1} LIMIT 1`);
    const to = /** @type {string[] | null} */ (rows[0] ?? null);
    yield { after, to, source: condition(table, plan.key, after, to), target: condition(table, targetNames(table), after, to) };
    if (to === null) return;
    after = to;
  }
}

/** Green's names of the columns of blue's key. @param {SyncTable} table */
const targetNames = ({ plan, carriedKey }) => plan.key.map((column) => /** @type {string} */ (plan.targetKey[/** @type {string[]} */ (carriedKey).indexOf(column)]));

/** @param {SyncTable} table @param {string[]} columns @param {string[] | null} after @param {string[] | null} to */
function condition({ plan, source }, columns, after, to) {
  const typed = (/** @type {string[]} */ key) =>
    key.map((value, i) => `${literal(value)}::${source.columns.find(({ name }) => name === plan.key[i])?.baseType}`).join(', ');
  const list = columnList(columns);
  const parts = [];
  if (after !== null) parts.push(`(${list}) > (${typed(after)})`);
  if (to !== null) parts.push(`(${list}) <= (${typed(to)})`);
  return parts.join(' AND ') || 'true';
}
