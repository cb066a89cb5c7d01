/** Same name is not same type: what a type is on both sides is compared before anything is made on blue. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';

/** @type {Lab} */
let servers;
let number = 0;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '60' })));
after(() => servers.remove());

/** @param {string} blue @param {string} [green] */
const fresh = (blue, green) => servers.fresh(`types_${(number += 1)}`, blue, green);

const mappings = (/** @type {object} */ more = {}) => [
  { version: 1, ...more, tables: [{ source: 'public.t' }] },
  { version: 1, ...more, tables: [{ source: 'public.t', columns: { z: { from: 'z', ifNull: '-' } } }] },
];

/** A collation that calls different texts equal: to a key or a unique index two rows of blue are one then. */
const LOOSE = "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";

/** Types that differ under one name: on blue, on green, what is said of it. @type {[string, string, string, RegExp][]} */
const DIFFERENT = [
  ['v', 'CREATE DOMAIN v AS numeric(12,4)', 'CREATE DOMAIN v AS numeric(12,2)', /it is public\.v \(a domain over numeric\(12,4\)\), the target column is public\.v \(a domain over numeric\(12,2\)\): say so with "cast": "numeric\(12,2\)"/],
  ['v', 'CREATE DOMAIN v AS timestamp', 'CREATE DOMAIN v AS timestamp(0)', /domain over timestamp\(0\)/],
  ['v', 'CREATE DOMAIN v AS varchar(10)', 'CREATE DOMAIN v AS varchar(4)', /"cast": "character varying\(4\)"/],
  ['v', 'CREATE DOMAIN v AS char(10)', 'CREATE DOMAIN v AS varchar(10)', /"cast"/],
  ['v', 'CREATE DOMAIN w AS numeric(12,4); CREATE DOMAIN v AS w', 'CREATE DOMAIN w AS numeric(12,3); CREATE DOMAIN v AS w', /numeric\(12,3\)/],
  ['v[]', 'CREATE DOMAIN v AS numeric(12,4)', 'CREATE DOMAIN v AS numeric(12,2)', /the definitions of public\.v|no lossless conversion/],
  ['v', 'CREATE DOMAIN v AS time', 'CREATE DOMAIN v AS time(0)', /no lossless conversion|differ/],
  ['v', 'CREATE DOMAIN v AS bit(4)', 'CREATE DOMAIN v AS bit(8)', /no lossless conversion|differ/],
  ['v', 'CREATE TYPE v AS (a int, b int)', 'CREATE TYPE v AS (b int, a int)', /their attributes differ: \(a integer, b integer\) on blue, \(b integer, a integer\) on green/],
  ['v', 'CREATE TYPE v AS (a numeric(8,4), b text)', 'CREATE TYPE v AS (a numeric(8,2), b text)', /their attributes differ/],
  ['v[]', 'CREATE TYPE v AS (a int, b text)', 'CREATE TYPE v AS (a int, b varchar(3))', /their attributes differ/],
  ['v', `${LOOSE}; CREATE TYPE v AS (a text)`, `${LOOSE}; CREATE TYPE v AS (a text COLLATE ci)`, /their attributes differ: \(a text\) on blue, \(a text COLLATE public\.ci\) on green/],
  ['v[]', `${LOOSE}; CREATE TYPE w AS (a text); CREATE TYPE v AS (x int, y w)`, `${LOOSE}; CREATE TYPE w AS (a text COLLATE ci); CREATE TYPE v AS (x int, y w)`, /their attributes differ/],
  ['v', 'CREATE TYPE v AS (a int, b text)', 'CREATE DOMAIN v AS text', /no lossless conversion|one is/],
  ['v', "CREATE TYPE v AS ENUM ('new', 'done')", "CREATE TYPE v AS ENUM ('done', 'new')", /its labels stand in another order there/],
  ['v[]', "CREATE TYPE v AS ENUM ('new', 'done')", "CREATE TYPE v AS ENUM ('new')", /its labels "done" are not there/],
  ['v', "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TYPE v AS (x e)", "CREATE TYPE e AS ENUM ('b', 'a'); CREATE TYPE v AS (x e)", /their attributes differ/],
  ['v', 'CREATE TYPE v AS RANGE (subtype = timestamp)', 'CREATE TYPE v AS RANGE (subtype = timestamptz)', /the definitions of public\.v differ/],
  ['v', 'CREATE TYPE v AS RANGE (subtype = text, collation = "C")', 'CREATE TYPE v AS RANGE (subtype = text, collation = "POSIX")', /the definitions of public\.v differ/],
  ['citext', 'CREATE EXTENSION citext', "CREATE EXTENSION citext VERSION '1.5'", /the extension citext has version 1\.6 on blue and 1\.5 on green/],
  ['hstore', 'CREATE EXTENSION hstore', "CREATE EXTENSION hstore VERSION '1.5'", /the extension hstore has version/],
  ['hstore[]', 'CREATE EXTENSION hstore', "CREATE EXTENSION hstore VERSION '1.5'", /the extension hstore has version/],
  ['citext', 'CREATE EXTENSION citext', 'CREATE DOMAIN citext AS varchar(20)', /the target column is public\.citext \(a domain over character varying\(20\)\)/],
];

