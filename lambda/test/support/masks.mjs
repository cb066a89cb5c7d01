/** The mask of a key as README.md has it computed in SQL on blue, independently of the code under test. */

/** @param {string} column `schema.table.column` @param {string} value an expression of a text */
export const maskSql = (column, value) =>
  `(SELECT 'k:' || left(encode(sha256(k || sha256(k || convert_to('${column}=' || ${value}, 'UTF8'))), 'hex'), 32)
      FROM (SELECT lo_get(substring(obj_description(oid, 'pg_publication') FROM 'large object ([0-9]+)$')::oid) AS k FROM pg_publication WHERE pubname LIKE 'payment_migration_%') AS key)`;

/** @param {import('./lab.mjs').Lab} lab @param {string} column @param {string | number} value @returns {Promise<string>} */
export const maskOf = async (lab, column, value) => (await lab.onBlue(`SELECT ${maskSql(column, `'${value}'`)} AS mask`)).rows[0].mask;
