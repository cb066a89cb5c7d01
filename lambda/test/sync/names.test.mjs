/** Names and definitions of tables that are out of the ordinary. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Lab } from '../support/lab.mjs';

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start()));
after(() => servers.remove());

/** @param {Lab} lab @param {string} table @param {string} columns */
async function assertSame(lab, table, columns) {
  const sql = `SELECT ${columns} FROM ${table} ORDER BY 1`;
  const [blue, green] = await Promise.all([lab.onBlue(sql), lab.onGreen(sql)]);
  assert.ok(blue.rows.length > 0);
  assert.deepEqual(green.rows, blue.rows);
}

test('names with quotes, capitals, blanks, letters of other alphabets, and of keywords, in schemas of their own', async () => {
  const ddl = `CREATE SCHEMA "Zahlungen ü"; CREATE SCHEMA "select";
    CREATE TYPE "select"."Stand" AS ENUM ('ä', 'b "b"', 'c''c');
    CREATE TABLE "Zahlungen ü"."Kunde's ""Tafel""" ("Schlüssel" bigint, "Schlüssel b" text, "a" text, "a b" integer, "user" "select"."Stand", "日本" text, PRIMARY KEY ("Schlüssel b", "Schlüssel"));
    CREATE TABLE "select"."order" ("group" integer PRIMARY KEY, "~op" text, "x" "select"."Stand"[]);
    CREATE TABLE "select"."Teile" ("Id" bigint PRIMARY KEY, "Wert" text UNIQUE) PARTITION BY RANGE ("Id");
    CREATE TABLE "select"."Teile 1" PARTITION OF "select"."Teile" FOR VALUES FROM (0) TO (100);
    CREATE TABLE "select"."Teile Rest" PARTITION OF "select"."Teile" DEFAULT`.replace('"Wert" text UNIQUE', '"Wert" text');
  const lab = await servers.fresh('names', ddl);
  const options = { mapping: { version: 1, tables: [{ source: `Zahlungen ü.Kunde's "Tafel"` }, { source: 'select.order' }, { source: 'select.Teile' }] } };
  const kunde = `"Zahlungen ü"."Kunde's ""Tafel"""`;
  await lab.onBlue(`INSERT INTO ${kunde} SELECT i, 'k' || i % 7, 'a', i, 'b "b"', '値' FROM generate_series(1, 500) i; INSERT INTO "select"."order" VALUES (1, 'd', '{ä,"b \\"b\\""}'); INSERT INTO "select"."Teile" SELECT i, 'w' FROM generate_series(1, 300) i`);
  await lab.untilSynced(options);
  await lab.onBlue(`UPDATE ${kunde} SET "a b" = 7, "user" = 'c''c' WHERE "Schlüssel" % 3 = 0; UPDATE ${kunde} SET "Schlüssel b" = 'é' WHERE "Schlüssel" = 5; DELETE FROM ${kunde} WHERE "Schlüssel" = 6;
    UPDATE "select"."order" SET "~op" = 'p'; INSERT INTO "select"."order" VALUES (2, NULL, NULL); TRUNCATE "select"."Teile 1"; UPDATE "select"."Teile" SET "Id" = 7 WHERE "Id" = 200`);
  await lab.untilSynced(options);
  await assertSame(lab, kunde, '"Schlüssel", "Schlüssel b", "a", "a b", "user", "日本"');
  await assertSame(lab, '"select"."order"', '"group", "~op", x::text');
  await assertSame(lab, '"select"."Teile"', '"Id", "Wert"');
  const verdict = await lab.verify(options);
  assert.equal(verdict.verdict, 'equal', JSON.stringify(verdict.tables));
  await lab.onBlue(`ALTER TABLE ${kunde} ADD "a c" text`);
  assert.deepEqual((await lab.run(options)).newColumns, [`Zahlungen ü.Kunde's "Tafel".a c`]);
});