test('types of one name that are not one type are refused, and blue is left as it was', async () => {
  for (const [type, onBlue, onGreen, said] of DIFFERENT) {
    const table = `CREATE TABLE t (id int PRIMARY KEY, v ${type}, z text)`;
    const lab = await fresh(`${onBlue}; ${table}`, `${onGreen}; ${table}`);
    for (const mapping of mappings()) await assert.rejects(lab.run({ mapping }), { code: 'MAPPING', message: /** @type {any} */ (said) }, onGreen);
    assert.equal((await lab.onBlue("SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_replication_slots WHERE database = current_database()) AS n")).rows[0].n, '0');
  }
});

/** Types that are one, or of which the one holds the other: type, blue, green, value. @type {[string, string, string, string][]} */
const ALIKE = [
  ['v', 'CREATE DOMAIN v AS numeric(12,2)', 'CREATE DOMAIN v AS numeric(14,4)', '12.34'],
  ['v', 'CREATE DOMAIN v AS numeric(12,2) CHECK (value > 0)', 'CREATE DOMAIN v AS numeric', '12.30'],
  ['v', 'CREATE DOMAIN v AS varchar(4)', 'CREATE DOMAIN v AS text', "'a  '"],
  ['v[]', 'CREATE DOMAIN v AS varchar(4)', 'CREATE DOMAIN v AS varchar(8)', `'{"a ",NULL,"NULL"}'`],
  ['v', 'CREATE TYPE v AS (a int, b text)', 'CREATE TYPE v AS (a bigint, b text)', `'(1,"a, b")'`],
  ['v', "CREATE TYPE v AS ENUM ('a', 'c')", "CREATE TYPE v AS ENUM ('a', 'b', 'c')", "'c'"],
  ['v[]', "CREATE TYPE v AS ENUM ('a', 'c')", "CREATE TYPE v AS ENUM ('a', 'b', 'c')", "'{c,a}'"],
  ['v', 'CREATE TYPE v AS RANGE (subtype = timestamp)', 'CREATE TYPE v AS RANGE (subtype = timestamp)', "'[2024-01-01,2024-02-01)'"],
  ['integer[]', '', '', "'[0:1]={1,2}'"],
  ['point', '', '', "'(1,2)'"],
  ['v', `${LOOSE}; CREATE TYPE v AS (a text COLLATE ci)`, `${LOOSE}; CREATE TYPE v AS (a text COLLATE ci)`, "'(A)'"],
  ['hstore', 'CREATE EXTENSION hstore', 'CREATE EXTENSION hstore', `'a=>"1, 2",b=>NULL'`],
  ['ltree', 'CREATE EXTENSION ltree', 'CREATE EXTENSION ltree', "'a.b'"],
];

