/** Keys that PostgreSQL treats otherwise than a plain primary key: checked late, stored out of line, of types with operators of their own, under domains. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { run } from '../../src/sync/run.mjs';
import { PLAIN, assertEqualVerdict, assertNothingLeft, assertRefused, assertSame } from '../support/cases.mjs';
import { Lab, Steps } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';

/** @type {Lab} */
let servers;
let number = 0;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '100' })));
after(() => servers.remove());

/** @param {string} ddl @param {string} [greenDdl] */
const fresh = (ddl, greenDdl = ddl) => servers.fresh(`keys_${(number += 1)}`, ddl, greenDdl);

test('a key that cannot identify rows in the log is refused before the table is published, and the application goes on writing', async () => {
  for (const ddl of [
    'CREATE TABLE t (id bigint PRIMARY KEY DEFERRABLE, v text)',
    'CREATE TABLE t (id bigint PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text)',
    'CREATE TABLE t (id bigint PRIMARY KEY DEFERRABLE, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t DEFAULT',
    // The partition of today would do; one that is made tomorrow gets the default identity again.
    'CREATE TABLE t (id bigint PRIMARY KEY DEFERRABLE, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t DEFAULT; ALTER TABLE t_1 REPLICA IDENTITY FULL',
    'CREATE TABLE t (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t DEFAULT; ALTER TABLE t_1 REPLICA IDENTITY NOTHING',
  ]) {
    const lab = await fresh(ddl, 'CREATE TABLE t (id bigint PRIMARY KEY, v text)');
    await lab.onBlue("INSERT INTO t VALUES (1, 'a')");
    await assertRefused(lab, PLAIN, { name: 'PermanentError', code: 'REPLICA_IDENTITY' });
    await lab.onBlue("UPDATE t SET v = 'x'; DELETE FROM t");
  }
});

test('a key checked late will do with the full row as identity: rows take each other\'s keys within a statement', async () => {
  const ddl = 'CREATE TABLE t (id bigint PRIMARY KEY DEFERRABLE, v text, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL; ALTER TABLE t REPLICA IDENTITY FULL';
  const lab = await fresh(ddl);
  await lab.onBlue("INSERT INTO t SELECT i, 'v' || i, repeat(chr(97 + i % 26), 3000) FROM generate_series(1, 400) i");
  await lab.untilSynced(PLAIN);
  const small = { ...PLAIN, tuning: { batchChanges: 30, commitChanges: 50 } };
  await lab.onBlue("UPDATE t SET id = id + 1; UPDATE t SET v = 'w' WHERE id % 3 = 0; UPDATE t SET id = 403 - id; DELETE FROM t WHERE id = 7");
  await lab.onBlue("BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO t VALUES (10, 'twin', 'b'); DELETE FROM t WHERE id = 10 AND v <> 'twin'; UPDATE t SET id = id - 1000 WHERE id > 390; COMMIT");
  await lab.untilSynced(small);
  await assertSame(lab, 't', 't::text', 300);
  await lab.onBlue("BEGIN; UPDATE t SET id = id + 1000; TRUNCATE t; SET CONSTRAINTS ALL DEFERRED; INSERT INTO t VALUES (1, 'a', 'b'), (2, 'a', 'b'); UPDATE t SET id = 3 - id; COMMIT");
  await lab.untilSynced(small);
  await assertEqualVerdict(lab);
  await lab.onBlue("UPDATE t SET v = 'the application still writes'");
});

test('a key checked late: a transaction that does not fit into memory ends the run with what to do, and the application goes on', async () => {
  const lab = await fresh('CREATE TABLE t (id bigint PRIMARY KEY DEFERRABLE, v text); ALTER TABLE t REPLICA IDENTITY FULL');
  await lab.onBlue("INSERT INTO t SELECT i, repeat('v', 100000) FROM generate_series(1, 200) i");
  await lab.untilSynced(PLAIN);
  await lab.onBlue('UPDATE t SET id = id + 1 WHERE id > 180');
  await lab.untilSynced(PLAIN);
  await assertEqualVerdict(lab, PLAIN, 't', 200);
  await lab.onBlue('UPDATE t SET id = id + 1');
  await assert.rejects(lab.run(PLAIN), { name: 'PermanentError', code: 'TRANSACTION_TOO_LARGE', table: 'public.t', hint: /without DEFERRABLE/ });
  assert.deepEqual((await lab.onGreen('SELECT count(*)::int AS n, max(id)::int AS most FROM t')).rows, [{ n: 200, most: 201 }]); // nothing of it
  await lab.onBlue('UPDATE t SET id = id + 1; DELETE FROM t WHERE id < 100');
  assert.equal((await lab.stop(PLAIN)).slotDropped, true);
});