test('columns with the names that the function itself uses beside them', async () => {
  const names = ['payment_migration op', 'payment_migration op_', 'payment_migration row', 'u0', 'u1', 'h', 'w', 't', 's', 'g', 'x', 'n', 'v0', 'k0', 'hash', 'line', 'keys', 'number', 'gone', 'e'];
  const ddl = `CREATE TABLE t ("payment_migration number" int, ${names.map((name) => `"${name}" int`).join(', ')}, z text, PRIMARY KEY ("payment_migration number", u0), UNIQUE (w), UNIQUE (h, u1)) PARTITION BY RANGE ("payment_migration number");
    CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (1000)`.replaceAll('UNIQUE (w)', 'UNIQUE (w, "payment_migration number", u0)').replaceAll('UNIQUE (h, u1)', 'UNIQUE (h, u1, "payment_migration number")');
  for (const options of [{ mapping: { version: 1, tables: [{ source: 'public.t' }] } }, { mapping: { version: 1, tables: [{ source: 'public.t', columns: { z: { from: 'z', ifNull: '-' } } }] } }]) {
    const lab = await servers.fresh(`own_names_${options.mapping.tables[0] !== undefined && 'columns' in options.mapping.tables[0]}`, ddl, `${ddl}; ALTER TABLE t ADD CHECK (z <> 'no')`);
    await lab.onBlue(`INSERT INTO t SELECT i, ${names.map(() => 'i').join(', ')}, CASE WHEN i % 10 = 0 THEN 'no' ELSE 'yes' END FROM generate_series(1, 60) i`);
    await lab.untilSynced({ ...options, tuning: { chunkRows: 7, rangeRows: 7 } });
    await lab.onBlue(`UPDATE t SET "payment_migration op" = 100, "payment_migration row" = 5 WHERE u0 < 9; UPDATE t SET h = 61 - h, u1 = 61 - u1; DELETE FROM t WHERE u0 = 5; UPDATE t SET u0 = u0 + 1000 WHERE u0 = 7; UPDATE t SET z = 'yes' WHERE u0 = 20`);
    await lab.untilSynced(options);
    const verdict = await lab.verify(options);
    assert.deepEqual([verdict.verdict, verdict.quarantined, verdict.tables[0]?.greenRows], ['held-back', 5, 54], JSON.stringify(verdict));
    await lab.onBlue('TRUNCATE t_1'); // of the only partition that there is
    await lab.onBlue(`INSERT INTO t SELECT i, ${names.map(() => 'i').join(', ')}, 'yes' FROM generate_series(1, 9) i`);
    await lab.untilSynced(options);
    assert.equal((await lab.verify(options)).verdict, 'equal');
    await lab.onGreen('SET session_replication_role = replica; UPDATE t SET hash = 0 WHERE u0 = 3; DELETE FROM t WHERE u0 = 4');
    const [table] = (await lab.verify(options)).tables;
    assert.deepEqual([table?.different, table?.missing, table?.extra], [1, 1, 0]);
  }
});

test('generated and identity columns, the full row as replica identity, defaults', async () => {
  const ddl = `CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n bigint GENERATED BY DEFAULT AS IDENTITY, price numeric, twice numeric GENERATED ALWAYS AS (price * 2) STORED, big text);
    ALTER TABLE t ALTER big SET STORAGE EXTERNAL; CREATE TABLE f (a integer, b text, c text, PRIMARY KEY (b, a)); ALTER TABLE f REPLICA IDENTITY FULL; ALTER TABLE f ALTER c SET STORAGE EXTERNAL`;
  const lab = await servers.fresh('kinds', ddl, ddl.replace('n bigint GENERATED BY DEFAULT', 'n bigint GENERATED ALWAYS'));
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }, { source: 'public.f' }] } };
  await lab.onBlue(`INSERT INTO t (price, big) SELECT i, repeat('x', 4000) FROM generate_series(1, 50) i; INSERT INTO f SELECT i, 'b', repeat('y', 4000) FROM generate_series(1, 50) i`);
  await lab.untilSynced(options);
  await lab.onBlue(`INSERT INTO t (price) VALUES (7.5), (NULL); UPDATE t SET price = 9 WHERE id < 10; DELETE FROM t WHERE id = 20;
    INSERT INTO t (id, price, big) OVERRIDING SYSTEM VALUE VALUES (1000, 1, repeat('z', 4000)); DELETE FROM t WHERE id = 21;
    UPDATE f SET a = a + 100 WHERE a < 10; UPDATE f SET b = 'bb' WHERE a BETWEEN 20 AND 30; UPDATE f SET c = NULL WHERE a = 40; DELETE FROM f WHERE a = 41; UPDATE f SET c = 'now' WHERE a = 42`);
  await lab.untilSynced(options);
  await assertSame(lab, 't', '*');
  await assertSame(lab, 'f', 'b || a, c');
  assert.equal((await lab.verify(options)).verdict, 'equal');
});

test('an identity column of green as the key, and a key on blue that changes under a large value', async () => {
  const ddl = 'CREATE TABLE t (id bigint PRIMARY KEY, v integer, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL';
  const lab = await servers.fresh('moving', ddl, ddl.replace('id bigint', 'id bigint GENERATED ALWAYS AS IDENTITY'));
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };
  await lab.onBlue("INSERT INTO t SELECT i, i, repeat(chr(97 + i), 4000) FROM generate_series(1, 9) i");
  await lab.untilSynced(options);
  await lab.onBlue('UPDATE t SET id = id + 100 WHERE id < 5; UPDATE t SET v = 0 WHERE id > 5');
  await lab.untilSynced(options);
  await assertSame(lab, 't', '*');
});

test('a table that inherits, without being a partition, is left alone', async () => {
  const ddl = 'CREATE TABLE t (id bigint PRIMARY KEY, v text); CREATE TABLE kin () INHERITS (t)';
  const lab = await servers.fresh('kin', ddl);
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };
  await lab.onBlue("INSERT INTO t VALUES (1, 'a'); INSERT INTO kin VALUES (1, 'k'), (2, 'l')");
  await lab.untilSynced(options);
  await lab.onBlue("UPDATE kin SET v = 'm'; DELETE FROM kin WHERE id = 2; UPDATE ONLY t SET v = 'b'; INSERT INTO t VALUES (3, 'c'); DELETE FROM ONLY t WHERE id = 1");
  assert.equal((await lab.verify(options)).verdict, 'equal');
  await lab.onGreen("INSERT INTO kin VALUES (1, 'own')"); // verify names it: see sync/proof.test.mjs
  await lab.onBlue('TRUNCATE ONLY t');
  await lab.untilSynced(options);
  assert.deepEqual((await lab.onGreen('SELECT * FROM t')).rows, [{ id: '1', v: 'own' }]);
});
