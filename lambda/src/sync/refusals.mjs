import { contains } from '../pg/types.mjs';

/**
 * Which errors of green say something of a row, and not of the statement, the table or the server.
 *
 * @typedef {import('../lib/errors.mjs').MigrationError} MigrationError
 */

/**
 * Class 22: the value does not fit its type. Class 23: a constraint. 54000: too long for an index. 54001: nested too deeply. Classes P0, 2F, 38 and 39: a function that a constraint or a default calls says no, by RAISE, ASSERT or
 * a failure of its own.
 */
const OF_A_ROW = /^2[23]|^5400[01]$|^P0|^2F|^3[89]/;

/** PostgreSQL's and the standard's classes: any other is one that a function of the user's own has chosen for RAISE ... USING ERRCODE. */
const CLASSES = /^(?:0[0-389ABFLPZ]|2[0-8BDF]|3[489BDF]|4[024]|5[34578]|72|F0|HV|P0|XX)/;

/** Types whose values name things of their own database: those of another one may not be there. */
const NAMING = new Set(['regclass', 'regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator', 'regproc', 'regprocedure', 'regrole', 'regtype', 'aclitem']);
const NOT_THERE = /^(?:42P01|42883|42704|42725|42601|42602|3F000)$/;

/** @param {import('../mapping/types.mjs').TablePlan} plan @param {import('../pg/catalog.mjs').Table} target */
export const namesThings = ({ targetColumns }, { columns }) =>
  columns.some(({ name, definition }) => targetColumns.includes(name) && definition !== undefined && contains(definition, (part) => part.kind === 'builtin' && NAMING.has(part.name)));

/**
 * A function that a constraint or a default calls may raise any code, those of a failure that passes too: what it has raised is of the row.
 * @param {MigrationError} error @param {{namesThings: boolean}} table
 */
export function refusesRow({ sqlstate, raised }, table) {
  if (sqlstate === undefined) return false;
  return raised || OF_A_ROW.test(sqlstate) || !CLASSES.test(sqlstate) || (table.namesThings && NOT_THERE.test(sqlstate));
}
