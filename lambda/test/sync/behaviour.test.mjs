import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../support/lab.mjs';
import { FAST, startServer } from '../support/postgres.mjs';
import { Writers } from '../support/writers.mjs';

const DDL = 'CREATE TABLE t (id bigint PRIMARY KEY, v text)';
const MAPPING = { version: 1, tables: [{ source: 'public.t' }] };
const OPTIONS = { mapping: MAPPING };
const rows = (/** @type {number} */ n) => `INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, ${n}) i`;

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start()));
after(() => servers.remove());

/** @param {Lab} lab */
async function assertSame(lab) {
  const sql = 'SELECT t::text AS row FROM t ORDER BY id';
  const [blue, green] = await Promise.all([lab.onBlue(sql), lab.onGreen(sql)]);
  assert.deepEqual(green.rows, blue.rows);
}

/** @param {Lab} lab */
const lastRun = (lab) => JSON.parse(/** @type {string} */ (lab.lines.filter((line) => line.includes('"message":"run"')).at(-1)));

test('failover of either side in the middle is survived within the invocation', async () => {
  const own = await Lab.start();
  try {
    const lab = await own.fresh('failover', DDL);
    await lab.onBlue(rows(20_000));
    const options = { ...OPTIONS, tuning: { chunkRows: 500, rangeRows: 2000, batchChanges: 50, commitChanges: 100 } };
    const writers = new Writers(lab);
    try {
      for (let i = 0; i < 3; i += 1)
        writers.start([async (c, r) => void (await c.query('INSERT INTO t VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET v = excluded.v', [r(30_000), `w${r(1e6)}`]))], { pauseMs: 4 });
      const first = lab.run(options);
      await sleep(250);
      await lab.green.stop('immediate');
      await sleep(300);
      await lab.green.start();
      assert.ok((await first).status);
      const second = lab.untilSynced(options);
      await sleep(150);
      await lab.blue.stop('fast');
      await sleep(300);
      await lab.blue.start();
      await second;
      await sleep(300);
    } finally {
      await writers.stop();
    }
    await lab.untilSynced(options);
    await assertSame(lab);
    assert.ok(lab.lines.some((line) => line.includes('a transient failure, trying again')));
  } finally {
    await own.remove();
  }
});

test('a permanent failure is told at once, a transient one when the attempts are used up', async () => {
  const lab = await servers.fresh('refused', DDL);
  const wrong = lab.invocation(OPTIONS);
  wrong.config.target.database = 'nowhere';
  const { run } = await import('../../src/sync/run.mjs');
  await assert.rejects(run(wrong), { name: 'PermanentError', sqlstate: '3D000' });
  const unreachable = lab.invocation({ ...OPTIONS, seconds: 2 });
  unreachable.config.target.port = 1;
  await assert.rejects(run(unreachable), { name: 'TransientError', code: 'ECONNREFUSED' });
});

test('it stops before the deadline and goes on from there', async () => {
  const lab = await servers.fresh('deadline', DDL);
  await lab.onBlue(rows(60_000));
  const options = { ...OPTIONS, tuning: { chunkRows: 200, rangeRows: 1000, batchChanges: 200, batchBytes: 20_000, commitChanges: 400 } };
  const untilSynced = async (/** @type {number} */ seconds) => {
    for (let runs = 1; runs < 300; runs += 1) {
      const answer = await lab.run({ ...options, seconds });
      if (answer.status === 'synced') return { runs, answer };
    }
    throw new Error('no progress');
  };
  let { runs, answer } = await untilSynced(2.75); // a reserve of 2.5 seconds is kept for the end
  assert.ok(runs > 1, `${runs} runs`);
  assert.equal(answer.rowsCopied, 60_000);
  await assertSame(lab);

  // One transaction of blue that takes several invocations.
  await lab.onBlue("UPDATE t SET v = v || 'x'");
  ({ runs, answer } = await untilSynced(2));
  assert.ok(runs > 1, `${runs} runs`);
  assert.equal(answer.changesApplied, 60_000);
  await assertSame(lab);
});

test('a long transaction on blue holds up the beginning: the run ends in time and the next one goes on', async () => {
  const lab = await servers.fresh('waiting', DDL);
  const long = await lab.blue.connect('waiting');
  await long.query("BEGIN; INSERT INTO t VALUES (1, 'late')");
  const began = Date.now();
  const answer = await lab.run({ ...OPTIONS, seconds: 1 });
  assert.deepEqual([answer.status, answer.phase, Date.now() - began < 4500], ['continue', 'starting', true]);
  await long.query('COMMIT');
  await long.end();
  await lab.untilSynced(OPTIONS);
  await assertSame(lab);
});

