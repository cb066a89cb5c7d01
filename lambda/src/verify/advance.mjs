import { MigrationError } from '../lib/errors.mjs';
import { ident, literal } from '../pg/text.mjs';

/**
 * Moves a sequence forward while the application takes values from it. `setval` writes what was computed before, so a value that was taken in between would be
 * given again. `nextval` can't go back whoever else calls it; so the last stretch is gone with it, step by step. Only over a distance that no application takes within one
 * statement does `setval` come first. The steps of the sequence are kept: who counts in fifties, or in odd numbers, goes on so.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('./sequence-catalog.mjs').Sequence} Sequence
 */

const STEPS = 50_000;

const LOCK_MS = 700;

/**
 * With CACHE a session keeps values that it has not given yet, and gives them also after the sequence was moved. They are gone when the sequence gets another file, which ALTER SEQUENCE gives it.
 * @param {Session} session @param {Sequence} sequence
 * @returns {Promise<string | undefined>} the SQLSTATE, where that was refused
 */
export async function dropCached(session, { schema, relation, cache }) {
  try {
    await session.transaction(() => session.run(`SET LOCAL lock_timeout = '${LOCK_MS}ms'; ALTER SEQUENCE ${ident(schema)}.${ident(relation)} CACHE ${cache}`));
    return undefined;
  } catch (error) {
    if (!(error instanceof MigrationError) || !/^(42501|55P03)/.test(error.sqlstate ?? '')) throw error;
    return error.sqlstate;
  }
}

/**
 * @param {Session} session @param {Sequence} sequence @param {bigint} value the next value is to be beyond it
 * @returns {Promise<{moved: boolean, refused?: string}>} `refused`: the SQLSTATE
 */
export async function advance(session, { schema, relation, increment }, value) {
  const name = `${ident(schema)}.${ident(relation)}`;
  const steps = `ceil((${value}::numeric - last_value) / ${increment})`;
  const there = `last_value ${increment > 0n ? '>' : '<'} ${value}`;
  const left = `CASE WHEN is_called THEN ${steps} WHEN ${there} THEN 0 ELSE ${steps} + 1 END`;
  try {
    const jumped = await session.rows(`SELECT setval(${literal(name)}, (last_value + ${increment} * ${steps})::bigint) FROM ${name} WHERE ${left} > ${STEPS}`);
    const [taken] = await session.row(`SELECT count(nextval(${literal(name)})) FROM ${name}, generate_series(1, (${left})::bigint)`);
    return { moved: jumped.length > 0 || taken !== '0' };
  } catch (error) {
    if (!(error instanceof MigrationError) || !/^(42501|22003|2200H|25006)/.test(error.sqlstate ?? '')) throw error;
    return { moved: false, refused: error.sqlstate ?? '' };
  }
}
