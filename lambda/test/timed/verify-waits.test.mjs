/** How long blue's application waits while verify compares. It is measured, so it runs when no other test does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';

const ONE = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start(FAST)));
after(() => servers.remove());

test("blue's application waits for no comparison: not to truncate, to alter or to lock a table", async () => {
  const lab = await servers.fresh('waits', 'CREATE TABLE t (name text PRIMARY KEY, v text); CREATE TABLE u (name text PRIMARY KEY, v text)');
  await lab.onBlue("INSERT INTO t SELECT 'n' || i, repeat('v', 100) FROM generate_series(1, 400000) i");
  await lab.untilSynced(ONE);
  let verifying = true;
  /** How long statements that take a table for themselves wait. @param {string} table */
  const altering = async (table) => {
    const client = await lab.blue.connect(lab.database);
    /** @type {number[]} */
    const waits = [];
    for (let n = 0; verifying; n += 1) {
      const began = performance.now();
      await client.query([`ALTER TABLE ${table} SET (fillfactor = 90)`, `BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE; COMMIT`, `ALTER TABLE ${table} ALTER v SET STATISTICS 50`][n % 3] ?? '');
      waits.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
    await client.end();
    return Math.max(...waits);
  };
  const longest = Promise.all([altering('t'), altering('u')]); // u is not compared: it shows what the machine does
  const verdict = await lab.verify(ONE);
  verifying = false;
  const [compared, other] = await longest;
  assert.deepEqual([verdict.mismatches, ['equal', 'incomplete'].includes(verdict.verdict)], [0, true], JSON.stringify(verdict));
  assert.ok(compared < 300 + 3 * other, `waited ${compared} ms, for a table that is not compared ${other} ms`);
});
