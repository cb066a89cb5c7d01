import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { run } from '../../src/sync/run.mjs';
import { Lab, Steps } from '../support/lab.mjs';
import { maskOf } from '../support/masks.mjs';
import { FAST, startServer } from '../support/postgres.mjs';

/** Bad input, and schema changes in the middle. */
const DDL = 'CREATE TABLE a (id bigint PRIMARY KEY, v text, n integer); CREATE TABLE b (id bigint PRIMARY KEY, v text)';
const OPTIONS = { mapping: { version: 1, tables: [{ source: 'public.a' }, { source: 'public.b' }] } };

/** @type {Lab} */
let servers;
let number = 0;
before(async () => void (servers = await Lab.start()));
after(() => servers.remove());

/** @param {string} [ddl] */
async function begun(ddl = DDL) {
  const lab = await servers.fresh(`rules_${(number += 1)}`, ddl);
  await lab.onBlue("INSERT INTO a VALUES (1, 'x', 1); INSERT INTO b VALUES (1, 'x')");
  await lab.untilSynced(OPTIONS);
  return lab;
}

/** Nothing of the change that came along is on green. @param {Lab} lab */
async function assertNothingApplied(lab) {
  assert.equal((await lab.onGreen('SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b) AS n')).rows[0].n, '2');
}

test('a new column on blue is not copied, and reported', async () => {
  const lab = await begun();
  await lab.onBlue("ALTER TABLE a ADD COLUMN extra text DEFAULT 'e'; INSERT INTO a VALUES (2, 'y', 2, 'z'); UPDATE a SET v = 'w' WHERE id = 1");
  const answer = await lab.untilSynced(OPTIONS);
  assert.deepEqual(answer.newColumns, ['public.a.extra']);
  assert.deepEqual((await lab.onGreen('SELECT * FROM a ORDER BY id')).rows, [{ id: '1', v: 'w', n: 1 }, { id: '2', v: 'y', n: 2 }]);
  assert.equal((await lab.verify(OPTIONS)).ok, true);
});

