/** A single partition is truncated: which of green's rows were in it follows from its bounds, which are written in blue's names and sorted as blue sorts. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { run } from '../../src/sync/run.mjs';
import { PLAIN, assertEqualVerdict } from '../support/cases.mjs';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';

/** @type {Lab} */
let servers;
let number = 0;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '100' })));
after(() => servers.remove());

/** @param {string} ddl @param {string} [greenDdl] */
const fresh = (ddl, greenDdl = ddl) => servers.fresh(`bounds_${(number += 1)}`, ddl, greenDdl);

const FLAT = 'CREATE TABLE t (id int PRIMARY KEY, v text)';
const fill = (/** @type {number} */ from, /** @type {number} */ to) => `INSERT INTO t SELECT i, 'v' || i FROM generate_series(${from}, ${to}) i`;

test('bounds of types that do not live in pg_catalog: the partition is emptied, or the run ends with what to do where green has the type elsewhere', async () => {
  const [citext, mood] = ['CREATE EXTENSION citext', "CREATE TYPE mood AS ENUM ('low', 'mid', 'high')"];
  /** @type {[string, string, string, string, string][]} */
  const cases = [
    [citext, 'citext', "RANGE (k)", "FROM ('a') TO ('m')", "('B', 'goes'), ('c', 'goes'), ('N', 'stays')"],
    [mood, 'mood', 'LIST (k)', "IN ('low', 'high')", "('low', 'goes'), ('high', 'goes'), ('mid', 'stays')"],
    [mood, 'mood', 'RANGE (k)', "FROM ('low') TO ('high')", "('low', 'goes'), ('mid', 'goes'), ('high', 'stays')"],
    ['CREATE DOMAIN day AS date', 'day', 'RANGE (k)', "FROM ('2024-01-01') TO ('2025-01-01')", "('2024-05-06', 'goes'), ('2025-01-01', 'stays')"],
  ];
  for (const [make, type, by, bounds, rows] of cases) {
    const ddl = `${make}; CREATE TABLE t (k ${type} PRIMARY KEY, v text) PARTITION BY ${by}; CREATE TABLE t_1 PARTITION OF t FOR VALUES ${bounds}; CREATE TABLE t_2 PARTITION OF t DEFAULT`;
    const elsewhere = `CREATE SCHEMA x; SET search_path = x, public; ${make}; CREATE TABLE public.t (k x.${type} PRIMARY KEY, v text)`;
    for (const [green, alike] of /** @type {const} */ ([[`${make}; CREATE TABLE t (k ${type} PRIMARY KEY, v text)`, true], [elsewhere, false]])) {
      const lab = await fresh(ddl, green);
      await lab.onBlue(`INSERT INTO t VALUES ${rows}`);
      await lab.untilSynced(PLAIN);
      const before = (await lab.onGreen('SELECT count(*)::int AS n FROM t')).rows[0].n;
      await lab.onBlue('TRUNCATE t_1');
      if (alike) {
        await lab.untilSynced(PLAIN);
        await assertEqualVerdict(lab);
        assert.deepEqual((await lab.onGreen('SELECT DISTINCT v FROM t')).rows, [{ v: 'stays' }]);
      } else {
        await assert.rejects(lab.run(PLAIN), { name: 'PermanentError', code: 'PARTITION_TRUNCATED', table: 'public.t', message: /green has not, or has in another schema/, hint: /run again from|stop, empty/ }, type);
        assert.equal((await lab.onGreen('SELECT count(*)::int AS n FROM t')).rows[0].n, before);
      }
    }
  }
});

