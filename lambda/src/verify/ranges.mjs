import { columnList, ident, literal } from '../pg/text.mjs';
import { withoutDomains } from '../pg/types.mjs';

/**
 * Key ranges of a table, as conditions for both sides.
 *
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {{to: string[] | null, source: string, target: string}} Range `source`, `target`: conditions on blue's and green's columns; `to` is null in the last one
 */

const RANGE_ROWS = 100_000;

/**
 * Only keys that mean the same on green, and are ordered the same there by operators of pg_catalog, can be cut into ranges; other tables are one range.
 * @param {SyncTable} table
 */
const divisible = ({ plan, carriedKey, source }) =>
  carriedKey !== undefined && carriedKey.length === plan.key.length &&
  source.columns.every(({ name, collated, definition }) => !plan.key.includes(name) || (!collated && ordered(definition)));

/** @param {import('../pg/types.mjs').TypeDefinition | undefined} definition */
function ordered(definition) {
  if (definition === undefined) return false;
  const { definition: plain } = withoutDomains({ text: '', definition });
  return plain.kind === 'builtin' || plain.kind === 'enum';
}

/** @param {Session} blue @param {SyncTable} table @param {string[] | null} after the key at which the range before ended @returns {Promise<Range>} */
export async function nextRange(blue, table, after) {
  if (!divisible(table)) return { to: null, source: 'true', target: 'true' };
  const { plan } = table;
  const [row] = await blue.rows(
    `SELECT ${columnList(plan.key)} FROM ${table.onBlue} WHERE ${condition(table.source, plan.key, after, null)} ORDER BY ${plan.key.map(ident).join(', ')} OFFSET ${RANGE_ROWS - 1} LIMIT 1`);
  const to = /** @type {string[] | null} */ (row ?? null);
  return { to, source: condition(table.source, plan.key, after, to), target: condition(table.target, targetNames(table), after, to) };
}

/** Green's names of the columns of blue's key. @param {SyncTable} table */
const targetNames = ({ plan, carriedKey }) => plan.key.map((column) => /** @type {string} */ (plan.targetKey[/** @type {string[]} */ (carriedKey).indexOf(column)]));

/** @param {import('../pg/catalog.mjs').Table} table @param {string[]} columns @param {string[] | null} after @param {string[] | null} to */
function condition(table, columns, after, to) {
  const casts = columns.map((column) => castName(table.columns.find(({ name }) => name === column)?.definition));
  const typed = (/** @type {string[]} */ key) => key.map((value, i) => `${literal(value)}::${casts[i]}`).join(', ');
  const list = columnList(columns);
  const parts = [];
  if (after !== null) parts.push(`(${list}) > (${typed(after)})`);
  if (to !== null) parts.push(`(${list}) <= (${typed(to)})`);
  return parts.join(' AND ') || 'true';
}

/** Without the domains, which would only check again. @param {import('../pg/types.mjs').TypeDefinition | undefined} definition */
const castName = (definition) => (definition === undefined ? 'text' : withoutDomains({ text: '', definition }).definition.ident);
