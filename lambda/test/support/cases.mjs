/** What the field cases have in common: one table `t` unless said, and both sides compared by their text. */
import assert from 'node:assert/strict';

/** @param {object} [table] @param {object} [more] @returns {import('./lab.mjs').Options} */
export const mapped = (table = {}, more = {}) => ({ mapping: { version: 1, tables: [{ source: 'public.t', ...table }], ...more } });
export const PLAIN = mapped();

/** @param {import('./lab.mjs').Lab} lab @param {string} [table] @param {string} [columns] @param {number} [atLeast] rows */
export async function assertSame(lab, table = 't', columns = 't::text', atLeast = 1) {
  const sql = `SELECT ${columns} AS row FROM ${table} t ORDER BY 1`;
  const [blue, green] = await Promise.all([lab.onBlue(sql), lab.onGreen(sql)]);
  assert.ok(blue.rows.length >= atLeast, `${blue.rows.length} rows on blue`);
  assert.deepEqual(green.rows, blue.rows);
}

/** @param {import('./lab.mjs').Lab} lab @param {string} [table] */
export async function assertEqualVerdict(lab, options = PLAIN, table = 't', atLeast = 1) {
  await assertSame(lab, table, 't::text', atLeast);
  const verdict = await lab.verify(options);
  assert.equal(verdict.verdict, 'equal', JSON.stringify(verdict.tables));
}

/** Refused before anything was made on blue. @param {import('./lab.mjs').Lab} lab @param {import('./lab.mjs').Options} options @param {object} error */
export async function assertRefused(lab, options, error) {
  await assert.rejects(lab.run(options), error);
  await assertNothingLeft(lab);
}

/** @param {import('./lab.mjs').Lab} lab */
export async function assertNothingLeft(lab) {
  const { rows } = await lab.onBlue(`SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())::int AS slots, (SELECT count(*) FROM pg_publication)::int AS publications,
    (SELECT count(*) FROM pg_largeobject_metadata)::int AS objects`);
  assert.deepEqual(rows, [{ slots: 0, publications: 0, objects: 0 }]);
}
