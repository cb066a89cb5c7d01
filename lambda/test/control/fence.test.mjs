/** The fence: who is stopped, who is not, what it waits for, and that it ends by itself. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { STATES, raiseFence, readFence, removeTriggers, setFence } from '../../src/sync/fence.mjs';
import { open } from '../../src/sync/context.mjs';
import { PLAIN } from '../support/cases.mjs';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { Pulse } from '../support/pulse.mjs';

/** @type {Lab} */
let servers;
let number = 0;
before(async () => void (servers = await Lab.start({ ...FAST, max_prepared_transactions: '5' })));
after(() => servers.remove());

const DDL = `CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a');
  CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (100);
  CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id); CREATE TABLE p_2_1 PARTITION OF p_2 FOR VALUES FROM (100) TO (150); CREATE TABLE other (id int)`;
const refused = { code: '25006' };

/** A database, a session of ours on it, and the fence around `t` and `p`. */
async function fenced() {
  const lab = await servers.fresh(`fence_${(number += 1)}`, DDL, '');
  const session = await open(lab.invocation(PLAIN), 'source');
  const rows = await session.rows("SELECT oid FROM pg_class WHERE relname IN ('t', 'p') AND relnamespace = 'public'::regnamespace");
  const roots = rows.map(([oid]) => ({ oid: Number(oid) }));
  const raise = (/** @type {string} */ state) => raiseFence(session, roots, { state, pair: 'x', marker: randomUUID(), allows: () => true });
  return { lab, session, roots, raise, state: async () => (await readFence(session, roots)).state };
}

test('it stops every way to write, of tables and of their partitions, and no reader, no other table and no stream', async () => {
  const { lab, session, roots, raise, state } = await fenced();
  assert.equal(await state(), 'none');
  const client = await lab.blue.connect(lab.database);
  await client.query('PREPARE put(int) AS INSERT INTO t VALUES ($1); EXECUTE put(5)');
  const repeatable = await lab.blue.connect(lab.database);
  await repeatable.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t');
  await raise(STATES.closed);
  assert.deepEqual(await readFence(session, roots), { state: 'closed', seconds: null, complete: true, lapsed: false });
  await assert.rejects(repeatable.query('UPDATE t SET v = v'), refused); // its snapshot is older than the fence
  await repeatable.query('ROLLBACK');
  for (const statement of ["INSERT INTO t VALUES (2, 'b')", 'UPDATE t SET v = v', 'DELETE FROM t WHERE false', 'TRUNCATE t', 'INSERT INTO p VALUES (1)', 'INSERT INTO p_1 VALUES (2)', 'INSERT INTO p_2 VALUES (101)',
    'INSERT INTO p_2_1 VALUES (101)', 'TRUNCATE p_2_1', 'BEGIN READ WRITE; UPDATE p SET v = v; COMMIT', 'WITH x AS (INSERT INTO t VALUES (3) RETURNING id) SELECT * FROM x', 'INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING',
    "DO $$ BEGIN DELETE FROM t; END $$"])
    await assert.rejects(lab.onBlue(statement), refused, statement);
  await assert.rejects(client.query('EXECUTE put(6)'), refused);
  await lab.onBlue('SELECT * FROM t; SELECT * FROM p; INSERT INTO other VALUES (1); SELECT * FROM t FOR UPDATE');
  await lab.onBlue("SET session_replication_role = replica; INSERT INTO t VALUES (7, 'stream'); INSERT INTO p VALUES (7)");
  await setFence(session, STATES.open);
  assert.equal(await state(), 'open');
  await client.query('EXECUTE put(8)');
  await lab.onBlue('INSERT INTO p VALUES (8), (149)');
  assert.equal(await removeTriggers(session, roots, 'DROP'), 0);
  assert.equal(await state(), 'none');
  for (const one of [client, repeatable]) await one.end();
  await session.close();
});