test('a dropped column, a changed type, a dropped table, a table made again: a clear error and nothing half-applied', async () => {
  for (const [change, message] of [
    ['ALTER TABLE a DROP COLUMN v', /column v of blue's table public\.a is gone/],
    ['ALTER TABLE a ALTER COLUMN n TYPE bigint', /type of column n of blue's table public\.a changed/],
    ['ALTER TABLE a RENAME COLUMN v TO w', /column v of blue's table public\.a is gone/],
    ['ALTER TABLE a DROP COLUMN v; ALTER TABLE a ADD COLUMN v text', /column v of blue's table public\.a is another one now/],
    ['ALTER TABLE a ADD COLUMN w text; ALTER TABLE a RENAME COLUMN v TO x; ALTER TABLE a RENAME COLUMN w TO v', /column v of blue's table public\.a is another one now/],
    ['DROP TABLE a', /table public\.a is gone/],
    ['DROP TABLE a; CREATE TABLE a (id bigint PRIMARY KEY, v text, n integer)', /public\.a was dropped and made again/],
  ]) {
    const lab = await begun();
    await lab.onBlue(`INSERT INTO b VALUES (2, 'y'); ${change}`);
    await assert.rejects(lab.run(OPTIONS), { name: 'PermanentError', code: 'SCHEMA_CHANGED', message: /** @type {any} */ (message) });
    await assertNothingApplied(lab);
    await lab.stop(OPTIONS);
  }
});

test('another primary key, another replica identity: told by the catalog, or by the stream when it is back as it was', async () => {
  for (const [change, back, code] of [
    ['ALTER TABLE a DROP CONSTRAINT a_pkey; ALTER TABLE a ADD PRIMARY KEY (n)', '', 'SCHEMA_CHANGED'],
    ['ALTER TABLE a DROP CONSTRAINT a_pkey; ALTER TABLE a ADD PRIMARY KEY (n); UPDATE a SET n = 2', 'ALTER TABLE a DROP CONSTRAINT a_pkey; ALTER TABLE a ADD PRIMARY KEY (id)', 'SCHEMA_CHANGED'],
    ['ALTER TABLE a ALTER n SET NOT NULL; CREATE UNIQUE INDEX u ON a (n); ALTER TABLE a REPLICA IDENTITY USING INDEX u; DELETE FROM a', '', 'REPLICA_IDENTITY'],
    ['ALTER TABLE a ALTER n SET NOT NULL; CREATE UNIQUE INDEX u ON a (n); ALTER TABLE a REPLICA IDENTITY USING INDEX u; DELETE FROM a', 'ALTER TABLE a REPLICA IDENTITY DEFAULT', 'SCHEMA_CHANGED'],
  ]) {
    const lab = await begun();
    await lab.onBlue(/** @type {string} */ (change));
    if (back !== '') await lab.onBlue(/** @type {string} */ (back));
    await assert.rejects(lab.run(OPTIONS), { name: 'PermanentError', code }, change);
    await assertNothingApplied(lab);
    await lab.stop(OPTIONS);
  }
});

test('a label that blue\'s enum gets: green has to have it, and then the run goes on', async () => {
  const ddl = "CREATE TYPE state AS ENUM ('new', 'done'); CREATE TABLE a (id bigint PRIMARY KEY, v state); CREATE TABLE b (id bigint PRIMARY KEY, v text)";
  const lab = await servers.fresh('labels', ddl);
  await lab.onBlue("INSERT INTO a VALUES (1, 'new'); INSERT INTO b VALUES (1, 'x')");
  await lab.untilSynced(OPTIONS);
  await lab.onBlue("ALTER TYPE state ADD VALUE 'failed' BEFORE 'done'");
  await lab.onBlue("INSERT INTO b VALUES (2, 'y'); INSERT INTO a VALUES (2, 'failed')");
  await assert.rejects(lab.run(OPTIONS), { code: 'MAPPING', message: /** @type {any} */ (/"failed"/) });
  await assertNothingApplied(lab);
  await lab.onGreen("ALTER TYPE state ADD VALUE 'failed' BEFORE 'done'");
  await lab.untilSynced(OPTIONS);
  assert.deepEqual((await lab.onGreen('SELECT v FROM a ORDER BY id')).rows, [{ v: 'new' }, { v: 'failed' }]);
});

test('partitions whose columns stand in another order than those of the whole table', async () => {
  const lab = await begun(`CREATE TABLE a (id bigint, v text, n integer, PRIMARY KEY (id)) PARTITION BY RANGE (id); CREATE TABLE a_1 (gone int, n integer, v text, id bigint NOT NULL PRIMARY KEY);
    ALTER TABLE a_1 DROP gone; ALTER TABLE a ATTACH PARTITION a_1 FOR VALUES FROM (0) TO (10); CREATE TABLE a_2 PARTITION OF a DEFAULT; CREATE TABLE b (id bigint PRIMARY KEY, v text)`);
  await lab.onBlue("UPDATE a SET v = 'y', n = 2; INSERT INTO a VALUES (11, 'z', 3); CREATE TABLE a_3 (v text, id bigint NOT NULL PRIMARY KEY, n integer); ALTER TABLE a DETACH PARTITION a_2; DROP TABLE a_2; ALTER TABLE a ATTACH PARTITION a_3 DEFAULT; INSERT INTO a VALUES (13, 'w', 4)");
  await lab.untilSynced(OPTIONS);
  assert.deepEqual((await lab.onGreen('SELECT * FROM a WHERE id <> 11 ORDER BY id')).rows, [{ id: '1', v: 'y', n: 2 }, { id: '13', v: 'w', n: 4 }]);
});

test('what changed and is back as it was is told from the stream', async () => {
  for (const [change, back, exchanged = DDL] of [
    ['ALTER TABLE a ALTER n TYPE text; UPDATE a SET n = 2', 'ALTER TABLE a ALTER n TYPE integer USING 5'],
    ['ALTER TABLE a RENAME v TO w; UPDATE a SET n = 2', 'ALTER TABLE a RENAME w TO v'],
    // Names of one type that were exchanged: the stream has both at this point, each for the other one's column.
    ['ALTER TABLE a RENAME v TO x; ALTER TABLE a RENAME w TO v; ALTER TABLE a RENAME x TO w; UPDATE a SET n = 2', 'ALTER TABLE a RENAME v TO x; ALTER TABLE a RENAME w TO v; ALTER TABLE a RENAME x TO w', `${DDL}; ALTER TABLE a ADD w text`],
  ]) {
    const lab = await begun(exchanged);
    await lab.onBlue(/** @type {string} */ (change));
    await lab.onBlue(/** @type {string} */ (back));
    await assert.rejects(lab.run(OPTIONS), { name: 'PermanentError', code: 'SCHEMA_CHANGED' }, change);
    await assertNothingApplied(lab);
    await lab.stop(OPTIONS);
  }
});

test('a partition that gets another name while it is copied, and one that is dropped', async () => {
  const ddl = `CREATE TABLE a (id bigint PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE a_0 PARTITION OF a FOR VALUES FROM (0) TO (100);
    CREATE TABLE a_1 PARTITION OF a FOR VALUES FROM (100) TO (200); CREATE TABLE a_2 PARTITION OF a DEFAULT`;
  const lab = await servers.fresh('renaming', ddl);
  const options = { mapping: { version: 1, tables: [{ source: 'public.a' }] }, tuning: { chunkRows: 10, rangeRows: 20 } };
  await lab.onBlue('INSERT INTO a SELECT generate_series(0, 299)');
  await run({ ...lab.invocation(options), deadline: new Steps(3) });
  await lab.onBlue('ALTER TABLE a_0 RENAME TO old; ALTER TABLE a_1 RENAME TO older; ALTER TABLE a_2 RENAME TO a_1; TRUNCATE older; DROP TABLE older; CREATE TABLE a_0 PARTITION OF a FOR VALUES FROM (100) TO (200)');
  await lab.onBlue('INSERT INTO a VALUES (150)');
  await lab.untilSynced(options);
  const { rows } = await lab.onGreen('SELECT count(*) FILTER (WHERE id < 100) AS first, count(*) FILTER (WHERE id >= 200) AS rest FROM a');
  assert.deepEqual(rows, [{ first: '100', rest: '100' }]);
});

test('the slot is gone: reported, never re-created silently', async () => {
  const lab = await begun();
  await lab.onBlue('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()');
  await assert.rejects(lab.run(OPTIONS), { code: 'SLOT_LOST' });
  await assert.rejects(lab.verify(OPTIONS), { code: 'SLOT_LOST' });
});

test('a slot that blue invalidated, because it retained too much of the log, is reported', async () => {
  const own = await startServer({ ...FAST, max_slot_wal_keep_size: '1MB', min_wal_size: '32MB', wal_keep_size: '0' });
  try {
    await Promise.all([own.createDatabase('given_up', DDL), servers.green.createDatabase('given_up', DDL)]);
    const lab = new Lab(own, servers.green, 'given_up');
    await lab.untilSynced(OPTIONS);
    await lab.onBlue("INSERT INTO a VALUES (1, 'x', 1)");
    for (let i = 0; i < 4; i += 1) await lab.onBlue('SELECT pg_switch_wal(); INSERT INTO b VALUES (1); DELETE FROM b; CHECKPOINT'.replaceAll('; ', ';'));
    assert.equal((await lab.status(OPTIONS)).slot, 'lost');
    await assert.rejects(lab.run(OPTIONS), { code: 'SLOT_LOST', message: /** @type {any} */ (/invalidated/) });
    await assert.rejects(lab.run(OPTIONS), { code: 'SLOT_LOST' });
    assert.equal((await lab.stop(OPTIONS)).slotDropped, true);
  } finally {
    await own.remove();
  }
});

test('another mapping than the one the migration began with is refused', async () => {
  const lab = await begun();
  await assert.rejects(lab.run({ mapping: { version: 1, tables: [{ source: 'public.a' }] } }), { code: 'MAPPING_CHANGED' });
});

test('green has rows, a table has no key, an unknown column, an odd replica identity, changes that are not logged', async () => {
  const parted = (/** @type {string} */ name) => `CREATE TABLE ${name} (id bigint PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE ${name}_1 PARTITION OF ${name} DEFAULT`;
  const lab = await servers.fresh('refusals', `${DDL}; CREATE TABLE keyless (v text); CREATE TABLE odd (id bigint PRIMARY KEY); ALTER TABLE odd REPLICA IDENTITY NOTHING;
    ${parted('part')}; ALTER TABLE part_1 REPLICA IDENTITY NOTHING; ${parted('volatile')}; ALTER TABLE volatile_1 SET UNLOGGED`);
  const of = (/** @type {object} */ table) => ({ mapping: { version: 1, tables: [table] } });
  await lab.onGreen('INSERT INTO a VALUES (9)');
  await assert.rejects(lab.run(of({ source: 'public.a' })), { code: 'TARGET_NOT_EMPTY', table: 'public.a' });
  await assert.rejects(lab.run(of({ source: 'public.keyless' })), { name: 'PermanentError', message: /primary key/ });
  await assert.rejects(lab.run(of({ source: 'public.b', columns: { v: 'nothere' } })), { name: 'PermanentError', message: /nothere/ });
  await assert.rejects(lab.run(of({ source: 'public.odd' })), { code: 'REPLICA_IDENTITY' });
  await assert.rejects(lab.run(of({ source: 'public.part' })), { code: 'REPLICA_IDENTITY', table: 'public.part_1' });
  await assert.rejects(lab.run(of({ source: 'public.volatile' })), { code: 'UNLOGGED', table: 'public.volatile_1', message: /** @type {any} */ (/^blue's/) });
  await lab.onBlue('ALTER TABLE volatile_1 SET LOGGED');
  await assert.rejects(lab.run(of({ source: 'public.volatile' })), { code: 'UNLOGGED', table: 'public.volatile_1', message: /** @type {any} */ (/^green's/) });
  assert.equal((await lab.onBlue('SELECT count(*) FROM pg_replication_slots WHERE database = current_database()')).rows[0].count, '0');
  await lab.blue.query('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
  await lab.blue.query('latin', DDL);
  await lab.green.createDatabase('latin', DDL);
  await assert.rejects(new Lab(lab.blue, lab.green, 'latin').run(of({ source: 'public.a' })), { code: 'ENCODING' });
});

test('a blue without logical decoding is told what to set, and left as it was', async () => {
  const plain = await startServer({ ...FAST, wal_level: 'replica' });
  try {
    await Promise.all([plain.createDatabase('plain', DDL), servers.green.createDatabase('plain', DDL)]);
    const lab = new Lab(plain, servers.green, 'plain');
    await assert.rejects(lab.run(OPTIONS), { code: 'NO_LOGICAL_DECODING', hint: /** @type {any} */ (/rds\.logical_replication=1/) });
    assert.equal((await lab.onBlue('SELECT count(*) FROM pg_publication')).rows[0].count, '0');
  } finally {
    await plain.remove();
  }
});

test('rows that cannot be brought over go to quarantine, are counted, leave it when they fit, and stop the run past the limit', async () => {
  const lab = await servers.fresh('held', DDL, DDL.replace('v text, n integer', "v text CHECK (v <> 'refused'), n integer"));
  const mapping = { version: 1, limits: { quarantine: 5 }, tables: [{ source: 'public.a', columns: { n: { from: 'n', map: { 1: 10, 2: 20 } } } }, { source: 'public.b' }] };
  const options = { mapping };
  await lab.onBlue("INSERT INTO a SELECT i, 'v', 1 + i % 2 FROM generate_series(1, 3000) i; UPDATE a SET n = 7 WHERE id = 5; UPDATE a SET v = 'refused' WHERE id IN (6, 2500)");
  let answer = await lab.untilSynced(options);
  assert.equal(answer.quarantined, 3);
  const held = async () => (await lab.onGreen('SELECT key, column_name, reason FROM payment_migration.quarantine')).rows;
  const masked = async (/** @type {number} */ id) => JSON.stringify({ id: await maskOf(lab, 'public.a.id', id) });
  const isHeld = async (/** @type {number[]} */ ...ids) =>
    assert.deepEqual((await held()).map((/** @type {{key: string}} */ { key }) => key).sort(), (await Promise.all(ids.map(masked))).sort());
  await isHeld(2500, 5, 6);
  const [five, last] = [await masked(5), await masked(2500)];
  const row = async (/** @type {string} */ mask) => (await held()).find((/** @type {{key: string}} */ { key }) => key === mask);
  assert.equal((await row(five)).column_name, 'n');
  assert.match((await row(last)).reason, /green refuses it: SQLSTATE 23514, constraint a_v_check/);
  assert.equal((await lab.onGreen('SELECT count(*) FROM a')).rows[0].count, '2997');
  let verdict = await lab.verify(options);
  assert.deepEqual([verdict.ok, verdict.verdict, verdict.mismatches, verdict.quarantined], [false, 'held-back', 0, 3]);

  await lab.onBlue("UPDATE a SET n = 2 WHERE id = 5; DELETE FROM a WHERE id = 6; UPDATE a SET v = 'refused' WHERE id = 10; UPDATE a SET n = 9 WHERE id = 11");
  answer = await lab.untilSynced(options);
  await isHeld(10, 11, 2500);
  assert.equal((await lab.onGreen('SELECT count(*) FROM a WHERE id IN (10, 11)')).rows[0].count, '0');

  await lab.onBlue("BEGIN; INSERT INTO a VALUES (9001, 'ok', 1); UPDATE a SET n = 7 WHERE id BETWEEN 20 AND 30; COMMIT");
  await assert.rejects(lab.run(options), { code: 'QUARANTINE_LIMIT', table: 'public.a' });
  assert.equal((await lab.onGreen('SELECT count(*) FROM a WHERE id = 9001')).rows[0].count, '0');
  await lab.onBlue('UPDATE a SET n = 1 WHERE n = 7');
  assert.equal((await lab.untilSynced(options)).quarantined, 3);
  assert.equal((await lab.onGreen('SELECT count(*) FROM a WHERE id = 9001')).rows[0].count, '1');
});