test('a partition by ranges of texts that green sorts otherwise is truncated: no row of another partition goes', async () => {
  const ddl = `CREATE TABLE t (k text COLLATE "C" PRIMARY KEY, v text) PARTITION BY RANGE (k); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('a') TO ('n'); CREATE TABLE t_2 PARTITION OF t DEFAULT`;
  for (const other of ['COLLATE "en-x-icu"', '']) {
    const lab = await servers.fresh(`sorted_${other === '' ? 'default' : 'icu'}`, ddl, `CREATE TABLE t (k text ${other} PRIMARY KEY, v text)`);
    await lab.onBlue("INSERT INTO t VALUES ('b', 'goes'), ('B', 'stays'), ('z', 'stays')");
    await lab.untilSynced(PLAIN);
    await lab.onBlue('TRUNCATE t_1');
    await assert.rejects(lab.run(PLAIN), { code: 'PARTITION_TRUNCATED', message: /sorts the texts of its key otherwise/ });
    assert.equal((await lab.onGreen('SELECT count(*)::int AS n FROM t')).rows[0].n, 3);
  }
  const lab = await servers.fresh('sorted_alike', ddl, 'CREATE TABLE t (k text COLLATE "C" PRIMARY KEY, v text)');
  await lab.onBlue("INSERT INTO t VALUES ('b', 'goes'), ('B', 'stays'), ('z', 'stays')");
  await lab.untilSynced(PLAIN);
  await lab.onBlue('TRUNCATE t_1');
  await lab.untilSynced(PLAIN);
  await assertEqualVerdict(lab, PLAIN, 't', 2);
});

test('a default partition is truncated before and after its bounds change', async () => {
  for (const change of [
    `TRUNCATE rest; CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200); ${fill(150, 160)}`,
    `DELETE FROM rest; CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200); ${fill(150, 160)}; ${fill(300, 310)}; TRUNCATE rest`,
    `TRUNCATE t_1; ALTER TABLE t DETACH PARTITION t_1; DROP TABLE t_1; ${fill(1, 50)}; TRUNCATE rest; ${fill(5, 6)}`,
  ]) {
    const lab = await fresh("CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE rest PARTITION OF t DEFAULT", FLAT);
    await lab.onBlue(fill(1, 250));
    await lab.untilSynced(PLAIN);
    await lab.onBlue(change);
    await lab.untilSynced(PLAIN);
    await assertEqualVerdict(lab, PLAIN, 't', 2);
  }
});

test('all of a table is truncated, whatever its partitions are divided by and whatever becomes of its key; partitions that are made meanwhile keep their rows', async () => {
  const hashed = (/** @type {number} */ modulus) => Array.from({ length: modulus }, (_, n) => `CREATE TABLE t_${n} PARTITION OF t FOR VALUES WITH (MODULUS ${modulus}, REMAINDER ${n})`).join('; ');
  /** @type {[string, object, string[], string][]} */
  const cases = [
    [`CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY HASH (id); ${hashed(3)}`, {}, ['TRUNCATE t'], ''],
    [`CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY LIST (id); CREATE TABLE rest PARTITION OF t DEFAULT PARTITION BY HASH (id); ${hashed(2).replaceAll('OF t', 'OF rest')}`, {}, [`BEGIN; ${fill(500, 510)}; TRUNCATE t; ${fill(700, 710)}; COMMIT`], ''],
    ["CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (10000)", { columns: { id: { hash: 'id' } } },
      ['TRUNCATE t; CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (10000) TO (20000)', 'CREATE TABLE t_4 PARTITION OF t FOR VALUES FROM (20000) TO (30000); INSERT INTO t VALUES (20000, NULL); TRUNCATE t; INSERT INTO t VALUES (20001, NULL), (1, NULL)',
       'TRUNCATE t; CREATE TABLE t_6 PARTITION OF t FOR VALUES FROM (50000) TO (60000); INSERT INTO t VALUES (50001, NULL)'], 'text'],
  ];
  for (const [ddl, more, truncates, key] of cases) {
    const lab = await fresh(ddl, key === '' ? FLAT : `CREATE TABLE t (id ${key} PRIMARY KEY, v text)`);
    const options = { mapping: { version: 1, tables: [{ source: 'public.t', ...more }] } };
    await lab.onBlue(fill(1, 300));
    await lab.untilSynced(options);
    for (const truncate of truncates) {
      await lab.onBlue(`${truncate}; INSERT INTO t VALUES (7000, 'after')`);
      await lab.untilSynced(options);
      const verdict = await lab.verify(options);
      assert.deepEqual([verdict.verdict, verdict.tables[0]?.greenRows], ['equal', Number((await lab.onBlue('SELECT count(*) FROM t')).rows[0].count)], truncate);
    }
    // One partition beside others is not all of it.
    if (key === '') continue;
    await lab.onBlue('CREATE TABLE t_5 PARTITION OF t FOR VALUES FROM (30000) TO (40000); INSERT INTO t VALUES (30000, NULL); TRUNCATE t_1, t_2, t_3, t_4, t_6');
    await assert.rejects(lab.run(options), { code: 'PARTITION_TRUNCATED' });
  }
});

