import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Lab } from '../support/lab.mjs';

/** Every type with its odd values: type, then SQL expressions. @type {[string, string[]][]} */
const TYPES = [
  ['smallint', ['-32768', '32767']],
  ['integer', ['-2147483648']],
  ['bigint', ['9223372036854775807']],
  ['numeric', ['1e-300', "'NaN'", "'Infinity'", "'-Infinity'", '12345678901234567890123456789012345678901234567890.000', '0.10']],
  ['numeric(30,6)', ['1.5', '-0.000001']],
  ['real', ['1.1', "'-0'", "'NaN'", '3.4028235e38']],
  ['double precision', ['0.1', '2.2250738585072014e-308', "'Infinity'", '1/3.0']],
  ['boolean', ['true', 'false']],
  ['text', ["''", "E'tab\\tline\\nreturn\\rback\\\\slash \\\\N'", "'\\N'", "'Zürich 日本 🂡'", "repeat('ä', 5000)"]],
  ['varchar(10)', ["'  x  '"]],
  ['char(5)', ["'ab'", "''"]],
  ['bytea', ["''", "'\\x00ff5c0a0d'", "decode(repeat('00', 3000), 'hex')"]],
  ['date', ["'infinity'", "'-infinity'", "'0044-03-15 BC'", "'5874897-12-31'"]],
  ['time', ["'24:00:00'", "'00:00:00.000001'"]],
  ['timetz', ["'12:00:00.5+14'"]],
  ['timestamp', ["'infinity'", "'0001-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'"]],
  ['timestamptz', ["'infinity'", "'-infinity'", "'2024-03-31 02:30:00.123456 Europe/Zurich'", "'4713-01-01 00:00:00+00 BC'"]],
  ['interval', ["'-1 year -2 mons +3 days -04:05:06.789'", "'178000000 years'", "'1 day -00:00:00.000001'"]],
  ['uuid', ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"]],
  ['json', [`'{"b": 1,  "a": [null, 1.0, "\\u00e9"], "b": 2}'`]],
  ['jsonb', [`'{"b": 1e2, "a": [null, 1.50, "\\"\\\\"]}'`, "'null'"]],
  ['integer[]', ["'{}'", "'{1,NULL,3}'", "'[0:1]={5,6}'", "'{{1,2},{3,4}}'"]],
  ['text[]', [`'{"a,b","c\\"d","NULL",NULL,""}'`]],
  ['mood', ["'ok'", `'so "so"'`]],
  ['mood[]', [`'{ok,"so \\"so\\""}'`]],
  ['inet', ["'10.0.0.1/8'", "'::1'"]],
  ['cidr', ["'10.0.0.0/8'"]],
  ['macaddr', ["'08:00:2b:01:02:03'"]],
  ['bit(3)', ["B'101'"]],
  ['varbit', ["B''", "B'1011'"]],
  ['money', ["'-1234.56'"]],
  ['point', ["'(0.1,2)'"]],
  ['daterange', ["'empty'", "'[2024-01-01,)'"]],
  ['int8range', ["'(,5)'"]],
  ['tsvector', ["'fat:2 cat:1'::tsvector"]],
  ['xml', ["'<a>ü</a>'::xml"]],
  ['positive', ['7']],
  ['pair', ["ROW(1, 'a,\"b')::pair"]],
];
const PRELUDE = `CREATE TYPE mood AS ENUM ('ok', 'so "so"'); CREATE DOMAIN positive AS integer CHECK (value > 0); CREATE TYPE pair AS (a int, b text);`;
const columns = TYPES.map(([type], i) => `c${i} ${type}`).join(', ');
const DDL = `${PRELUDE} CREATE TABLE every (id integer PRIMARY KEY, ${columns});
  ${TYPES.filter(([type]) => !['json', 'xml', 'point'].includes(type)).map(([type], i) => `CREATE TABLE key_${i} (key ${type} PRIMARY KEY, value text);`).join('\n')}`;
const KEYED = TYPES.filter(([type]) => !['json', 'xml', 'point'].includes(type));
const MAPPING = { version: 1, tables: [{ source: 'public.every' }, ...KEYED.map((_, i) => ({ source: `public.key_${i}` }))] };

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start()));
after(() => servers.remove());

test('every type arrives without loss, by the copy, as a change and as a key', async () => {
  const lab = await servers.fresh('types', DDL);
  const rows = Math.max(...TYPES.map(([, values]) => values.length));
  const insert = (/** @type {number} */ first) => {
    const list = Array.from({ length: rows }, (_, n) => `(${first + n}, ${TYPES.map(([type, values]) => (values[n] === undefined ? 'NULL' : `(${values[n]})::${type}`)).join(', ')})`);
    return `INSERT INTO every VALUES ${list.join(', ')}`;
  };
  const keys = (/** @type {(n: number) => boolean} */ chosen) =>
    KEYED.flatMap(([type, values], i) => values.filter((value, n) => chosen(n) && !/repeat/.test(value)).map((value) => `INSERT INTO key_${i} VALUES ((${value})::${type}, 'v')`)).join(';');
  await lab.onBlue(`${insert(1)}; ${keys((n) => n % 2 === 0)}`);
  await lab.untilSynced({ mapping: MAPPING });
  await lab.onBlue(`${insert(100)}; ${keys((n) => n % 2 === 1)}; UPDATE every SET c0 = 5 WHERE id IN (1, 2); ${KEYED.map((_, i) => `UPDATE key_${i} SET value = 'w'`).join(';')}`);
  await lab.untilSynced({ mapping: MAPPING });
  await same(lab, 'every', 'id');
  for (const i of KEYED.keys()) await same(lab, `key_${i}`, 'key');
  await lab.onBlue(KEYED.map((_, i) => `DELETE FROM key_${i}`).join(';'));
  await lab.untilSynced({ mapping: MAPPING });
  for (const i of KEYED.keys()) assert.equal((await lab.onGreen(`SELECT count(*) FROM key_${i}`)).rows[0].count, '0', KEYED[i]?.[0]);
  const verdict = await lab.verify({ mapping: MAPPING });
  assert.equal(verdict.verdict, 'equal', JSON.stringify(verdict.tables.filter(({ ok }) => !ok)));
});

test('bytes of the type "char" that are no text are held, by the copy and as a change; others arrive', async () => {
  const byte = (/** @type {number} */ n) => `chr(${n})::"char"`;
  const lab = await servers.fresh('bytes', 'CREATE TABLE t (id int PRIMARY KEY, v "char", a "char"[])');
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };
  await lab.onBlue(`INSERT INTO t VALUES (1, 'a', '{b}'), (2, ${byte(200)}, NULL), (3, '', ARRAY[${byte(233)}])`);
  await lab.untilSynced(options);
  await lab.onBlue(`INSERT INTO t VALUES (4, ${byte(201)}, NULL), (5, 'x', NULL)`);
  assert.equal((await lab.untilSynced(options)).quarantined, 3);
  await same(lab, "(SELECT * FROM t WHERE id IN (1, 5))", 'id');
  assert.deepEqual([(await lab.onGreen('SELECT count(*)::int AS n FROM t')).rows[0].n, (await lab.verify(options)).verdict], [2, 'held-back']);
});

/** @param {Lab} lab @param {string} table @param {string} key */
async function same(lab, table, key) {
  const sql = `SELECT t::text AS row FROM ${table} t ORDER BY ${key}`;
  const [blue, green] = await Promise.all([lab.onBlue(sql), lab.onGreen(sql)]);
  assert.ok(blue.rows.length > 0, table);
  assert.deepEqual(green.rows, blue.rows, table);
}
