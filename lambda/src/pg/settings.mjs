import { PermanentError } from '../lib/errors.mjs';
import { contains } from './types.mjs';

/**
 * Settings of the servers that decide what a stored value means, and that no session can bring into line.
 *
 * @typedef {import('./session.mjs').Session} Session
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 */

/**
 * `money` is a whole number of the smallest unit; how many of them make one is a matter of `lc_monetary`. Where both sides differ in that,
 * the same number is another amount.
 * @param {Session} blue @param {Session} green @param {SyncTable[]} tables
 */
export async function compareSettings(blue, green, tables) {
  const table = tables.find(({ plan, source }) =>
    source.columns.some(({ name, definition }) => plan.sourceColumns.includes(name) && definition !== undefined && contains(definition, isMoney)));
  if (table === undefined) return;
  const [from, to] = await Promise.all([unitsOfOne(blue), unitsOfOne(green)]);
  if (from !== to)
    throw new PermanentError('SETTINGS_DIFFER', `the table ${table.name} has a column of the type money, and lc_monetary gives it another number of decimals on blue than on green`, {
      table: table.name, hint: 'set lc_monetary to the same value for both databases (ALTER DATABASE ... SET lc_monetary), or change the column to numeric on blue first',
    });
}

/** @param {import('./types.mjs').TypeDefinition} type */
const isMoney = ({ kind, name }) => kind === 'builtin' && name === 'money';

/** The stored number behind one unit of money, under the setting that the database's applications have. @param {Session} session */
async function unitsOfOne(session) {
  const [value] = await session.transaction(async () => {
    await session.run('SET LOCAL lc_monetary TO DEFAULT');
    return session.row('SELECT cash_send(1::numeric::money)');
  });
  return value;
}
