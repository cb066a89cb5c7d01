/** `ok: true` is a proof: what verify did not see, could not read or would have read through green's own types makes it false. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { verify } from '../../src/verify/run.mjs';
import { invocationOf } from '../support/invocation.mjs';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';

const ONE = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };
/** A plan that transforms rows, by a spare column. */
const TRANSFORMING = { mapping: { version: 1, tables: [{ source: 'public.t', columns: { z: { from: 'z', ifNull: '-' } } }] } };

/** @type {Lab} */
let servers;
let number = 0;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '60' })));
after(() => servers.remove());

/** @param {string} blue @param {string} [green] */
const fresh = (blue, green) => servers.fresh(`proof_${(number += 1)}`, blue, green);

test('rows in quarantine because a domain of green refuses them: the verdict says so, and the other tables are compared', async () => {
  for (const [type, onGreen, good, bad] of /** @type {[string, string, string, string][]} */ ([
    ['CREATE DOMAIN email AS text', "CREATE DOMAIN email AS text CHECK (value LIKE '%@%')", "'a@b'", "'no'"],
    ['CREATE DOMAIN email AS text', 'CREATE DOMAIN email AS text NOT NULL', "'a@b'", 'NULL'],
    ['CREATE DOMAIN email AS integer[]', 'CREATE DOMAIN email AS integer[] CHECK (array_length(value, 1) < 3)', "'{1,2}'", "'{1,2,3}'"],
  ])) {
    const table = 'CREATE TABLE t (id int PRIMARY KEY, m email, z text); CREATE TABLE other (id int PRIMARY KEY)';
    const lab = await fresh(`${type}; ${table}`, `${onGreen}; ${table}`);
    await lab.onBlue(`INSERT INTO t VALUES (1, ${good}), (2, ${bad}); INSERT INTO other VALUES (1)`);
    for (const mapping of [ONE.mapping, TRANSFORMING.mapping]) {
      const options = { mapping: { ...mapping, tables: [...mapping.tables, { source: 'public.other' }] } };
      assert.equal((await lab.untilSynced(options)).quarantined, 1, onGreen);
      const verdict = await lab.verify(options);
      assert.deepEqual([verdict.ok, verdict.verdict, verdict.mismatches, verdict.quarantined, verdict.tables.length], [false, 'held-back', 0, 1, 2], onGreen);
      await lab.stop(options);
      await lab.onGreen('TRUNCATE t, other; DELETE FROM payment_migration.quarantine');
    }
  }
});

test('a key whose equal values are written differently, and a row that is wrong in quarantine and on green at once', async () => {
  const ddl = 'CREATE TABLE t (id numeric PRIMARY KEY, v interval, z text)';
  const lab = await fresh(ddl, ddl.replace('v interval', "v interval CHECK (v <> '1 day')"));
  await lab.onBlue("INSERT INTO t VALUES (1.50, '1 mon'), (2.0, '24:00:00'), (3, '2 days')");
  assert.equal((await lab.untilSynced(ONE)).quarantined, 1); // 24:00:00 equals 1 day
  assert.equal((await lab.verify(ONE)).verdict, 'held-back');
  await lab.onGreen("INSERT INTO t VALUES (2.0, '1 mon')"); // what is in quarantine must not be there
  let verdict = await lab.verify(ONE);
  assert.deepEqual([verdict.verdict, verdict.tables[0]?.extra, verdict.tables[0]?.firstKeys?.length], ['different', 1, 1]);
  await lab.onGreen("DELETE FROM t WHERE id = 2; UPDATE t SET v = '30 days' WHERE id = 1.5"); // equal to PostgreSQL, not the same
  verdict = await lab.verify(ONE);
  assert.deepEqual([verdict.verdict, verdict.tables[0]?.different, verdict.tables[0]?.firstKeys?.length], ['different', 1, 1]);
});

test('a table of 1598 columns, the most that can be mapped, is compared', async () => {
  const lab = await fresh(`CREATE TABLE t (id int PRIMARY KEY, ${Array.from({ length: 1597 }, (_, i) => `c${i} ${i % 3 === 0 ? 'smallint' : 'bool'}`).join(', ')})`);
  await lab.onBlue(`INSERT INTO t SELECT i, ${Array.from({ length: 1597 }, (_, i) => (i % 3 === 0 ? '-30000' : 'true')).join(', ')} FROM generate_series(1, 20) i`);
  await lab.untilSynced(ONE);
  await lab.onGreen('UPDATE t SET c1 = false WHERE id = 7');
  const verdict = await lab.verify(ONE);
  assert.deepEqual([verdict.verdict, verdict.tables[0]?.firstKeys?.length], ['different', 1]);
});

