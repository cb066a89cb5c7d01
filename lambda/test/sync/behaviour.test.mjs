import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadline } from '../../src/lib/deadline.mjs';
import { run } from '../../src/sync/run.mjs';
import { atLine } from '../support/hooks.mjs';
import { Lab, Steps } from '../support/lab.mjs';
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
    /** At the line of the run's log the server falls silent before the run can go on, and then ends. @param {RegExp} line @param {import('../support/postgres.mjs').Server} server @param {'fast' | 'immediate'} mode */
    const failingOver = async (line, server, mode) => {
      const from = lab.lines.length;
      /** @type {() => void} */
      let reached = () => {};
      const moment = /** @type {Promise<void>} */ (new Promise((resolve) => (reached = resolve)));
      /** @type {(() => void) | undefined} */
      let thaw;
      const invocation = atLine(lab.invocation(options), line, () => {
        thaw ??= server.freeze();
        reached();
      });
      const going = run(invocation);
      await Promise.race([moment, going]);
      const stopped = server.stop(mode); // it has the signal, and so have its children, before they go on
      await sleep(100);
      thaw?.();
      await stopped;
      await server.start();
      assert.ok((await going).status);
      assert.ok(lab.lines.slice(from).some((one) => one.includes('a transient failure, trying again')), `${line}`);
    };
    try {
      for (let i = 0; i < 3; i += 1)
        writers.start([async (c, r) => void (await c.query('INSERT INTO t VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET v = excluded.v', [r(30_000), `w${r(1e6)}`]))], { pauseMs: 4 });
      await failingOver(/^copied$/, lab.green, 'immediate'); // green, while rows are copied
      await failingOver(/^connected$/, lab.blue, 'fast');
      await failingOver(/^connected$/, lab.green, 'fast');
    } finally {
      await writers.stop();
    }
    await lab.untilSynced(options);
    await assertSame(lab);
    // and blue, in the middle of a COPY
    await lab.stop(options);
    await lab.onGreen('TRUNCATE t');
    await failingOver(/^copied$/, lab.blue, 'immediate');
    await lab.untilSynced(options);
    await assertSame(lab);
  } finally {
    await own.remove();
  }
});

test('a permanent failure is told at once, a transient one when the attempts are used up', async () => {
  const lab = await servers.fresh('refused', DDL);
  const wrong = lab.invocation(OPTIONS);
  wrong.config.target.database = 'nowhere';
  await assert.rejects(run(wrong), { name: 'PermanentError', sqlstate: '3D000' });
  const unreachable = lab.invocation({ ...OPTIONS, seconds: 2 });
  unreachable.config.target.port = 1;
  await assert.rejects(run(unreachable), { name: 'TransientError', code: 'ECONNREFUSED' });
});

test('it stops when the time is up, wherever it is, and the next run resumes from there', async () => {
  const lab = await servers.fresh('deadline', DDL);
  await lab.onBlue(rows(8_000));
  const options = { ...OPTIONS, tuning: { chunkRows: 200, rangeRows: 1000, batchChanges: 200, batchBytes: 20_000, commitChanges: 400 } };
  const untilSynced = async () => {
    for (let runs = 1; runs < 1000; runs += 1) {
      const answer = await run({ ...lab.invocation(options), deadline: new Steps(4 + (runs % 5)) });
      if (answer.status === 'synced') return { runs, answer };
      assert.equal(answer.status, 'continue');
    }
    throw new Error('no progress');
  };
  let { runs, answer } = await untilSynced();
  assert.ok(runs > 5, `${runs} runs`);
  assert.equal(answer.rowsCopied, 8_000);
  await assertSame(lab);

  // One transaction of blue that takes several invocations.
  await lab.onBlue("UPDATE t SET v = v || 'x'");
  ({ runs, answer } = await untilSynced());
  assert.ok(runs > 5, `${runs} runs`);
  assert.equal(answer.changesApplied, 8_000);
  await assertSame(lab);
});