test('one run at a time; a lock whose run is long dead is taken over', async () => {
  const lab = await servers.fresh('lock', DDL);
  await lab.run(OPTIONS);
  const other = await lab.green.connect('lock', { application_name: `payment-migration until ${Date.now() + 60_000}` });
  await other.query(`SELECT pg_advisory_lock(hashtext('payment_migration'), 1)`);
  await assert.rejects(lab.run(OPTIONS), { name: 'BusyError', code: 'BUSY' });
  await other.query(`SET application_name = 'payment-migration until ${Date.now() - 60_000}'`);
  assert.equal((await lab.run(OPTIONS)).status, 'synced');
});

test('stop drops slot and publication, twice without harm, and with green gone', async () => {
  const lab = await servers.fresh('stopping', DDL);
  await lab.onBlue(rows(10));
  await lab.run(OPTIONS);
  assert.equal((await lab.status(OPTIONS)).slot, 'active');
  const left = () => lab.onBlue('SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database())::int + (SELECT count(*) FROM pg_publication)::int AS n');
  const stopped = { status: 'stopped', slotDropped: true, publicationDropped: true, targetReached: true };
  assert.deepEqual(await lab.stop(OPTIONS), stopped);
  assert.deepEqual(await lab.stop(OPTIONS), { ...stopped, slotDropped: false, publicationDropped: false });
  assert.equal((await left()).rows[0].n, 0);
  await assert.rejects(lab.run(OPTIONS), { code: 'TARGET_NOT_EMPTY', table: 'public.t' });
  await lab.onGreen('TRUNCATE t');
  await lab.untilSynced(OPTIONS);
  await assertSame(lab);

  const vanishing = await startServer(FAST);
  const pair = new Lab(lab.blue, vanishing, 'stopping');
  await vanishing.createDatabase('stopping', DDL);
  await pair.run(OPTIONS);
  await vanishing.remove();
  assert.deepEqual(await pair.stop({ ...OPTIONS, seconds: 3 }), { ...stopped, targetReached: false });
  await lab.stop(OPTIONS);
  assert.equal((await left()).rows[0].n, 0);
});

test('an idle run reads little, whatever the size of the table; a run with k changes reads in proportion to k', async () => {
  const lab = await servers.fresh('idle', DDL);
  await lab.onBlue(rows(100_000));
  await lab.untilSynced(OPTIONS);
  const bytes = async (/** @type {number} */ k) => {
    await lab.onBlue(`UPDATE t SET v = 'abcdefghij' WHERE id <= ${k}`);
    await lab.run(OPTIONS);
    return lastRun(lab).bytes;
  };
  await bytes(0);
  const idle = await bytes(0);
  assert.ok(idle < 64 * 1024, `${idle} bytes`);
  assert.ok(lastRun(lab).ms <= 300, `${lastRun(lab).ms} ms`);
  const [one, two, four] = [(await bytes(2000)) - idle, (await bytes(4000)) - idle, (await bytes(8000)) - idle];
  assert.ok(Math.abs(two / one - 2) < 0.1 && Math.abs(four / one - 4) < 0.2, `${one} ${two} ${four}`);
});

test('memory stays flat: large rows, a large table, one large transaction', async () => {
  const lab = await servers.fresh('memory', 'CREATE TABLE t (id bigint PRIMARY KEY, v text, w text)');
  await lab.onBlue(`INSERT INTO t SELECT i, md5(i::text), repeat('x', 200) FROM generate_series(1, 250000) i; INSERT INTO t SELECT -i, repeat('y', 1000000), '' FROM generate_series(1, 120) i`);
  const mapping = { version: 1, tables: [{ source: 'public.t', columns: { w: { from: 'w', cast: 'text', ifNull: '-' } } }] };
  const rss = async () => {
    const { code, output } = await lab.spawnRun({ mapping, seconds: 120 }).ended;
    assert.equal(code, 0, output);
    const { answer, maxRss } = JSON.parse(/** @type {string} */ (output.trim().split('\n').at(-1)));
    assert.equal(answer.status, 'synced');
    return maxRss / 1024;
  };
  const copying = await rss();
  await lab.onBlue(`UPDATE t SET w = 'changed' WHERE id <= 150000; UPDATE t SET v = repeat('z', 1000000) WHERE id < 0`);
  const following = await rss();
  assert.ok(copying < 256 && following < 256, `${copying.toFixed(0)} MB, ${following.toFixed(0)} MB`);
  const sum = 'SELECT count(*), sum(hashtextextended(t::text, 0)) AS sum FROM t';
  assert.deepEqual((await lab.onGreen(sum)).rows, (await lab.onBlue(sum)).rows);
});
