/** Blue's application goes on as if there were no migration: nothing of it fails or waits. (That it does not become slow is measured: test/timed/application.test.mjs.) */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PLAIN, assertRefused, assertSame } from '../support/cases.mjs';
import { hook } from '../support/hooks.mjs';
import { Lab } from '../support/lab.mjs';
import { verify } from '../../src/verify/run.mjs';
import { FAST } from '../support/postgres.mjs';
import { Pulse } from '../support/pulse.mjs';
import { Waits } from '../support/waits.mjs';

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '20' })));
after(() => servers.remove());

test('a wait that a migration causes is seen', async () => {
  const lab = await servers.fresh('seen', 'CREATE TABLE t (id int PRIMARY KEY, v text)');
  const [holder, altering, writer] = [await lab.blue.connect(lab.database, { application_name: 'payment-migration' }), await lab.blue.connect(lab.database), await lab.blue.connect(lab.database)];
  const waits = new Waits(lab.blue, lab.database);
  await holder.query('BEGIN; SELECT * FROM t');
  const both = [altering.query('ALTER TABLE t ADD COLUMN w int')];
  while (waits.waits < 1) await sleep(5);
  both.push(writer.query("INSERT INTO t VALUES (1, 'a')"));
  while (waits.waits < 2) await sleep(5); // the writer waits for who alters the table, who waits for the migration
  await sleep(250);
  while (waits.longest < 200) await sleep(5);
  await holder.query('COMMIT');
  await Promise.all(both);
  assert.ok(waits.longest >= 200, `${waits.longest} ms, ${waits.waits} waits`);
  for (const looks = waits.looks; waits.looks < looks + 2; ) await sleep(5); // a look that had begun before tells what was
  waits.reset();
  await altering.query('BEGIN; LOCK TABLE t');
  const waiting = writer.query('INSERT INTO t (id) VALUES (2)');
  for (const looks = waits.looks; waits.looks < looks + 20; ) await sleep(5);
  await altering.query('COMMIT');
  await waiting;
  assert.deepEqual([waits.longest, waits.waits], [0, 0]);
  await waits.stop();
  for (const client of [holder, altering, writer]) await client.end();
});

test('a VACUUM or an index that is being made is not waited for with tables locked: an ALTER TABLE passes', async () => {
  const lab = await servers.fresh('vacuum', 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY, v text)');
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }, { source: 'public.u' }] } };
  const holder = await lab.blue.connect(lab.database);
  await holder.query('BEGIN; LOCK TABLE u IN SHARE UPDATE EXCLUSIVE MODE'); // as VACUUM and CREATE INDEX CONCURRENTLY do
  const running = lab.run({ ...options, seconds: 30 });
  const [client, waits] = [await lab.blue.connect(lab.database), new Waits(lab.blue, lab.database)];
  // The holder does not let go before: a statement that waited for that would wait for ever.
  for (let i = 0; i < 15; i += 1) {
    await client.query("SET statement_timeout = '20s'; ALTER TABLE t ALTER v SET STATISTICS 100; INSERT INTO t VALUES (1, 'a') ON CONFLICT DO NOTHING; UPDATE u SET v = 'x'");
    await sleep(60);
  }
  await holder.query('COMMIT');
  await running;
  await waits.stop();
  await lab.untilSynced(options);
  await assertSame(lab);
  assert.ok(waits.longest < 900 + waits.stall, `${waits.longest} ms, and the machine stood still for ${waits.stall} ms`); // 50 ms of ours; before it waited for the end of the VACUUM
  for (const one of [holder, client]) await one.end();
});

test('missing rights and slots are found before anything is made on blue', async () => {
  const ddl = 'CREATE SCHEMA IF NOT EXISTS s; CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t DEFAULT';
  const lab = await servers.fresh('rights', ddl);
  await lab.onBlue("CREATE ROLE owner_b; CREATE ROLE m LOGIN PASSWORD 'b'; ALTER TABLE t OWNER TO owner_b; INSERT INTO t VALUES (1, 'a'); REVOKE CREATE ON DATABASE rights FROM PUBLIC");
  await lab.onGreen("CREATE ROLE m LOGIN PASSWORD 'g'; ALTER ROLE m SET session_replication_role = replica; GRANT CREATE ON DATABASE rights TO m; REVOKE TEMPORARY ON DATABASE rights FROM PUBLIC");
  lab.logins = { source: { username: 'm', password: 'b' }, target: { username: 'm', password: 'g' } };
  const refused = (/** @type {RegExp} */ message) => assertRefused(lab, PLAIN, { name: 'PermanentError', sqlstate: '42501', message: /** @type {any} */ (message) });
  await refused(/replication slot/);
  await lab.onBlue('ALTER ROLE m REPLICATION');
  await refused(/make a publication/);
  await lab.onBlue('GRANT CREATE ON DATABASE rights TO m');
  await refused(/does not own/);
  await lab.onBlue('GRANT owner_b TO m');
  await refused(/may not read the table public\.t_1/);
  await lab.onBlue('GRANT SELECT ON t_1 TO m; ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY');
  await refused(/row security/);
  await lab.onBlue('ALTER TABLE t DISABLE ROW LEVEL SECURITY; ALTER TABLE t_1 ENABLE ROW LEVEL SECURITY');
  await refused(/row security .*t_1/);
  await lab.onBlue('ALTER TABLE t_1 DISABLE ROW LEVEL SECURITY');
  await refused(/temporary tables/);
  await lab.onGreen('GRANT TEMPORARY ON DATABASE rights TO m; GRANT SELECT, INSERT, DELETE ON t TO m');
  await refused(/lacks UPDATE, TRUNCATE on the table public\.t/);
  await lab.onGreen('GRANT UPDATE, TRUNCATE ON t TO m; REVOKE USAGE ON SCHEMA public FROM PUBLIC');
  await refused(/schema of public\.t/);
  await lab.onGreen('GRANT USAGE ON SCHEMA public TO m');
  await lab.untilSynced(PLAIN);
  await assertSame(lab);
  await lab.stop(PLAIN);

  const none = await servers.fresh('slots', 'CREATE TABLE t (id int PRIMARY KEY, v text)');
  await none.onBlue("SELECT pg_create_physical_replication_slot('taken_' || i) FROM generate_series(1, 20 - (SELECT count(*) FROM pg_replication_slots)) i");
  try {
    await assert.rejects(none.run(PLAIN), { code: 'NO_FREE_SLOT' });
    assert.equal((await none.onBlue('SELECT count(*) FROM pg_publication')).rows[0].count, '0');
  } finally {
    await none.onBlue("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE 'taken_%'");
  }
});