test('it answers before the invocation would be ended', async () => {
  const lab = await servers.fresh('answering', DDL);
  await lab.onBlue(rows(200_000));
  const slow = { ...OPTIONS, tuning: { rangeRows: 1 } }; // as many questions to blue as there are rows
  const deadline = Deadline.of({ getRemainingTimeInMillis: () => 9_000 });
  const began = Date.now();
  assert.equal((await run({ ...lab.invocation(slow), deadline })).status, 'continue');
  assert.ok(Date.now() - began < 9_000, `${Date.now() - began} ms`);
});

test('a long transaction on blue holds up the beginning: the run ends in time and the next one goes on', async () => {
  const lab = await servers.fresh('waiting', DDL);
  const long = await lab.blue.connect('waiting');
  await long.query("BEGIN; INSERT INTO t VALUES (1, 'late')");
  const answer = await lab.run({ ...OPTIONS, seconds: 6 });
  assert.deepEqual([answer.status, answer.phase], ['continue', 'starting']);
  assert.ok(lab.lines.some((line) => /waits for blue's running transactions.*"transactions":1,"ms":\d/.test(line)), lab.lines.join('\n'));
  await long.query('COMMIT');
  await long.end();
  await lab.untilSynced(OPTIONS);
  await assertSame(lab);
});

test('killed while it waits for the slot: stop leaves nothing on blue', async () => {
  const lab = await servers.fresh('waiting_killed', DDL);
  const long = await lab.blue.connect('waiting_killed');
  await long.query('BEGIN; INSERT INTO t VALUES (1)');
  const slots = async () => (await lab.onBlue("SELECT slot_name FROM pg_replication_slots WHERE database = 'waiting_killed'")).rows;
  const { child, ended } = lab.spawnRun(OPTIONS);
  while ((await slots()).length === 0) await sleep(5);
  child.kill('SIGKILL');
  await ended;
  await lab.stop(OPTIONS);
  assert.deepEqual(await slots(), []);
  assert.equal((await lab.onBlue('SELECT count(*) FROM pg_publication')).rows[0].count, '0');
  await long.query('COMMIT');
  await long.end();
  await lab.untilSynced(OPTIONS);
  await assertSame(lab);
});

test('what a quiet blue has not written to disk yet is not waited for in vain', async () => {
  const quiet = await startServer({ ...FAST, wal_writer_delay: '10s' });
  try {
    await Promise.all([quiet.createDatabase('quiet', DDL), servers.green.createDatabase('quiet', DDL)]);
    const lab = new Lab(quiet, servers.green, 'quiet');
    await lab.onBlue(rows(3_000));
    await run({ ...lab.invocation({ ...OPTIONS, tuning: { rangeRows: 100 } }), deadline: new Steps(5) });
    await lab.onBlue("SELECT pg_logical_emit_message(false, 'not', 'flushed')");
    const answer = await lab.run(OPTIONS);
    assert.deepEqual([answer.status, answer.consistent], ['synced', true]);
    assert.equal((await lab.verify(OPTIONS)).verdict, 'equal');
  } finally {
    await quiet.remove();
  }
});

test('one run at a time; a lock whose run is long dead is taken over', async () => {
  const lab = await servers.fresh('lock', DDL);
  await lab.run(OPTIONS);
  const other = await lab.green.connect('lock', { application_name: `payment-migration until ${Date.now() + 60_000}` });
  await other.query(`SELECT pg_advisory_lock(hashtext('payment_migration'), 1)`);
  await assert.rejects(lab.run(OPTIONS), { name: 'BusyError', code: 'BUSY' });
  await other.query(`SET application_name = 'payment-migration until ${Date.now() - 60_000}'`);
  assert.equal((await lab.run(OPTIONS)).status, 'synced');
  await lab.onBlue(rows(6_000));
  const both = await Promise.allSettled([1, 2].map(() => run({ ...lab.invocation({ ...OPTIONS, tuning: { batchChanges: 100, commitChanges: 100 } }) })));
  assert.ok(both.some(({ status }) => status === 'fulfilled'));
  for (const one of both) if (one.status === 'rejected') assert.equal(one.reason.code, 'BUSY');
  await lab.untilSynced(OPTIONS);
  await assertSame(lab);
});

test('stop in the middle of the copy; started again, everything is copied again', async () => {
  const lab = await servers.fresh('halfway', DDL);
  await lab.onBlue(rows(5_000));
  const few = { ...lab.invocation({ ...OPTIONS, tuning: { chunkRows: 100, rangeRows: 1000 } }), deadline: new Steps(8) };
  assert.deepEqual([(await run(few)).phase, (await lab.status(OPTIONS)).phase], ['copying', 'copying']);
  await lab.onBlue('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()');
  await assert.rejects(lab.run(OPTIONS), { code: 'SLOT_LOST' }); // now, not when all is copied
  await lab.stop(OPTIONS);
  await lab.onBlue('DELETE FROM t WHERE id % 2 = 0');
  await assert.rejects(lab.run(OPTIONS), { code: 'TARGET_NOT_EMPTY' });
  await lab.onGreen('TRUNCATE t');
  const answer = await lab.untilSynced(OPTIONS);
  assert.deepEqual([answer.rowsCopied, answer.changesApplied], [2_500, 0]);
  await assertSame(lab);
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
  assert.deepEqual(await pair.stop({ ...OPTIONS, seconds: 30 }), { ...stopped, targetReached: false });
  await lab.stop(OPTIONS);
  assert.equal((await left()).rows[0].n, 0);
});

test('an idle run reads little, whatever the size of the table; a run with k changes reads in proportion to k', async () => {
  const lab = await servers.fresh('idle', DDL);
  await lab.onBlue(rows(30_000));
  await lab.untilSynced(OPTIONS);
  const bytes = async (/** @type {number} */ k) => {
    await lab.onBlue(`UPDATE t SET v = 'abcdefghij' WHERE id <= ${k}`);
    await lab.run(OPTIONS);
    return lastRun(lab).bytes;
  };
  await bytes(0);
  const idle = await bytes(0);
  assert.ok(idle < 64 * 1024, `${idle} bytes`);
  const [one, two, four] = [(await bytes(2000)) - idle, (await bytes(4000)) - idle, (await bytes(8000)) - idle];
  assert.ok(Math.abs(two / one - 2) < 0.1 && Math.abs(four / one - 4) < 0.2, `${one} ${two} ${four}`);
});

test('memory stays flat: large rows, a large table, one large transaction', async () => {
  const lab = await servers.fresh('memory', 'CREATE TABLE t (id bigint PRIMARY KEY, v text, w text); ALTER TABLE t ALTER v SET STORAGE EXTERNAL');
  await lab.onBlue(`INSERT INTO t SELECT i, md5(i::text), repeat('x', 200) FROM generate_series(1, 200000) i; INSERT INTO t SELECT -i, repeat('y', 1000000), '' FROM generate_series(1, 80) i`);
  const mapping = { version: 1, tables: [{ source: 'public.t', columns: { w: { from: 'w', cast: 'text', ifNull: '-' } } }] };
  const rss = async () => {
    const { code, output } = await lab.spawnRun({ mapping, seconds: 300 }, { whole: true }).ended;
    assert.equal(code, 0, output);
    const { answer, maxRss } = JSON.parse(/** @type {string} */ (output.trim().split('\n').at(-1)));
    assert.equal(answer.status, 'synced');
    return maxRss / 1024;
  };
  const copying = await rss();
  await lab.onBlue(`UPDATE t SET w = 'changed' WHERE id <= 120000; UPDATE t SET v = repeat('z', 1000000) WHERE id < 0`);
  const following = await rss();
  assert.ok(copying < 256 && following < 256, `${copying.toFixed(0)} MB, ${following.toFixed(0)} MB`);
  const sum = 'SELECT count(*), sum(hashtextextended(t::text, 0)) AS sum FROM t';
  assert.deepEqual((await lab.onGreen(sum)).rows, (await lab.onBlue(sum)).rows);
});
