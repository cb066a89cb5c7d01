import { MigrationError } from '../lib/errors.mjs';

/**
 * What must hold on green whatever was copied (the mapping's "invariants"): each is a query for the rows for which it does not hold. They are counted, never shown.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {{name: string, violations: number}} Invariant `violations`: at least so many
 */

/** More are not counted. */
const COUNTED = 1000;

/**
 * @param {Session} green in a transaction under the snapshot @param {{name: string, violations: string}[]} invariants @param {() => boolean} inTime
 * @returns {Promise<{found: Invariant[], problems: string[]}>}
 */
export async function checkInvariants(green, invariants, inTime) {
  /** @type {Invariant[]} */
  const found = [];
  /** @type {string[]} */
  const problems = [];
  await green.run('SET TRANSACTION READ ONLY');
  for (const { name, violations } of invariants) {
    if (!inTime()) {
      problems.push(`the time did not suffice to check the invariant "${name}"`);
      continue;
    }
    await green.run('SAVEPOINT invariant');
    try {
      // With a parameter the server takes one statement only.
      const [rows] = await green.row(`SELECT count(*) FROM (SELECT FROM (${violations}) AS violations LIMIT $1) AS counted`, [COUNTED]);
      found.push({ name, violations: Number(rows) });
    } catch (error) {
      if (!(error instanceof MigrationError) || !/^(42|22|25|0A|P0)/.test(error.sqlstate ?? '')) throw error;
      problems.push(`the invariant "${name}" could not be checked (SQLSTATE ${error.sqlstate}): it takes one SELECT, with the names of tables in full`);
    }
    await green.run('ROLLBACK TO SAVEPOINT invariant');
  }
  return { found, problems };
}
