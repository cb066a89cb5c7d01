/** Values that the mapping writes down mean what PostgreSQL takes them for. */
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
const fresh = (blue, green) => servers.fresh(`literals_${(number += 1)}`, blue, green);

/** A column's type, a literal of a filter, a value that it means, and one that it does not. @type {[string, string | number, string, string][]} */
const FILTERS = [
  ['time', '10:00', "'10:00'", "'10:00:01'"],
  ['time', '040506', "'04:05:06'", "'04:05:07'"],
  ['time with time zone', '10:00+02', "'10:00+02'", "'08:00+00'"],
  ['double precision', '1e20', "'1e20'", "'1e19'"],
  ['double precision', '0', "'-0'", "'1e-300'"],
  ['double precision', 100, "'100'", "'100.5'"],
  ['real', 'inf', "'Infinity'", "'-Infinity'"],
  ['inet', '10.0.0.1/32', "'10.0.0.1'", "'10.0.0.1/8'"],
  ['cidr', '10.0.0/24', "'10.0.0.0/24'", "'10.0.0.0/25'"],
  ['macaddr', '08002B010203', "'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"],
  ['interval', '24 hours', "'24 hours'", "'23 hours'"],
  ['interval', '24 hours', "'1 day'", "'25 hours'"],
  ['interval', '1 mon', "'30 days'", "'31 days'"],
  ['interval', '-1:30', "'-90 minutes'", "'90 minutes'"],
  ['interval', '1 year -2 mons +3 days -04:05:06.789', "'10 mons 3 days -04:05:06.789'", "'10 mons 3 days'"],
  ['numeric', '1.5', "'1.500'", "'1.501'"],
  ['numeric(10,2)', '1e2', "'100'", "'100.01'"],
  ['bit(3)', '101', "B'101'", "B'100'"],
  ['timestamp', '2026-01-01T10:00', "'2026-01-01 10:00'", "'2026-01-01 10:00:01'"],
  ['timestamptz', '2026-01-01 10:00+02', "'2026-01-01 08:00+00'", "'2026-01-01 10:00+00'"],
  ['uuid', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"],
  ['d', '10:00', "'10:00'", "'10:30'"],
  ['bytea', '\\xDEADBEEF', "'\\xdeadbeef'", "'DEADBEEF'"],
  ['bytea', 'a\\000b', "'\\x610062'", "'ab'"],
  ['bytea', 'abc', "'\\x616263'", "''"],
];

test('a filter compares as PostgreSQL does, whichever way its literal is written', async () => {
  for (const [type, literal, same, other] of FILTERS) {
    const lab = await fresh(`CREATE DOMAIN d AS time(3); CREATE TABLE t (id int PRIMARY KEY, v ${type}); CREATE TABLE u (id int PRIMARY KEY, v ${type})`);
    await lab.onBlue(`INSERT INTO t VALUES (1, ${same}), (2, ${other}), (3, NULL); INSERT INTO u TABLE t`);
    const options = { mapping: { version: 1, tables: [{ source: 'public.t', where: { column: 'v', equals: literal } }, { source: 'public.u', where: { column: 'v', notIn: [literal] } }] } };
    await lab.untilSynced(options);
    const ids = async (/** @type {string} */ table) => (await lab.onGreen(`SELECT array_agg(id ORDER BY id) AS ids FROM ${table}`)).rows[0].ids;
    assert.deepEqual([await ids('t'), await ids('u')], [[1], [2, 3]], `${type} ${literal}`);
    assert.equal((await lab.verify(options)).verdict, 'equal');
  }
});

test('what is no value of the type, would be rounded, or has no one form, is refused before anything is made', async () => {
  const ddl = "CREATE EXTENSION citext; CREATE TYPE pair AS (a int, b int); CREATE TABLE t (id int PRIMARY KEY, a time, b real, c time(0), d citext, e jsonb, f numeric[], g pair, h point, i money, j numrange, k date, l bit(3), m interval, n timetz, o bytea)";
  const lab = await fresh(ddl);
  for (const [column, literal, said] of /** @type {[string, string, RegExp][]} */ ([
    ['a', '25:00', /it takes a value of time without time zone: PostgreSQL does not take it/],
    ['m', 'soon', /PostgreSQL does not take it/],
    ['b', '16777217', /PostgreSQL would round or cut it/],
    ['c', '10:00:00.5', /PostgreSQL would round or cut it/],
    ['l', '1011', /PostgreSQL would round or cut it/],
    ['k', '2026-01-01 00:30+02', /not a date/],
    ['k', 'today', /not a date/],
    ['a', 'now', /another value each time/],
    ['n', 'NOW', /another value each time/],
    ['o', '\\xABC', /PostgreSQL does not take it/],
    ...['d', 'e', 'f', 'g', 'h', 'i', 'j'].map((name) => /** @type {[string, string, RegExp]} */ ([name, '1', /has several, or knows no equality/])),
  ])) {
    for (const where of [{ column, equals: literal }, { column, notIn: [literal] }])
      await assert.rejects(lab.run({ mapping: { version: 1, tables: [{ source: 'public.t', where }] } }), { code: 'MAPPING', message: /** @type {any} */ (said) }, `${column} ${literal}`);
  }
  assert.equal((await lab.onBlue('SELECT count(*) FROM pg_publication')).rows[0].count, '0');
});

test('a collation or a type that calls different texts equal: filters and maps that would take them for different ones are refused', async () => {
  const lab = await fresh("CREATE EXTENSION citext; CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); CREATE DOMAIN word AS text COLLATE ci; CREATE TABLE t (id int PRIMARY KEY, a text COLLATE ci, b word, c citext, d jsonb)", 'CREATE TABLE t (id int PRIMARY KEY, x text)');
  await lab.onBlue(`INSERT INTO t VALUES (1, 'New', 'New', 'New', '"new"'), (2, 'new', 'new', 'new', '"new"')`);
  const mapped = (/** @type {string} */ column, /** @type {object} */ more, /** @type {object} */ table = {}) => ({ mapping: { version: 1, tables: [{ source: 'public.t', others: 'drop', columns: { id: 'id', x: { from: column, map: { new: 'n' }, ...more } }, ...table }] } });
  for (const column of ['a', 'b', 'c']) {
    for (const otherwise of ['carry', { value: 'other' }]) await assert.rejects(lab.run(mapped(column, { otherwise })), { code: 'MAPPING', message: /otherwise.*equal values of .* have several forms/ }, column);
    for (const where of [{ column, equals: 'new' }, { not: { column, in: ['new'] } }]) await assert.rejects(lab.run(mapped(column, {}, { where })), { code: 'MAPPING', message: /equal values have one form/ }, column);
  }
  // What is not on the list as it is written there is held, and seen.
  const options = mapped('a', {});
  assert.equal((await lab.untilSynced(options)).quarantined, 1);
  assert.deepEqual((await lab.onGreen('SELECT * FROM t')).rows, [{ id: 2, x: 'n' }]);
});

test('constants, defaults, and both sides of a map are in the form that PostgreSQL writes', async () => {
  const lab = await fresh(
    'CREATE TABLE t (id int PRIMARY KEY, at time, ip inet, rate double precision, amount numeric(8,2), dur interval)',
    'CREATE TABLE t (id int PRIMARY KEY, at time, ip inet, rate double precision, amount numeric(8,2), dur text, fixed interval, net cidr)',
  );
  const columns = {
    at: { from: 'at', ifNull: '10:00' }, ip: { from: 'ip', map: { '10.0.0.1/32': '::1/128' }, otherwise: 'carry' }, rate: { from: 'rate', map: { '1e20': '1E-7', 0: 1 } },
    amount: { from: 'amount', map: { '1.5': '2' }, otherwise: { value: '3' } }, dur: { from: 'dur', map: { '1 day': 'a day' }, otherwise: 'carry' }, fixed: { constant: '90 minutes' }, net: { constant: '10/8' },
  };
  const options = { mapping: { version: 1, tables: [{ source: 'public.t', columns }] } };
  await lab.onBlue("INSERT INTO t VALUES (1, NULL, '10.0.0.1', 1e20, 1.50, '24:00'), (2, '09:00', '10.0.0.2', '-0', 1.51, '25:00')");
  await lab.untilSynced(options);
  assert.deepEqual((await lab.onGreen('SELECT format(\'%s\', t) AS t FROM t ORDER BY id')).rows.map((/** @type {{t: string}} */ { t }) => t), [
    '(1,10:00:00,::1,1e-07,2.00,"a day",01:30:00,10.0.0.0/8)', '(2,09:00:00,10.0.0.2,1,3.00,25:00:00,01:30:00,10.0.0.0/8)',
  ]);
  assert.equal((await lab.verify(options)).verdict, 'equal');
  await lab.stop(options);
  await lab.onGreen('TRUNCATE t');
  const put = { mapping: { version: 1, tables: [{ source: 'public.t', others: 'drop', columns: { id: 'id', net: { concat: ['ip'] } } }] } };
  await assert.rejects(lab.run({ ...put }), { code: 'MAPPING', message: /** @type {any} */ (/can't be brought into the form in which PostgreSQL writes this type/) });
});

test('a constant that means the moment at which it is read is refused; the same word in a text is a word', async () => {
  const lab = await fresh('CREATE TABLE t (id int PRIMARY KEY)', 'CREATE TYPE pair AS (a timetz, b text); CREATE TABLE t (id int PRIMARY KEY, r tstzrange, d date[], p pair, w text[], s text, b bytea)');
  await lab.onBlue('INSERT INTO t VALUES (1)');
  const options = (/** @type {Record<string, string>} */ columns) => ({ mapping: { version: 1, tables: [{ source: 'public.t', columns: Object.fromEntries(Object.entries(columns).map(([name, constant]) => [name, { constant }])) }] } });
  for (const [column, constant] of /** @type {[string, string][]} */ ([['r', '[now,infinity)'], ['r', '[2026-01-01,tomorrow)'], ['d', '{2026-01-01,yesterday}'], ['p', '(now,today)']]))
    await assert.rejects(lab.run(options({ [column]: constant })), { code: 'MAPPING', message: /** @type {any} */ (/another value each time/) }, constant);
  const fixed = options({ r: '[2026-01-01,infinity)', p: '(10:00,today)', w: '{today,now}', s: 'today', b: '\\x00FF' });
  await lab.untilSynced(fixed);
  assert.deepEqual((await lab.onGreen("SELECT upper_inf(r) AS inf, (p).b, w::text, s, encode(b, 'hex') AS bytes FROM t")).rows, [{ inf: false, b: 'today', w: '{today,now}', s: 'today', bytes: '00ff' }]);
  assert.equal((await lab.verify(fixed)).verdict, 'equal');
});