test('a key that carries other columns in its index is that of its columns', async () => {
  const ddl = `CREATE TABLE t (id int, v text, w text, PRIMARY KEY (id) INCLUDE (v));
    CREATE TABLE p (id int, day date, v text, PRIMARY KEY (day, id) INCLUDE (v)) PARTITION BY RANGE (day); CREATE TABLE p_1 PARTITION OF p DEFAULT`;
  const lab = await fresh(ddl, ddl.replaceAll(/ INCLUDE \(v\)/g, ''));
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }, { source: 'public.p' }] } };
  await lab.onBlue("INSERT INTO t SELECT i, 'a', 'b' FROM generate_series(1, 9) i; INSERT INTO p SELECT i, '2026-01-01', 'a' FROM generate_series(1, 9) i");
  await lab.untilSynced(options);
  await lab.onBlue("UPDATE t SET v = 'x' WHERE id < 3; DELETE FROM t WHERE id = 4; UPDATE t SET id = 50, v = 'moved' WHERE id = 5; UPDATE p SET v = 'x' WHERE id < 3; UPDATE p SET day = '2026-02-01' WHERE id = 4; DELETE FROM p WHERE id = 5");
  await lab.untilSynced(options);
  await assertSame(lab, 'p', 't::text', 8);
  await assertEqualVerdict(lab, options, 't', 8);
});

test('a key that is checked late on green alone is refused: ON CONFLICT would fail there, the application\'s too', async () => {
  for (const late of ['DEFERRABLE', 'DEFERRABLE INITIALLY DEFERRED']) {
    const lab = await fresh('CREATE TABLE t (id bigint PRIMARY KEY, v text)', `CREATE TABLE t (id bigint PRIMARY KEY ${late}, v text)`);
    await assertRefused(lab, PLAIN, { code: 'TARGET_KEY', table: 'public.t' });
  }
});

test('a key that is lost in the middle: the publication goes, so that the application can write again', async () => {
  for (const change of [
    'ALTER TABLE t DROP CONSTRAINT t_pkey',
    'ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id) DEFERRABLE',
    'ALTER TABLE t REPLICA IDENTITY NOTHING',
  ]) {
    const lab = await fresh('CREATE TABLE t (id bigint PRIMARY KEY, v text)');
    await lab.onBlue("INSERT INTO t VALUES (1, 'a')");
    await lab.untilSynced(PLAIN);
    await lab.onBlue(change);
    await assert.rejects(lab.onBlue("UPDATE t SET v = 'b'"), { code: '55000' });
    await assert.rejects(lab.run(PLAIN), { code: 'REPLICA_IDENTITY' });
    await lab.onBlue("UPDATE t SET v = 'b'; DELETE FROM t");
    await lab.stop(PLAIN);
    await assertNothingLeft(lab);
  }
});

test('keys that are stored out of line: several rows in one batch, whole rows and unsent values, moved keys', async () => {
  for (const [key, identity] of [['text', 'DEFAULT'], ['text', 'FULL'], ['bytea', 'DEFAULT']]) {
    const ddl = `CREATE TABLE t (k ${key} PRIMARY KEY, v int, big text); ALTER TABLE t ALTER k SET STORAGE EXTERNAL; ALTER TABLE t ALTER big SET STORAGE EXTERNAL; ALTER TABLE t REPLICA IDENTITY ${identity}`;
    const lab = await fresh(ddl);
    const k = (/** @type {string} */ i) => (key === 'bytea' ? `decode(lpad(to_hex(${i}), 4, '0') || repeat('ab', 2400), 'hex')` : `${i} || repeat('x', 2400)`);
    await lab.onBlue(`INSERT INTO t SELECT ${k('i')}, 0, repeat('b', 3000) FROM generate_series(1, 20) i`);
    await lab.untilSynced(PLAIN);
    await lab.onBlue('UPDATE t SET v = 1');
    await lab.untilSynced(PLAIN);
    await assertSame(lab, 't', 't::text', 20);
    await lab.onBlue(`UPDATE t SET k = ${k('100 + 1')} WHERE k = ${k('1')}; UPDATE t SET v = 2; DELETE FROM t WHERE k = ${k('2')}; UPDATE t SET big = 'small' WHERE k = ${k('3')}; UPDATE t SET v = 3, big = repeat('c', 3000) WHERE k = ${k('4')}`);
    await lab.untilSynced(PLAIN);
    await assertEqualVerdict(lab, PLAIN, 't', 19);
  }
});

