/** Blue's keys may be card numbers or e-mails that the mapping does not let through: they stand nowhere on green, and in no answer (kinds of fault H1 to H3). */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nameOnBlue } from '../../src/sync/masks.mjs';
import { run } from '../../src/sync/run.mjs';
import { Lab, Steps } from '../support/lab.mjs';
import { maskOf, maskSql } from '../support/masks.mjs';

/** Tests that search green's files come first: later ones carry such keys, as their mappings say. @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start()));
after(() => servers.remove());

const pan = (/** @type {number} */ i) => String(4929_0000_0000_0000n + BigInt(i) * 7_919n);
const email = (/** @type {number} */ i) => `ada.${i}@example.com`;

/** A value as it is, and its unkeyed hashes in every form. @param {string} value */
const traces = (value) => [
  Buffer.from(value),
  ...[value, JSON.stringify([value]), JSON.stringify(value)].flatMap((text) =>
    ['sha256', 'md5'].flatMap((kind) => {
      const hash = createHash(kind).update(text).digest();
      return [hash, Buffer.from(hash.toString('hex')), Buffer.from(hash.toString('base64'))];
    }),
  ),
];

/** What all keys of these tests have in common. */
const RAW = ['492900000', '@example.com'].map((text) => Buffer.from(text));

/** Searches green's database and its log of writes (WAL), for keys and for the unkeyed hashes of some. @param {Lab} lab @param {string[]} values */
async function assertNotOnGreen(lab, values) {
  await lab.onGreen('CHECKPOINT');
  const [{ oid }] = (await lab.onGreen('SELECT oid FROM pg_database WHERE datname = current_database()')).rows;
  const needles = [...RAW, ...values.flatMap(traces)];
  for (const folder of [join('base', String(oid)), 'pg_wal', 'global'])
    for (const name of readdirSync(join(lab.green.data, folder), { withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(lab.green.data, folder, entry.name))) {
      const content = stillThere(name);
      for (const needle of needles) assert.ok(!content.includes(needle), `${name} holds ${needle.toString('latin1').slice(0, 80)}`);
    }
}

/** A file of the log may be taken away or get another name in between. @param {string} name */
function stillThere(name) {
  try {
    return readFileSync(name);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
    return Buffer.alloc(0);
  }
}

test('no key that the mapping hashes is on green: not in the middle of the copy, not after it, not after changes and stop', async () => {
  const columns = 'holder text, body text';
  const lab = await servers.fresh('keys', `
    CREATE TABLE cards (pan text PRIMARY KEY, ${columns}); CREATE TABLE numbers (pan bigint PRIMARY KEY, ${columns}); CREATE TABLE people (email text PRIMARY KEY, ${columns});
    CREATE TABLE pairs (pan text, network text, ${columns}, PRIMARY KEY (network, pan)); ALTER TABLE cards ALTER body SET STORAGE EXTERNAL`, `
    CREATE TABLE cards (id text PRIMARY KEY, ${columns}); CREATE TABLE numbers (id text PRIMARY KEY, ${columns}); CREATE TABLE people (id bytea PRIMARY KEY, ${columns});
    CREATE TABLE pairs (id text, network text, ${columns}, PRIMARY KEY (network, id))`);
  const hashed = (/** @type {string} */ table, /** @type {string} */ column, /** @type {object} */ more = {}) => ({ source: `public.${table}`, columns: { id: { hash: column } }, ...more });
  const mapping = { version: 1, tables: [hashed('cards', 'pan', { where: { column: 'holder', notIn: ['nobody'] } }), { source: 'public.numbers', columns: { id: { hash: { from: 'pan', cast: 'text' } } } }, hashed('people', 'email'), hashed('pairs', 'pan')] };
  const options = { mapping, tuning: { chunkRows: 100, rangeRows: 300, commitChanges: 50, batchChanges: 20 } };
  await lab.onBlue(`
    INSERT INTO cards SELECT (4929000000000000 + i * 7919)::text, CASE WHEN i = 5 THEN 'nobody' ELSE 'h' END, repeat('b', 3000) FROM generate_series(1, 1000) i;
    INSERT INTO numbers SELECT 4929000000000000 + i * 7919, 'h' FROM generate_series(1, 500) i; INSERT INTO people SELECT 'ada.' || i || '@example.com', 'h' FROM generate_series(1, 500) i;
    INSERT INTO pairs SELECT (4929000000000000 + i * 7919)::text, 'visa', 'h' FROM generate_series(1, 500) i`);
  const values = [pan(100), email(300), pan(5)]; // at the end of a range, and one that is read from blue
  let cut = 0;
  for (let steps = 12; ; steps += 12) {
    const answer = await run({ ...lab.invocation(options), deadline: new Steps(steps) });
    if (answer.phase !== 'copying') break;
    const { rows } = await lab.onGreen('SELECT cursor FROM payment_migration.copy WHERE cursor IS NOT NULL');
    cut += rows.length;
    if (rows.length > 0 && cut < 2) await assertNotOnGreen(lab, values);
  }
  assert.ok(cut > 0, 'no run was cut in the middle of a table');
  // A row that comes into the filter without its large value, keys that change, deletions, and a key change of the row that was read from blue.
  await lab.onBlue(`UPDATE cards SET holder = 'h' WHERE holder = 'nobody'; UPDATE cards SET pan = '4929999999999990' WHERE pan = '${pan(5)}'; UPDATE people SET email = 'other@example.com' WHERE email = '${email(7)}';
    DELETE FROM pairs WHERE pan = '${pan(9)}'; UPDATE numbers SET pan = pan + 1 WHERE pan = ${pan(3)}`);
  await lab.untilSynced(options);
  const verdict = await lab.verify(options);
  assert.deepEqual([verdict.ok, verdict.verdict], [true, 'equal'], JSON.stringify(verdict));
  assert.equal((await lab.onGreen('SELECT count(*) FROM payment_migration.copy WHERE cursor IS NOT NULL')).rows[0].count, '0');
  const all = [...values, '4929999999999990', 'other@example.com', String(BigInt(pan(3)) + 1n)];
  for (const value of [...all, 'example.com']) assert.ok(!lab.lines.join('\n').includes(value));
  await lab.stop(options);
  assert.equal((await lab.onBlue(`SELECT count(*) FROM pg_description WHERE description LIKE 'key of %migration%'`)).rows[0].count, '0');
  assert.deepEqual(await objects(lab), []);
  await assertNotOnGreen(lab, all);
});

test('bounds of partitions are values of the key: where the mapping hashes it they are not on green either', async () => {
  const parts = `${[0, 1].map((i) => `CREATE TABLE c_${i} PARTITION OF c FOR VALUES FROM ('${pan(i * 1000)}') TO ('${pan(i * 1000 + 1000)}')`).join(';')}; CREATE TABLE m_1 PARTITION OF m FOR VALUES IN ('${email(1)}')`;
  const ddl = `CREATE TABLE c (pan text PRIMARY KEY, v text) PARTITION BY RANGE (pan); CREATE TABLE m (email text PRIMARY KEY, v text) PARTITION BY LIST (email); ${parts}`;
  const lab = await servers.fresh('bounds', ddl, 'CREATE TABLE c (id text PRIMARY KEY, v text); CREATE TABLE m (id text PRIMARY KEY, v text)');
  const options = { mapping: { version: 1, tables: [{ source: 'public.c', columns: { id: { hash: 'pan' } } }, { source: 'public.m', columns: { id: { hash: 'email' } } }] } };
  await lab.onBlue(`INSERT INTO c SELECT (4929000000000000 + i * 7919)::text, 'v' FROM generate_series(1, 1500) i; INSERT INTO m VALUES ('${email(1)}', 'v')`);
  await lab.untilSynced(options);
  await lab.onBlue(`CREATE TABLE m_2 PARTITION OF m FOR VALUES IN ('${email(2)}'); INSERT INTO m VALUES ('${email(2)}', 'v')`);
  await lab.untilSynced(options);
  await assertNotOnGreen(lab, [pan(0), pan(1000), email(1), email(2)]);
  await lab.onBlue('TRUNCATE c_0; DROP TABLE c_0');
  await assert.rejects(lab.run(options), { code: 'PARTITION_TRUNCATED' });
});

test('quarantine names a row by a mask that nobody can try out, the same for copy, changes and verify', async () => {
  const ddl = 'CREATE TABLE cards (pan text, network text, holder text, PRIMARY KEY (pan, network)); CREATE TABLE mails (email text PRIMARY KEY, n integer)';
  const lab = await servers.fresh('masks', ddl, ddl.replace('n integer', 'n integer CHECK (n < 100)'));
  const mapping = { version: 1, tables: [{ source: 'public.cards', columns: { network: { from: 'network', map: { V: 'visa' } } } }, { source: 'public.mails' }] };
  const options = { mapping };
  await lab.onBlue(`INSERT INTO cards VALUES ('${pan(1)}', 'V', 'h'), ('${pan(2)}', 'D', 'h'); INSERT INTO mails VALUES ('${email(1)}', 1), ('${email(2)}', 100)`);
  assert.equal((await lab.untilSynced(options)).quarantined, 2);
  const held = async () => (await lab.onGreen('SELECT * FROM payment_migration.quarantine ORDER BY source')).rows;
  assert.deepEqual((await held()).map((/** @type {any} */ { key }) => JSON.parse(key)), [
    { pan: await maskOf(lab, 'public.cards.pan', pan(2)), network: await maskOf(lab, 'public.cards.network', 'D') }, { email: await maskOf(lab, 'public.mails.email', email(2)) },
  ]);
  const written = Buffer.from(JSON.stringify(await held()));
  for (const value of [pan(2), email(2)]) for (const trace of traces(value)) assert.ok(!written.includes(trace));
  // Who may read blue finds the row.
  const [{ key }] = await held();
  const found = await lab.onBlue(`SELECT holder FROM cards WHERE ${maskSql('public.cards.pan', 'pan')} = '${JSON.parse(key).pan}' AND ${maskSql('public.cards.network', 'network')} = '${JSON.parse(key).network}'`);
  assert.equal(found.rowCount, 1);
  const verdict = await lab.verify(options);
  assert.deepEqual([verdict.verdict, verdict.quarantined], ['held-back', 2], JSON.stringify(verdict));
  await lab.onBlue(`UPDATE cards SET network = 'V' WHERE pan = '${pan(2)}'; UPDATE mails SET n = 200 WHERE n < 100; UPDATE mails SET n = 2 WHERE email = '${email(2)}'`);
  assert.equal((await lab.untilSynced(options)).quarantined, 1);
  assert.deepEqual(JSON.parse((await held())[0].key), { email: await maskOf(lab, 'public.mails.email', email(1)) });
});

test("verify's answer tells no key and no sum of rows that could be tried out", async () => {
  const ddl = 'CREATE TABLE c (pan text PRIMARY KEY, v int); CREATE TABLE m (email text PRIMARY KEY, v int); CREATE TABLE n (pan bigint PRIMARY KEY, v int); CREATE TABLE s (ssn integer, born date, PRIMARY KEY (ssn, born))';
  const lab = await servers.fresh('answers', ddl);
  const options = { mapping: { version: 1, tables: ['c', 'm', 'n', 's'].map((name) => ({ source: `public.${name}` })) } };
  await lab.onBlue(`INSERT INTO c VALUES ('${pan(1)}', 1); INSERT INTO m VALUES ('${email(1)}', 1); INSERT INTO n VALUES (${pan(1)}, 1); INSERT INTO s VALUES (756123456, '1815-12-10')`);
  await lab.untilSynced(options);
  const equal = await lab.verify(options);
  assert.equal(equal.ok, true, JSON.stringify(equal));
  for (const { target, checksum } of equal.tables) {
    const [{ sum }] = (await lab.onGreen(`SELECT to_hex(hashtextextended(t::text COLLATE "C", 0)) AS sum FROM ${target} t`)).rows;
    assert.notEqual(checksum, sum.padStart(16, '0'));
    assert.match(checksum, /^[0-9a-f]{16}$/);
  }
  assert.deepEqual((await lab.verify(options)).tables.map(({ checksum }) => checksum), equal.tables.map(({ checksum }) => checksum));
  await lab.onGreen(`UPDATE c SET v = 2; UPDATE m SET v = 2; DELETE FROM n; INSERT INTO s VALUES (756999999, '1815-12-10')`);
  const verdict = await lab.verify(options);
  assert.deepEqual([verdict.ok, verdict.mismatches], [false, 4]);
  assert.deepEqual(verdict.tables.map(({ firstKeys }) => firstKeys), [
    [{ pan: await maskOf(lab, 'public.c.pan', pan(1)) }], [{ email: await maskOf(lab, 'public.m.email', email(1)) }], [{ pan: await maskOf(lab, 'public.n.pan', pan(1)) }],
    [{ ssn: await maskOf(lab, 'public.s.ssn', '756999999'), born: await maskOf(lab, 'public.s.born', '1815-12-10') }],
  ]);
  const written = `${JSON.stringify(verdict)} ${lab.lines.join('\n')}`;
  for (const value of [pan(1), email(1), '756123456', '756999999', '1815-12-10']) assert.ok(!written.includes(value), value);
});

test('truncating one partition takes its rows out of quarantine, and no others', async () => {
  const ddl = 'CREATE TABLE p (number integer, day date, n integer, PRIMARY KEY (number, day)) PARTITION BY RANGE (day);' +
    [1, 2].map((i) => `CREATE TABLE p_${i} PARTITION OF p FOR VALUES FROM ('2026-0${i}-01') TO ('2026-0${i + 1}-01')`).join(';');
  const lab = await servers.fresh('partition', ddl, `${ddl}; ALTER TABLE p RENAME number TO id`);
  const options = { mapping: { version: 1, tables: [{ source: 'public.p', columns: { id: 'number', n: { from: 'n', map: { 1: 1 } } } }] } };
  await lab.onBlue("INSERT INTO p SELECT i, date '2026-01-20' + i, 2 FROM generate_series(1, 20) i");
  assert.equal((await lab.untilSynced(options)).quarantined, 20);
  await lab.onBlue('TRUNCATE p_1');
  assert.equal((await lab.untilSynced(options)).quarantined, 9);
  const verdict = await lab.verify(options);
  assert.deepEqual([verdict.verdict, verdict.quarantined], ['held-back', 9], JSON.stringify(verdict));
});

test("a row that green refuses does not stand in green's server log", async () => {
  const lab = await servers.fresh('quiet', 'CREATE TABLE t (id integer PRIMARY KEY, holder text, n text)', "CREATE TABLE t (id integer PRIMARY KEY, holder text CHECK (holder <> 'Grace Hopper'), n varchar(20) UNIQUE)");
  const options = { mapping: { version: 1, tables: [{ source: 'public.t', columns: { n: { from: 'n', cast: 'character varying(20)' } } }] } };
  await lab.onBlue("INSERT INTO t VALUES (1, 'Ada Lovelace', 'same'), (2, 'Grace Hopper', 'other'), (3, 'Mary Somerville', 'same')");
  assert.equal((await lab.untilSynced(options)).quarantined, 2);
  await lab.onBlue("INSERT INTO t VALUES (4, 'Grace Hopper', 'more')");
  assert.equal((await lab.untilSynced(options)).quarantined, 3);
  const log = lab.green.serverLog();
  assert.ok(log.length > 100);
  assert.doesNotMatch(log, /Grace Hopper|Ada Lovelace|Mary Somerville|Failing row|\(same\)/);
});

/** The marks of all large objects. @param {Lab} lab @param {'onBlue' | 'onGreen'} [side] */
const objects = async (lab, side = 'onBlue') => (await lab[side]("SELECT obj_description(oid, 'pg_largeobject') AS mark FROM pg_largeobject_metadata ORDER BY 1")).rows.map((/** @type {{mark: string | null}} */ { mark }) => mark);
/** @param {Lab} lab @param {'onBlue' | 'onGreen'} [side] @returns {Promise<{name: string, comment: string | null} | undefined>} */
const publication = async (lab, side = 'onBlue') => (await lab[side]("SELECT pubname AS name, obj_description(oid, 'pg_publication') AS comment FROM pg_publication")).rows[0];
/** @param {Lab} lab @param {'onBlue' | 'onGreen'} [side] @returns {Promise<string>} in hexadecimal */
const keyOf = async (lab, side = 'onBlue') => (await lab[side]("SELECT encode(lo_get(oid), 'hex') AS key FROM pg_largeobject_metadata WHERE obj_description(oid, 'pg_largeobject') LIKE 'key of migration %'")).rows[0].key;
/** As earlier versions have kept the key. @param {Lab} lab @param {string} comment with %s for the key in hexadecimal */
const keptAsBefore = (lab, comment) => lab.onBlue(`DO $$ BEGIN
  EXECUTE format('COMMENT ON PUBLICATION %I IS %L', (SELECT pubname FROM pg_publication), (SELECT format('${comment}', encode(lo_get(oid), 'hex')) FROM pg_largeobject_metadata));
  PERFORM lo_unlink(oid) FROM pg_largeobject_metadata; END $$`);
/** The same green under another address: as after a failover. @param {Lab} lab */
const movedGreen = (lab) => new Lab(lab.blue, Object.assign(Object.create(lab.green), { host: '127.1' }), lab.database);
const HELD = { mapping: { version: 1, tables: [{ source: 'public.t', columns: { v: { from: 'v', map: { a: 'b' } } } }] } };

test("the migration's key is made once, and a migration that has lost it says so", async () => {
  const lab = await servers.fresh('lost', 'CREATE TABLE t (id integer PRIMARY KEY, v text)');
  await lab.onBlue("INSERT INTO t VALUES (1, 'a')");
  /** Begins anew. @returns {Promise<string>} the key */
  const begin = async () => {
    await lab.onGreen('TRUNCATE t');
    await lab.onBlue('DELETE FROM t WHERE id > 1');
    await lab.untilSynced(HELD);
    return keyOf(lab);
  };
  const keys = [await begin()];
  const { name, comment } = (await publication(lab)) ?? assert.fail();
  assert.match(`${comment}`, /^key of this migration: large object [0-9]+$/);
  assert.match(keys[0] ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(await objects(lab), [`key of migration ${name}`]);
  await lab.untilSynced(HELD);
  assert.equal((await publication(lab))?.comment, comment);
  for (const [loss, left] of /** @type {[string, string[]][]} */ ([
    [`COMMENT ON PUBLICATION ${name} IS NULL`, []],
    ['SELECT lo_unlink(oid) FROM pg_largeobject_metadata', []],
    // Its number is given again.
    [`DO $$ DECLARE n oid := (SELECT oid FROM pg_largeobject_metadata); BEGIN
        PERFORM lo_unlink(n); PERFORM lo_from_bytea(n, sha256('application')); EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', n, 'of the application'); END $$`, ['of the application']],
  ])) {
    await lab.onBlue(`${loss}; INSERT INTO t VALUES (2, 'c')`);
    await assert.rejects(lab.run(HELD), { code: 'MIGRATION_KEY' }, loss);
    await lab.stop(HELD);
    assert.deepEqual(await objects(lab), left, loss);
    keys.push(await begin());
  }
  assert.equal(new Set(keys).size, 4);
  await lab.onBlue(`DROP PUBLICATION ${name}`); // by hand, as the hint of PUBLICATION_LEFT says
  await lab.stop(HELD);
  assert.deepEqual(await objects(lab), ['of the application']);
});

test("the migration's key and the comment that names it are made together or not at all", async () => {
  const lab = await servers.fresh('together', 'CREATE TABLE t (id integer PRIMARY KEY, v text)');
  await lab.onBlue(`CREATE FUNCTION guard() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
      IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_type = 'publication') THEN RAISE EXCEPTION 'no'; END IF; END $$;
    CREATE EVENT TRIGGER guard ON ddl_command_end WHEN TAG IN ('COMMENT') EXECUTE FUNCTION guard()`);
  await assert.rejects(lab.run(HELD), { name: 'PermanentError' });
  assert.deepEqual([await objects(lab), (await publication(lab))?.comment], [[], null]);
  await lab.onBlue('DROP EVENT TRIGGER guard');
  await lab.untilSynced(HELD);
  assert.equal((await objects(lab)).length, 1);
  await lab.stop(HELD);
  assert.deepEqual(await objects(lab), []);
});

test("a migration that an earlier version began, with the key in the publication's comment, goes on with the same masks; a failover makes a large object of the key", async () => {
  const lab = await servers.fresh('former', 'CREATE TABLE t (id integer PRIMARY KEY, v text)');
  await lab.onBlue("INSERT INTO t VALUES (1, 'a'), (2, 'c')");
  await lab.untilSynced(HELD);
  const held = async () => (await lab.onGreen('SELECT key FROM payment_migration.quarantine ORDER BY since')).rows.map((/** @type {{key: string}} */ { key }) => JSON.parse(key).id);
  const [key, masks] = [await keyOf(lab), [await maskOf(lab, 'public.t.id', 2), await maskOf(lab, 'public.t.id', 3)]];
  await keptAsBefore(lab, 'key of this migration: %s');
  await lab.onBlue("INSERT INTO t VALUES (3, 'c')");
  await lab.untilSynced(HELD);
  assert.deepEqual(await held(), masks);
  const { name, comment } = (await publication(lab)) ?? assert.fail();
  assert.deepEqual([comment, await objects(lab)], [`key of this migration: ${key}`, []]);
  const session = /** @type {import('../../src/pg/session.mjs').Session} */ (/** @type {unknown} */ ({ rows: async (/** @type {any} */ text) => (await lab.onBlue(/** @type {any} */ ({ text, rowMode: 'array' }))).rows }));
  assert.deepEqual([await nameOnBlue(session, name), await nameOnBlue(session, 'payment_migration_other')], [name, 'payment_migration_other']);

  const moved = movedGreen(lab);
  await moved.untilSynced(HELD);
  const [, like = ''] = /^key of this migration, now like (payment_migration_[a-z0-9_]+): large object [0-9]+$/.exec((await publication(lab))?.comment ?? '') ?? [];
  assert.notEqual(like, '');
  assert.deepEqual([await objects(lab), await keyOf(lab)], [[`key of migration ${name}`], key]);
  assert.deepEqual([await nameOnBlue(session, like), await nameOnBlue(session, name)], [name, name]);
  assert.equal((await moved.verify(HELD)).quarantined, 2);
  assert.deepEqual([await maskOf(lab, 'public.t.id', 2), await maskOf(lab, 'public.t.id', 3)], masks);

  await keptAsBefore(lab, `key of this migration, now like ${like}: %s`);
  await moved.untilSynced(HELD);
  assert.equal(await nameOnBlue(session, like), name);
  await moved.stop(HELD);
  assert.deepEqual([await objects(lab), await publication(lab)], [[], undefined]);
});

for (const level of ['ddl', 'all']) // `all` writes the parameters of all statements too
  test(`with log_statement = ${level} no server's log holds the migration's key`, async () => {
    const lab = await servers.fresh(`logged_${level}`, 'CREATE TABLE t (id integer PRIMARY KEY, v text)');
    for (const side of /** @type {const} */ (['onBlue', 'onGreen'])) await lab[side](`ALTER DATABASE logged_${level} SET log_statement = '${level}'`);
    const plain = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };
    const begun = { blue: lab.blue.serverLog().length, green: lab.green.serverLog().length };
    await lab.onBlue("INSERT INTO t VALUES (1, 'a')");
    await lab.untilSynced(plain);
    await lab.prepare(plain);
    const keys = [await keyOf(lab), await keyOf(lab, 'onGreen')];
    await keptAsBefore(lab, 'key of this migration: %s');
    const moved = movedGreen(lab);
    await moved.untilSynced(plain); // carries the key over
    assert.deepEqual([await keyOf(lab), await keyOf(lab, 'onGreen')], keys);
    await moved.stop(plain);
    assert.deepEqual([await objects(lab), await objects(lab, 'onGreen')], [[], []]);
    for (const side of /** @type {const} */ (['blue', 'green'])) {
      await lab[side].query(lab.database, `DROP TABLE IF EXISTS the_end_on_${side}`);
      const log = () => lab[side].serverLog().slice(begun[side]);
      while (!log().includes(`the_end_on_${side}`)) await new Promise((resolve) => setTimeout(resolve, 20));
      for (const text of ['COMMENT ON PUBLICATION "payment_migration_', 'COMMENT ON LARGE OBJECT ', ...(level === 'all' ? ['SELECT lo_from_bytea(0, '] : [])]) assert.ok(log().includes(text), `${side}: ${text}`);
      for (const key of keys) for (const form of /** @type {const} */ (['hex', 'base64'])) assert.ok(!log().includes(Buffer.from(key, 'hex').toString(form)), `${side}: the key is in the log`);
    }
  });
