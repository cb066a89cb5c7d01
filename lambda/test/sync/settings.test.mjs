/** Settings of roles, databases and servers that change how values are written and read. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';

const OPTIONS = { mapping: { version: 1, tables: [{ source: 'public.t', columns: { z: { from: 'z', ifNull: '-' } } }] } };

/** Locales that most machines have not: made for the servers of this file. */
const directory = mkdtempSync(join(tmpdir(), 'migration-locales-'));
chmodSync(directory, 0o755);
const made = ['es_AR', 'de_DE', 'ja_JP', 'ar_BH'].filter((name) => {
  spawnSync('localedef', ['-c', '-i', name, '-f', 'UTF-8', join(directory, `${name}.UTF-8`)], { stdio: 'ignore' });
  return spawnSync('ls', [join(directory, `${name}.UTF-8`, 'LC_MONETARY')], { stdio: 'ignore' }).status === 0;
});
const noLocales = made.length < 4 && 'localedef or its sources are not installed';

/** @type {Lab} */
let servers;
let number = 0;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '40' }, { LOCPATH: directory })));
after(async () => {
  await servers.remove();
  rmSync(directory, { recursive: true });
});

/** Who migrates here: the test's own sessions do not have what this role has set. */
const MOVER = { username: 'mover', password: 'm' };
before(() => Promise.all([servers.blue, servers.green].map((server) => server.query('postgres', `CREATE ROLE ${MOVER.username} SUPERUSER LOGIN PASSWORD '${MOVER.password}'`))));

/** @param {string} ddl @param {string} [blue] a setting of the database, or of the role that migrates where the test's own sessions can't live with it @param {string} [green] */
async function fresh(ddl, blue, green) {
  const lab = await servers.fresh(`settings_${(number += 1)}`, ddl);
  lab.logins = { source: MOVER, target: MOVER };
  const set = (/** @type {string} */ setting) => `${setting.startsWith('idle_session_timeout') ? `ALTER ROLE ${MOVER.username} IN DATABASE` : 'ALTER DATABASE'} ${lab.database} SET ${setting}`;
  if (blue !== undefined) await lab.onBlue(set(blue));
  if (green !== undefined) await lab.onGreen(set(green));
  return lab;
}

test('money arrives as the same amount, whatever the servers write it like', { skip: noLocales }, async () => {
  for (const [from, to] of [['es_AR.UTF-8', 'C'], ['C', 'es_AR.UTF-8'], ['de_DE.UTF-8', 'es_AR.UTF-8'], ['ja_JP.UTF-8', 'ja_JP.UTF-8'], ['ar_BH.UTF-8', 'ar_BH.UTF-8']]) {
    const lab = await fresh('CREATE TABLE t (id int PRIMARY KEY, m money, a money[], z text)', `lc_monetary = '${from}'`, `lc_monetary = '${to}'`);
    await lab.onBlue("INSERT INTO t VALUES (1, 7.5::numeric::money, ARRAY[7.5::numeric::money]), (2, '-1234567'::numeric::money, NULL)");
    await lab.untilSynced(OPTIONS);
    await lab.onBlue('INSERT INTO t VALUES (3, 1.25::numeric::money, NULL); UPDATE t SET m = m * 2 WHERE id = 1');
    assert.equal((await lab.verify(OPTIONS)).verdict, 'equal', `${from} to ${to}`);
    const amounts = 'SELECT id, m::numeric, a[1]::numeric AS a FROM t ORDER BY id';
    assert.deepEqual((await lab.onGreen(amounts)).rows, (await lab.onBlue(amounts)).rows, `${from} to ${to}`);
  }
});

test('money with another number of decimals on the two sides is refused', { skip: noLocales }, async () => {
  for (const [from, to] of [['ja_JP.UTF-8', 'C'], ['C', 'ja_JP.UTF-8'], ['ar_BH.UTF-8', 'es_AR.UTF-8']])
    for (const type of ['money', 'money[]', 'd', 'p']) {
      const lab = await fresh(`CREATE DOMAIN d AS money; CREATE TYPE p AS (a int, m money); CREATE TABLE t (id int PRIMARY KEY, m ${type}, z text)`, `lc_monetary = '${from}'`, `lc_monetary = '${to}'`);
      await assert.rejects(lab.run(OPTIONS), { code: 'SETTINGS_DIFFER', table: 'public.t' }, `${from} to ${to}`);
      assert.equal((await lab.onBlue('SELECT count(*) FROM pg_publication')).rows[0].count, '0');
    }
});

test('money is not made a text, which would be that of one setting', async () => {
  const lab = await servers.fresh('settings_text', 'CREATE TABLE t (id int PRIMARY KEY, m money)', 'CREATE TABLE t (id int PRIMARY KEY, m text)');
  await assert.rejects(lab.run({ mapping: { version: 1, tables: [{ source: 'public.t', columns: { m: { from: 'm', cast: 'text' } } }] } }), { code: 'MAPPING' });
});