test('one part of the key is stored out of line, and updates of one row follow each other in a batch', async () => {
  const ddl = 'CREATE TABLE t (n int, k text, v int, PRIMARY KEY (n, k)); ALTER TABLE t ALTER k SET STORAGE EXTERNAL';
  const lab = await fresh(ddl);
  await lab.onBlue("INSERT INTO t SELECT i, repeat('x', 2300), 0 FROM generate_series(1, 10) i");
  await lab.untilSynced(PLAIN);
  await lab.onBlue("UPDATE t SET v = 1; UPDATE t SET v = 2 WHERE n < 5; UPDATE t SET n = n + 100 WHERE n > 7; UPDATE t SET v = 3 WHERE n > 100; DELETE FROM t WHERE n = 6");
  await lab.untilSynced(PLAIN);
  await assertEqualVerdict(lab, PLAIN, 't', 9);
});

test('a copy that is resumed goes on in the order of the key\'s own operators', async () => {
  /** @type {[string, string, string][]} */
  const cases = [
    ['CREATE EXTENSION citext; CREATE TABLE t (k citext PRIMARY KEY, v text)', "(CASE i % 2 WHEN 0 THEN 'user' ELSE 'User' END || lpad(i::text, 6, '0'))", 'k'],
    ['CREATE SCHEMA x; CREATE EXTENSION citext SCHEMA x; CREATE TABLE t (n int, k x.citext, v text, PRIMARY KEY (k, n))', "i % 3, (CASE i % 2 WHEN 0 THEN 'a' ELSE 'A' END || i / 7)::x.citext", 'n, k'],
    ['CREATE SCHEMA x; CREATE EXTENSION citext SCHEMA x; CREATE TABLE t (n int, k x.citext, v text, PRIMARY KEY (n, k))', "i % 3, (CASE i % 2 WHEN 0 THEN 'a' ELSE 'A' END || i / 7)::x.citext", 'n, k'],
    ['CREATE EXTENSION ltree; CREATE TABLE t (k ltree PRIMARY KEY, v text)', "('a' || i % 10 || '.b' || i)::ltree", 'k'],
    ['CREATE EXTENSION cube; CREATE TABLE t (k cube PRIMARY KEY, v text)', 'cube(ARRAY[i % 9, i])', 'k'],
    ['CREATE EXTENSION hstore; CREATE TABLE t (k hstore PRIMARY KEY, v text)', "hstore('a', i::text)", 'k'],
    ["CREATE TYPE mood AS ENUM ('z', 'a', 'm'); CREATE TABLE t (m mood, n int, v text, PRIMARY KEY (m, n))", "(ARRAY['z', 'a', 'm'])[1 + i % 3]::mood, i", 'm, n'],
    ["CREATE TYPE pair AS (a int, b text); CREATE TABLE t (k pair PRIMARY KEY, v text)", "ROW(i % 5, i::text)::pair", 'k'],
    ['CREATE DOMAIN code AS text CHECK (length(value) > 2); CREATE TABLE t (k code PRIMARY KEY, v text)', "'code' || i", 'k'],
  ];
  for (const [ddl, key, columns] of cases) {
    const lab = await fresh(ddl);
    await lab.onBlue(`SET search_path = public, x; INSERT INTO t (${columns}, v) SELECT ${key}, 'v' FROM generate_series(1, 600) i ON CONFLICT DO NOTHING`);
    const options = { ...PLAIN, tuning: { chunkRows: 40, rangeRows: 100 } };
    for (let runs = 0; runs < 200; runs += 1) if ((await run({ ...lab.invocation(options), deadline: new Steps(3 + (runs % 3)) })).status === 'synced') break;
    await assertSame(lab, 't', 't::text', 200);
    await lab.onBlue(`SET search_path = public, x; UPDATE t SET v = 'w' WHERE ctid IN (SELECT ctid FROM t LIMIT 50); DELETE FROM t WHERE ctid IN (SELECT ctid FROM t ORDER BY ctid DESC LIMIT 50)`);
    await lab.untilSynced(options);
    await assertEqualVerdict(lab, PLAIN, 't', 100);
  }
});

test('unsent values are found by keys of types with operators of their own', async () => {
  const ddl = 'CREATE SCHEMA x; CREATE EXTENSION citext SCHEMA x; CREATE TABLE t (k x.citext PRIMARY KEY, n int UNIQUE, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL';
  const lab = await fresh(ddl);
  await lab.onBlue("INSERT INTO t SELECT 'Key' || i, i, repeat('b', 3000) FROM generate_series(1, 30) i");
  const options = { mapping: { version: 1, tables: [{ source: 'public.t', where: { column: 'n', below: 1000 } }] } };
  await lab.untilSynced(options);
  await lab.onBlue("UPDATE t SET n = 1000 + n WHERE n < 10");
  await lab.untilSynced(options);
  await lab.onBlue("SET search_path = public, x; UPDATE t SET n = n - 1000 WHERE n > 1000; UPDATE t SET k = 'KEY20' WHERE k = 'key20'; UPDATE t SET k = 'other' WHERE k = 'key21'; UPDATE t SET n = 2000 - n WHERE n > 25; UPDATE t SET n = n - 1900 WHERE n > 1000");
  await lab.untilSynced(options);
  await assertSame(lab, 't', 't::text', 30);
});