test('it waits for a transaction that has written, up to its limit, and gives up without a trace', async () => {
  const { lab, session, raise, state } = await fenced();
  const [writer, reader] = [await lab.blue.connect(lab.database), await lab.blue.connect(lab.database)];
  await writer.query("BEGIN; UPDATE t SET v = 'w'");
  await reader.query('BEGIN; SELECT * FROM t; SELECT * FROM p');
  let [worst, waited, over] = [0, 0, false];
  const raising = assert.rejects(raise(STATES.closed), { code: 'FENCE_NOT_RAISED', message: /** @type {any} */ (/5 times/) }).finally(() => (over = true));
  while (!over) {
    const pulse = new Pulse(lab.green);
    await lab.onBlue("UPDATE t SET v = 'x' WHERE id = 99; UPDATE p SET v = 'x'"); // others wait no longer than one try
    const took = await pulse.stop();
    [worst, waited] = [Math.max(worst, took), waited + (took > 100 ? 1 : 0)];
    await sleep(20);
  }
  await raising;
  assert.ok(worst < 1_500 && waited > 0, `${worst} ms, ${waited} have waited`);
  assert.equal(await state(), 'none');
  await writer.query('COMMIT');
  await writer.query("BEGIN; UPDATE p SET v = 'w'; PREPARE TRANSACTION 'held'");
  await assert.rejects(raise(STATES.closed), { code: 'FENCE_NOT_RAISED' });
  await writer.query("COMMIT PREPARED 'held'");
  // One that ends in time is waited for: its rows are before the fence. Readers hold nothing up.
  await writer.query("BEGIN; INSERT INTO t VALUES (50, 'in time')");
  const raised = raise(STATES.closed);
  while ((await reader.query('SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted')).rows[0].n === 0) await sleep(5);
  await writer.query('COMMIT');
  assert.ok((await raised).tries <= 2);
  assert.equal((await lab.onBlue('SELECT count(*)::int AS n FROM t WHERE id = 50')).rows[0].n, 1);
  for (const one of [writer, reader]) await one.end();
  await session.close();
});

test('it opens by itself at its deadline, and closes by itself at the end of a lease', async () => {
  const { lab, session, roots, raise, state } = await fenced();
  const now = async () => (await session.row('SELECT clock_timestamp()'))[0] ?? '';
  const seconds = async (/** @type {string} */ since) => Number((await session.row('SELECT extract(epoch FROM clock_timestamp() - $1::timestamptz)', [since]))[0]);
  const becomes = async (/** @type {string} */ wanted) => {
    while ((await state()) !== wanted) await sleep(10);
  };
  await raise(STATES.closedFor(60));
  const fence = await readFence(session, roots);
  assert.ok(fence.state === 'closed-until' && Number(fence.seconds) > 0 && Number(fence.seconds) <= 60, JSON.stringify(fence));
  await assert.rejects(lab.onBlue('UPDATE t SET v = v'), refused);
  let moment = await now();
  await setFence(session, STATES.closedFor(0.4));
  await becomes('open');
  assert.ok((await seconds(moment)) >= 0.4);
  await lab.onBlue('UPDATE t SET v = v');
  moment = await now();
  await setFence(session, STATES.openUntil(moment, 60_000));
  assert.equal(await state(), 'open-until');
  await lab.onBlue('UPDATE t SET v = v');
  await setFence(session, STATES.openUntil(moment, 400));
  await becomes('closed');
  assert.ok((await seconds(moment)) >= 0.4);
  await assert.rejects(lab.onBlue('UPDATE t SET v = v'), refused);
  await session.close();
});

test('a partition that is made later is closed with the next raising, and an incomplete fence is told', async () => {
  const { lab, session, roots, raise } = await fenced();
  await raise(STATES.closed);
  await lab.onBlue('CREATE TABLE p_3 PARTITION OF p FOR VALUES FROM (200) TO (300)');
  assert.equal((await readFence(session, roots)).complete, false);
  await raise(STATES.closed);
  assert.equal((await readFence(session, roots)).complete, true);
  await assert.rejects(lab.onBlue('INSERT INTO p_3 VALUES (201)'), refused);
  await session.close();
});