/** Does something on blue at the moment that a table has been compared. @param {Lab} lab @param {{mapping: unknown}} options @param {string} table @param {() => Promise<unknown>} action */
async function verifyWhile(lab, options, table, action) {
  /** @type {Promise<unknown> | undefined} */
  let acted;
  const invocation = invocationOf(lab.parts(options), undefined, (line) => {
    if (acted === undefined && line.includes('"compared"') && line.includes(`"table":"${table}"`)) acted = action();
  });
  const verdict = await verify(invocation);
  await acted;
  return verdict;
}

test('a table that is truncated, rewritten or repartitioned while others are compared gives no false alarm', async () => {
  const ddl = `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id); CREATE TABLE b_1 PARTITION OF b FOR VALUES FROM (0) TO (100);
    CREATE TABLE b_2 PARTITION OF b FOR VALUES FROM (100) TO (200); CREATE TABLE c (name text PRIMARY KEY)`;
  const options = { mapping: { version: 1, tables: [{ source: 'public.a' }, { source: 'public.c' }, { source: 'public.b' }] } };
  for (const [change, undone] of [
    ['TRUNCATE b', ''],
    ['TRUNCATE b_2, c', ''],
    ['ALTER TABLE b DETACH PARTITION b_2', 'ALTER TABLE b ATTACH PARTITION b_2 FOR VALUES FROM (100) TO (200)'],
    ['ALTER TABLE c ALTER name TYPE varchar; ALTER TABLE c ALTER name TYPE text', ''],
    ['CREATE TABLE b_3 PARTITION OF b DEFAULT; INSERT INTO b VALUES (900)', ''],
  ]) {
    const lab = await fresh(ddl, ddl.replace('CREATE TABLE c', 'CREATE TABLE b_3 PARTITION OF b DEFAULT; CREATE TABLE c'));
    await lab.onBlue("INSERT INTO a VALUES (1); INSERT INTO b SELECT i, 'v' FROM generate_series(0, 199) i; INSERT INTO c SELECT 'n' || i FROM generate_series(1, 30000) i");
    await lab.untilSynced(options);
    const verdict = await verifyWhile(lab, options, 'public.a', () => lab.onBlue(/** @type {string} */ (change)));
    assert.equal(verdict.mismatches, 0, `${change}: ${JSON.stringify(verdict.tables)}`);
    assert.ok(['equal', 'incomplete'].includes(verdict.verdict), `${change}: ${verdict.verdict}`);
    if (verdict.verdict === 'incomplete') assert.match(verdict.problems.join(), /truncated, rewritten or repartitioned on blue/);
    if (undone !== '') await lab.onBlue(/** @type {string} */ (undone));
    const again = await lab.verify(options);
    assert.equal(again.verdict, 'equal', `${change}: ${JSON.stringify(again)}`);
  }
});

test('a table of green that sync truncates while others are compared gives no false alarm', async () => {
  const ddl = 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)';
  const options = { mapping: { version: 1, tables: [{ source: 'public.a' }, { source: 'public.b' }] } };
  const lab = await fresh(ddl);
  await lab.onBlue('INSERT INTO a VALUES (1); INSERT INTO b SELECT generate_series(1, 50000)');
  await lab.untilSynced(options);
  const verdict = await verifyWhile(lab, options, 'public.a', () => lab.onGreen('TRUNCATE b'));
  assert.ok(verdict.mismatches === 0 && ['equal', 'incomplete'].includes(verdict.verdict), JSON.stringify(verdict));
});

test("rows of tables that inherit from one of green's are read with it: refused at the beginning, and a problem of the verdict", async () => {
  const ddl = 'CREATE TABLE t (id int PRIMARY KEY, v text)';
  const lab = await fresh(ddl, `${ddl}; CREATE TABLE old () INHERITS (t); CREATE TABLE older (more int) INHERITS (old); INSERT INTO older VALUES (900, 'x', 1)`);
  await lab.onBlue("INSERT INTO t VALUES (1, 'a')");
  await assert.rejects(lab.run(ONE), { code: 'TARGET_NOT_EMPTY', table: 'public.older', message: /** @type {any} */ (/public\.t is inherited by public\.older/) });
  await lab.onGreen('DELETE FROM older');
  await lab.untilSynced(ONE);
  assert.equal((await lab.verify(ONE)).ok, true);
  await lab.onGreen("INSERT INTO old VALUES (901, 'green')");
  const verdict = await lab.verify(ONE);
  assert.deepEqual([verdict.ok, verdict.verdict, verdict.mismatches], [false, 'incomplete', 0]);
  assert.match(verdict.problems.join(), /public\.t is inherited by public\.old, which has rows/);
  await lab.onGreen('ALTER TABLE old NO INHERIT t');
  assert.equal((await lab.verify(ONE)).ok, true);
  // One that is mapped itself is compared.
  const both = await fresh(`${ddl}; CREATE TABLE c (PRIMARY KEY (id)) INHERITS (t)`);
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }, { source: 'public.c' }] } };
  await both.onBlue("INSERT INTO t VALUES (1, 'a'); INSERT INTO c VALUES (2, 'b')");
  await both.untilSynced(options);
  assert.equal((await both.verify(options)).ok, true);
});