test('the same with keys that have parts: composite types, arrays and ranges of them, under domains', async () => {
  const pair = 'CREATE TYPE pair AS (a int, b text)';
  /** @type {[string, string, (n: number) => string][]} */
  const cases = [
    [pair, 'pair', (n) => `ROW(${n}, 'b,"')::pair`],
    [`${pair}; CREATE DOMAIN d AS pair CHECK ((value).a > 0)`, 'd', (n) => `ROW(${n}, NULL)::pair`],
    [`${pair}; CREATE TYPE nested AS (p pair, q pair[])`, 'nested', (n) => `ROW(ROW(${n}, 'x'), ARRAY[ROW(1, 'y')::pair])::nested`],
    [pair, 'pair[]', (n) => `ARRAY[ROW(${n}, '{')::pair, NULL]`],
    ['CREATE DOMAIN d AS int NOT NULL; CREATE DOMAIN ds AS d[]', 'ds', (n) => `'{${n},7}'`],
    ['', 'int4multirange', (n) => `int4multirange(int4range(${n}, ${n} + 5), int4range(1000, NULL))`],
  ];
  for (const [prelude, type, key] of cases) {
    const lab = await fresh(`${prelude}; CREATE TABLE t (k ${type} PRIMARY KEY, n int UNIQUE, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL`);
    await lab.onBlue(`INSERT INTO t VALUES ${[1, 2, 3, 4, 5].map((n) => `(${key(n)}, ${n}, repeat('b', 3000))`).join(', ')}`);
    const options = { mapping: { version: 1, tables: [{ source: 'public.t', where: { column: 'n', below: 1000 } }] } };
    await lab.untilSynced(options);
    await lab.onBlue(`UPDATE t SET n = n + 10 WHERE n < 4; UPDATE t SET n = 2000 WHERE n = 4; UPDATE t SET k = ${key(9)} WHERE n = 5`);
    await lab.untilSynced(options);
    await lab.onBlue(`UPDATE t SET n = 4 WHERE n = 2000; DELETE FROM t WHERE n = 12; INSERT INTO t VALUES (${key(7)}, 7, NULL)`);
    await lab.untilSynced(options);
    await assertEqualVerdict(lab, options, 't', 5);
  }
});

test('domains that take no NULL, that check, that cut: deletes, changes and keys pass the helper tables', async () => {
  const ddl = `CREATE DOMAIN d AS int NOT NULL; CREATE DOMAIN dd AS d; CREATE DOMAIN code AS varchar(5) NOT NULL CHECK (value <> ''); CREATE DOMAIN tags AS text[] NOT NULL;
    CREATE TYPE pair AS (a int, b text); CREATE DOMAIN pairs AS pair CHECK ((value).a > 0);
    CREATE TABLE t (id dd PRIMARY KEY, v d, c code, g tags, p pairs, o text COLLATE "C" UNIQUE)`;
  const lab = await fresh(ddl);
  await lab.onBlue("INSERT INTO t SELECT i, i, 'c' || i, ARRAY['a'], ROW(i, 'x')::pair, 'o' || i FROM generate_series(1, 20) i");
  await lab.untilSynced(PLAIN);
  await lab.onBlue("DELETE FROM t WHERE id < 5; UPDATE t SET v = 9 WHERE id = 7; UPDATE t SET id = 100 WHERE id = 8; INSERT INTO t VALUES (1, 1, 'back', '{}', NULL, NULL)");
  await lab.untilSynced(PLAIN);
  await assertSame(lab, 't', 't::text', 16);
  await lab.onBlue('DELETE FROM t');
  await lab.untilSynced(PLAIN);
  assert.equal((await lab.onGreen('SELECT count(*) FROM t')).rows[0].count, '0');
});

test('tables of very many columns: changes arrive, or the table is refused at the start', async () => {
  for (const count of [1590, 1598, 1599, 1600]) {
    const ddl = `CREATE TABLE t (id int PRIMARY KEY, ${Array.from({ length: count - 1 }, (_, i) => `c${i} bool`).join(', ')})`;
    const lab = await fresh(ddl);
    await lab.onBlue('INSERT INTO t (id, c0) SELECT i, true FROM generate_series(1, 5) i');
    if (count > 1598) {
      await assertRefused(lab, PLAIN, { code: 'TOO_MANY_COLUMNS', table: 'public.t' });
      continue;
    }
    await lab.untilSynced(PLAIN);
    await lab.onBlue('UPDATE t SET c7 = false WHERE id < 3; DELETE FROM t WHERE id = 4');
    await lab.untilSynced(PLAIN);
    await assertSame(lab, 't', 'md5(t::text)', 4);
  }
});