test('types that are one, or of which the one holds the other, arrive as they are', async () => {
  for (const [type, onBlue, onGreen, value] of ALIKE) {
    const table = `CREATE TABLE t (id int PRIMARY KEY, v ${type}, z text)`;
    const lab = await fresh(`${onBlue}; ${table}`, `${onGreen}; ${table}`);
    const [, options] = mappings().map((mapping) => ({ mapping }));
    await lab.onBlue(`INSERT INTO t VALUES (1, ${value}, NULL)`);
    await lab.untilSynced(/** @type {{mapping: object}} */ (options));
    await lab.onBlue(`INSERT INTO t VALUES (2, ${value}, NULL)`);
    const verdict = await lab.verify(/** @type {{mapping: object}} */ (options));
    assert.deepEqual([verdict.ok, verdict.tables[0]?.greenRows], [true, 2], `${onGreen}: ${JSON.stringify(verdict)}`);
  }
});

test('a domain is what it is made from: to the plain type and back, in another schema', async () => {
  const lab = await fresh(
    'CREATE DOMAIN d AS text; CREATE TABLE t (id int PRIMARY KEY, v d, w varchar(5), z text)',
    'CREATE SCHEMA app; CREATE DOMAIN app.d AS varchar(5); CREATE DOMAIN app.e AS app.d NOT NULL; CREATE TABLE t (id int PRIMARY KEY, v text, w app.e, z text)',
  );
  const options = { mapping: mappings()[1] };
  await lab.onBlue("INSERT INTO t VALUES (1, 'v', 'w'), (2, 'v', NULL)");
  assert.equal((await lab.untilSynced(options)).quarantined, 1);
  assert.match((await lab.onGreen('SELECT reason FROM payment_migration.quarantine')).rows[0].reason, /NULL, which the target column does not take/);
  assert.equal((await lab.verify(options)).verdict, 'held-back');
});

test('a key that green compares by another collation is refused', async () => {
  const collation = "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
  for (const [onBlue, onGreen, refused] of /** @type {[string, string, boolean][]} */ ([['text', 'text COLLATE ci', true], ['text COLLATE ci', 'text COLLATE ci', false], ['text COLLATE ci', 'text', false]])) {
    const lab = await fresh(`${collation}; CREATE TABLE t (k ${onBlue} PRIMARY KEY)`, `${collation}; CREATE TABLE t (k ${onGreen} PRIMARY KEY)`);
    const run = lab.run({ mapping: mappings()[0] });
    if (refused) await assert.rejects(run, { code: 'MAPPING', message: /** @type {any} */ (/the collation public\.ci of green's key calls texts equal/) });
    else await run;
  }
});

test('a column that blue computes: green computes it in the same way, or the mapping says what is meant', async () => {
  const table = (/** @type {string} */ g) => `CREATE TABLE t (id int PRIMARY KEY, v numeric, g ${g})`;
  const [twice, rounded, plain] = ['numeric GENERATED ALWAYS AS (v * 2) STORED', 'numeric GENERATED ALWAYS AS (round(v * 2)) STORED', 'numeric'].map(table);
  for (const [onGreen, more, holds] of /** @type {const} */ ([[twice, {}, '6.6'], [rounded, {}, undefined], [plain, {}, undefined], [rounded, { drop: ['g'] }, '7'], [plain, { columns: { g: 'v' } }, undefined], [plain, { columns: { g: 'v', v: 'v' } }, '3.3'], [plain, { drop: ['g'] }, null]])) {
    const lab = await fresh(/** @type {string} */ (twice), onGreen);
    await lab.onBlue('INSERT INTO t (id, v) VALUES (1, 3.3)');
    const options = { mapping: { version: 1, tables: [{ source: 'public.t', ...more }] } };
    if (holds === undefined) await assert.rejects(lab.run(options), { code: 'MAPPING' });
    else {
      await lab.untilSynced(options);
      assert.deepEqual((await lab.onGreen('SELECT g FROM t')).rows, [{ g: holds }]);
    }
  }
});

test('versions of an extension that are known to write values alike may be named', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY, v citext, z text)';
  const lab = await fresh(`CREATE EXTENSION citext; ${table}`, `CREATE EXTENSION citext VERSION '1.5'; ${table}`);
  const options = { mapping: mappings({ extensions: ['citext'] })[0] };
  await lab.onBlue("INSERT INTO t VALUES (1, 'Ab')");
  await lab.untilSynced(options);
  assert.equal((await lab.verify(options)).ok, true);
});