test("rows that green's own foreign keys would refuse are found", async () => {
  const ddl = `CREATE TABLE parent (id int, part int, state text, PRIMARY KEY (id, part)) PARTITION BY LIST (part); CREATE TABLE parent_1 PARTITION OF parent DEFAULT;
    CREATE TABLE child (id int PRIMARY KEY, parent int, part int, CONSTRAINT of FOREIGN KEY (parent, part) REFERENCES parent)`;
  const lab = await fresh(ddl);
  const options = { mapping: { version: 1, tables: [{ source: 'public.parent', where: { column: 'state', notIn: ['gone'] } }, { source: 'public.child' }] } };
  await lab.onBlue("INSERT INTO parent VALUES (1, 1, 'gone'), (2, 1, 'here'); INSERT INTO child VALUES (1, 1, 1), (2, 2, 1), (3, NULL, 1), (4, 1, 1)");
  await lab.untilSynced(options);
  const verdict = await lab.verify(options);
  assert.deepEqual([verdict.ok, verdict.verdict, verdict.mismatches, verdict.orphans], [false, 'different', 0, [{ table: 'public.child', constraint: 'of', rows: 2 }]]);
  await lab.onBlue('DELETE FROM child WHERE parent = 1');
  assert.equal((await lab.verify(options)).verdict, 'equal');
});

test('what both sides compute in the same words is compared too: a function, a collation or a type behind them may be another one', async () => {
  const made = (/** @type {string} */ body) => `CREATE FUNCTION f(v int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT ${body}'; `;
  const table = (/** @type {string} */ g, v = 'text') => `CREATE TABLE t (id int PRIMARY KEY, n int, v ${v}, z text, g ${g} STORED)`;
  const fee = table('int GENERATED ALWAYS AS (f(n))');
  const early = 'boolean GENERATED ALWAYS AS (v < \'b\')';
  /** @type {[string, string, string, number][]} */
  const cases = [
    ['another function', made('v * 2') + fee, made('v * 3') + fee, 2],
    ['the same function', made('v * 2') + fee, made('v * 2') + fee, 0],
    ['another collation', table(early), table(early, 'text COLLATE "en-x-icu"'), 1],
    ['no column', table('int GENERATED ALWAYS AS (7)'), table('int GENERATED ALWAYS AS (7)'), 0],
    ['a function that calls another one', `${made('v * 2')}CREATE FUNCTION h(v int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN public.f(v); END'; ${table('int GENERATED ALWAYS AS (h(n))')}`,
      `${made('v * 5')}CREATE FUNCTION h(v int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN public.f(v); END'; ${table('int GENERATED ALWAYS AS (h(n))')}`, 2],
  ];
  for (const [what, blue, green, different] of cases)
    for (const columns of [{}, { z: { from: 'z', ifNull: '-' } }]) {
      const lab = await fresh(blue, green);
      const options = { mapping: { version: 1, tables: [{ source: 'public.t', columns }] } };
      await lab.onBlue("INSERT INTO t (id, n, v) VALUES (1, 5, 'a'), (2, 7, 'B')");
      await lab.untilSynced(options);
      const verdict = await lab.verify(options);
      assert.deepEqual([verdict.ok, verdict.tables[0]?.different], [different === 0, different], `${what}: ${JSON.stringify(verdict)}`);
    }
  // Where the mapping changes what it is computed from, it is green's own.
  const lab = await fresh(made('v * 2') + fee);
  const options = { mapping: { version: 1, tables: [{ source: 'public.t', columns: { n: { from: 'n', ifNull: 0 } } }] } };
  await lab.onBlue('INSERT INTO t (id) VALUES (1)');
  await lab.untilSynced(options);
  assert.deepEqual((await lab.onGreen('SELECT g FROM t')).rows, [{ g: 0 }]);
  assert.equal((await lab.verify(options)).ok, true);
});