test("verify lets go of blue while green keeps it waiting: for ALTER TABLE, and for an index that is made CONCURRENTLY", async () => {
  for (const [name, statement, verdict] of /** @type {const} */ ([['alter', 'ALTER TABLE t ALTER v SET STATISTICS 100', 'equal'], ['index', 'CREATE INDEX CONCURRENTLY ON u (v)', 'incomplete']])) {
    const lab = await servers.fresh(`lets_go_${name}`, 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY, v text)');
    await lab.onBlue("INSERT INTO t SELECT i, 'v' FROM generate_series(1, 100) i");
    await lab.untilSynced(PLAIN);
    const [holder, client] = [await lab.green.connect(lab.database), await lab.blue.connect(lab.database)];
    // Verify has its snapshots, and begins to compare: green's part of that waits for this.
    let locked = false;
    /** @type {Promise<unknown> | undefined} */
    let locking;
    const invocation = hook(lab.invocation(PLAIN), {
      before: async (sql) => {
        if (!sql.includes('SET TRANSACTION SNAPSHOT')) return;
        await (locking ??= holder.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE'));
        locked = true;
      },
    });
    const comparing = verify(invocation);
    while (!locked || (await lab.onGreen("SELECT count(*)::int AS n FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.application_name ~ '^payment-migration'")).rows[0].n === 0) await sleep(5);
    const pulse = new Pulse(lab.blue);
    await client.query(statement);
    const ms = await pulse.stop();
    await holder.query('COMMIT');
    const answer = await comparing;
    assert.ok(ms < 1_000, `${statement}: ${ms.toFixed(0)} ms`);
    assert.equal(answer.verdict, verdict, JSON.stringify(answer));
    if (name === 'index') assert.match(answer.problems.join(), /CONCURRENTLY/);
    for (const one of [holder, client]) await one.end();
    assert.equal((await lab.verify(PLAIN)).verdict, 'equal');
  }
});

test('a reading of the stream ends after its time, with a transaction; the next one goes on', async () => {
  const lab = await servers.fresh('short_readings', 'CREATE TABLE t (id int PRIMARY KEY, v text)');
  await lab.untilSynced(PLAIN);
  for (let i = 0; i < 20; i += 1) await lab.onBlue(`INSERT INTO t SELECT i, 'v' FROM generate_series(${i * 1000}, ${i * 1000 + 999}) i`);
  lab.lines.length = 0;
  // A reading may take as long as the decoding before it: it waits for a table of green for longer.
  const [holder, began] = [await lab.green.connect(lab.database), performance.now()];
  await holder.query('BEGIN; LOCK TABLE t');
  const running = lab.untilSynced({ ...PLAIN, tuning: { readMs: -1, batchChanges: 50 } });
  while ((await lab.onGreen('SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted')).rows[0].n === 0) await sleep(5);
  await sleep(performance.now() - began);
  await holder.query('COMMIT');
  await holder.end();
  await running;
  const passes = lab.lines.filter((line) => /"message":"followed".*"changes":[1-9]/.test(line));
  assert.ok(passes.length >= 2, `${passes.length} readings`);
  await assertSame(lab, 't', 't::text', 20_000);
});

test('short transactions before a long one: that is not decoded again for each of them', async () => {
  const lab = await servers.fresh('long_after_short', 'CREATE TABLE t (id int PRIMARY KEY, v text)');
  await lab.untilSynced(PLAIN);
  for (let i = 0; i < 40; i += 1) await lab.onBlue(`INSERT INTO t VALUES (${i}, 'short')`);
  await lab.onBlue("INSERT INTO t SELECT i, 'long' FROM generate_series(1000, 80999) i");
  lab.lines.length = 0;
  await lab.untilSynced({ ...PLAIN, tuning: { readMs: 1 } });
  const passes = lab.lines.filter((line) => /"message":"followed".*"changes":[1-9]/.test(line));
  assert.ok(passes.length < 10, `${passes.length} readings`);
  await assertSame(lab, 't', 't::text', 80_040);
});