/** @type {[string, string, string][]} */
const SETTINGS = [
  ['array_nulls = off', 'text[]', `ARRAY[NULL, 'NULL', 'x']::text[]`],
  ['extra_float_digits = -5', 'double precision', '0.1::double precision + 0.2::double precision'],
  ["datestyle = 'German, DMY'", 'timestamptz', "'2024-02-03 04:05:06.7+00'::timestamptz"],
  ["timezone = 'Asia/Kolkata'", 'time with time zone', "'10:00+02'::timetz"],
  ["intervalstyle = 'sql_standard'", 'interval', "make_interval(months => -14, days => 3, secs => -0.5)"],
  ["bytea_output = 'escape'", 'bytea', `decode('00ff5c', 'hex')`],
  ['standard_conforming_strings = off', 'text', `chr(92) || 'n' || chr(92)`],
  ['quote_all_identifiers = on', 'mood', `'so "so"'::mood`],
  ['default_transaction_read_only = on', 'integer', '7'],
  ["default_transaction_isolation = 'serializable'", 'integer', '7'],
  ['synchronous_commit = off', 'integer', '7'],
  ["search_path = 'nowhere'", 'mood[]', `ARRAY['ok']::public.mood[]`],
  ["xmloption = 'document'", 'xml', `xmlparse(content 'a <b/> text')`],
  ['row_security = on', 'integer', '7'],
  ["idle_session_timeout = '30ms'", 'integer', '7'],
];

test('what a role or database has set does not change a value on the way', async () => {
  const ddl = `CREATE TYPE mood AS ENUM ('ok', 'so "so"'); CREATE TABLE t (id int PRIMARY KEY, z text, ${SETTINGS.map(([, type], i) => `v${i} ${type}`).join(', ')})`;
  // Each of them on one side only: a value that is read there under another setting than it is written under here differs.
  for (const side of ['blue', 'green']) {
    const lab = await fresh(ddl);
    const on = side === 'blue' ? lab.onBlue.bind(lab) : lab.onGreen.bind(lab);
    for (const [setting] of SETTINGS) await on(`SET default_transaction_read_only = off; ALTER ROLE ${MOVER.username} IN DATABASE ${lab.database} SET ${setting}`);
    const write = (/** @type {number} */ id) => lab.onBlue(`INSERT INTO t VALUES (${id}, NULL, ${SETTINGS.map(([, , value]) => value).join(', ')})`);
    await write(1);
    await lab.untilSynced(OPTIONS);
    await write(2);
    await lab.untilSynced(OPTIONS);
    const verdict = await lab.verify(OPTIONS);
    assert.deepEqual([verdict.verdict, verdict.tables[0]?.greenRows], ['equal', 2], `${side}: ${JSON.stringify(verdict)}`);
    for (const [i, [setting]] of SETTINGS.entries()) {
      const plain = `SET extra_float_digits = 3; SELECT format('%s', v${i}) AS v FROM t ORDER BY id`;
      assert.deepEqual((await lab.onGreen(plain)).rows, (await lab.onBlue(plain)).rows, `${setting} on ${side}`);
    }
    assert.equal((await lab.stop(OPTIONS)).slotDropped, true);
  }
});

test('a session that a setting would end with the first error goes on: the row that green refuses is held, and the others arrive', async () => {
  const lab = await servers.fresh('settings_exit', 'CREATE TABLE t (id int PRIMARY KEY, v text, z text)', "CREATE TABLE t (id int PRIMARY KEY, v text CHECK (v <> 'bad'), z text)");
  await lab.onGreen(`ALTER DATABASE ${lab.database} SET exit_on_error = on`);
  await lab.onBlue("INSERT INTO t VALUES (1, 'bad'), (2, 'good')");
  await lab.untilSynced(OPTIONS);
  await lab.onBlue("INSERT INTO t VALUES (3, 'bad'), (4, 'good')");
  assert.equal((await lab.untilSynced(OPTIONS)).quarantined, 2);
  assert.deepEqual((await lab.onGreen('SELECT id FROM t ORDER BY id')).rows, [{ id: 2 }, { id: 4 }]);
  assert.deepEqual(lab.lines.filter((line) => line.includes('transient')), []);
});

test("a time limit for locks that a role has does not keep the slot from waiting for blue's running transactions", async () => {
  const lab = await servers.fresh('settings_lock', 'CREATE TABLE t (id int PRIMARY KEY, v int, z text); CREATE TABLE other (id int)');
  for (const side of /** @type {const} */ (['onBlue', 'onGreen'])) await lab[side](`ALTER DATABASE ${lab.database} SET lock_timeout = '5ms'`);
  await lab.onBlue('INSERT INTO t VALUES (1, 1)');
  const open = await lab.blue.connect(lab.database);
  await open.query('BEGIN; INSERT INTO other VALUES (1)');
  const run = lab.untilSynced(OPTIONS);
  while (!lab.lines.some((line) => line.includes("waits for blue's running transactions"))) await new Promise((resolve) => setTimeout(resolve, 5));
  await open.query('COMMIT');
  await open.end();
  await run;
  assert.equal((await lab.verify(OPTIONS)).ok, true);
  assert.deepEqual(lab.lines.filter((line) => line.includes('transient')), []);
});

test('a time limit for sessions that do nothing for a moment ends no session of the migration', async () => {
  const ddl = 'CREATE TABLE t (id int PRIMARY KEY, v int, z text, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL';
  const lab = await fresh(ddl, "idle_session_timeout = '20ms'", "idle_session_timeout = '20ms'");
  await lab.onBlue("INSERT INTO t SELECT i, i, 'z', repeat('b', 3000) FROM generate_series(1, 5000) i");
  await lab.untilSynced(OPTIONS);
  await lab.onBlue('UPDATE t SET v = v + 1');
  await lab.untilSynced(OPTIONS);
  assert.equal((await lab.verify(OPTIONS)).verdict, 'equal');
  assert.deepEqual(lab.lines.filter((line) => line.includes('transient')), []);
});