test('a partition that is dropped or detached with its rows, and a table that is truncated then or was before: nothing of it stays', async () => {
  const parts = 'CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200)';
  const hashed = { mapping: { version: 1, tables: [{ source: 'public.t', columns: { id: { hash: 'id' } } }] } };
  const after = "INSERT INTO t VALUES (150, 'after')";
  for (const changes of [
    ['DROP TABLE t_1', 'TRUNCATE t'], ['ALTER TABLE t DETACH PARTITION t_1', 'TRUNCATE t'], ['TRUNCATE t_2', 'DROP TABLE t_1'],
    ['DROP TABLE t_1', 'CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (0) TO (50)', fill(1, 40), 'TRUNCATE t', "INSERT INTO t VALUES (7, 'again')"],
    ['CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (200) TO (300)', fill(200, 210), 'TRUNCATE t_2', 'DROP TABLE t_1'],
  ])
    for (const options of [PLAIN, hashed]) {
      const kept = changes.some((change) => change.includes('(200) TO')); // of a hashed key single partitions can't be told
      if (kept && options === hashed) continue;
      const lab = await fresh(parts, options === hashed ? 'CREATE TABLE t (id text PRIMARY KEY, v text)' : FLAT);
      await lab.onBlue(fill(1, 199));
      await lab.untilSynced(options);
      for (const change of [...changes, after]) await lab.onBlue(change);
      await lab.untilSynced(options);
      const verdict = await lab.verify(options);
      const rows = (await lab.onBlue('SELECT count(*)::int AS n FROM t')).rows[0].n;
      assert.deepEqual([verdict.verdict, verdict.tables[0]?.greenRows], [kept ? 'different' : 'equal', kept ? rows + 99 : rows], `${changes}: ${JSON.stringify(verdict)}`);
      if (kept) assert.match(verdict.problems.join(), /its partition public\.t_1 was detached or dropped/);
    }
});

test('a partition that was attached with rows keeps them when all others are truncated in the same run', async () => {
  const lab = await fresh('CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200)', FLAT);
  await lab.onBlue(fill(1, 199));
  await lab.untilSynced(PLAIN);
  await lab.onBlue("CREATE TABLE t_3 (id int PRIMARY KEY, v text); INSERT INTO t_3 SELECT i, 'came along' FROM generate_series(200, 250) i; ALTER TABLE t ATTACH PARTITION t_3 FOR VALUES FROM (200) TO (300)");
  const invocation = lab.invocation(PLAIN);
  const { log } = invocation;
  const info = log.info.bind(log);
  let truncated = false;
  // Before the next pass of the same run: the run waits for what logs.
  const truncate = `import pg from ${JSON.stringify(import.meta.resolve('pg'))}; const c = new pg.Client(${JSON.stringify(lab.blue.address(lab.database))}); await c.connect(); await c.query('TRUNCATE t_1, t_2'); await c.end();`;
  Object.assign(log, {
    info: (/** @type {Parameters<typeof info>} */ ...line) => {
      info(...line);
      if (!`${line[0]}`.startsWith('a partition that was attached')) return;
      execFileSync(process.execPath, ['--input-type=module', '-e', truncate]);
      truncated = true;
    },
  });
  await run(invocation);
  assert.equal(truncated, true);
  await lab.untilSynced(PLAIN);
  await assertEqualVerdict(lab, PLAIN, 't', 51);
});
