/** Moments that do not fit together: the stream and blue's catalog, the slot and green's checkpoint, rows and what wrote them anew. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { run } from '../../src/sync/run.mjs';
import { PLAIN, assertEqualVerdict, assertSame, mapped } from '../support/cases.mjs';
import { Lab, Steps } from '../support/lab.mjs';
import { FAST, startServer } from '../support/postgres.mjs';

/** @type {Lab} */
let servers;
let number = 0;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '100' })));
after(() => servers.remove());

/** @param {string} ddl @param {string} [greenDdl] */
const fresh = (ddl, greenDdl = ddl) => servers.fresh(`moments_${(number += 1)}`, ddl, greenDdl);

const PARTS = `CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
  CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200)`;
const FLAT = 'CREATE TABLE t (id int PRIMARY KEY, v text)';
const fill = (/** @type {number} */ from, /** @type {number} */ to) => `INSERT INTO t SELECT i, 'v' || i FROM generate_series(${from}, ${to}) i`;

/** Runs until the stream is to be read, lets this happen on blue, and goes on. @param {Lab} lab @param {import('../support/lab.mjs').Options} options @param {() => Promise<unknown>} change */
async function whileAtWork(lab, options, change) {
  const invocation = lab.invocation(options);
  const { log } = invocation;
  const debug = log.debug.bind(log);
  /** @type {Promise<unknown> | undefined} */
  let changed;
  Object.assign(log, {
    debug: (/** @type {Parameters<typeof debug>} */ ...line) => {
      debug(...line);
      if (`${line[0]}` === 'connected') changed ??= change();
    },
  });
  const answer = await run(invocation);
  await changed;
  return answer;
}

test('a partition that is truncated, then detached and dropped, before the stream is read', async () => {
  for (const then of ['ALTER TABLE t DETACH PARTITION t_1; DROP TABLE t_1', 'DROP TABLE t_1', 'ALTER TABLE t DETACH PARTITION t_1', 'ALTER TABLE t_1 RENAME TO old']) {
    const lab = await fresh(PARTS, FLAT);
    await lab.onBlue(fill(1, 199));
    await lab.untilSynced(PLAIN);
    await lab.onBlue(`UPDATE t SET v = 'w' WHERE id < 5; TRUNCATE t_1; ${then}`);
    await lab.untilSynced(PLAIN);
    await assertEqualVerdict(lab, PLAIN, 't', 100);
  }
});

test('a table that was truncated and altered is not taken for one that was rewritten, whether it has long values or not; one that was rewritten is', async () => {
  for (const type of ['int', 'text'])
    for (const [change, refused] of /** @type {[string[], boolean][]} */ ([
      [['TRUNCATE t', 'ALTER TABLE t ALTER v SET STATISTICS 100'], false],
      [['ALTER TABLE t ALTER v SET STATISTICS 100', 'TRUNCATE t', 'ALTER TABLE t ALTER v SET NOT NULL', 'CREATE INDEX ON t (v)'], false],
      [['ALTER TABLE t ALTER v TYPE TYPE USING v', 'GRANT SELECT ON t TO PUBLIC', 'CREATE INDEX ON t (v)'], true],
      [['TRUNCATE t', 'INSERT INTO t VALUES (1, 5), (2, 6)', 'ALTER TABLE t ALTER v TYPE TYPE USING v'], true],
    ])) {
      const lab = await fresh(`CREATE TABLE t (id int PRIMARY KEY, v ${type})`);
      await lab.onBlue('INSERT INTO t SELECT i, i FROM generate_series(1, 50) i');
      await lab.untilSynced(PLAIN);
      for (const statement of change) await lab.onBlue(statement.replace('TYPE TYPE USING v', type === 'int' ? 'TYPE int USING v + 1' : `TYPE text COLLATE "C" USING v || 'x'`));
      if (refused) {
        await assert.rejects(lab.run(PLAIN), { code: 'SCHEMA_CHANGED', message: /** @type {any} */ (/altered and the table written anew/) }, change.join());
        continue;
      }
      await lab.onBlue('INSERT INTO t VALUES (7, 8)');
      await lab.untilSynced(PLAIN);
      await assertEqualVerdict(lab);
    }
});

test('a partition that is made, filled, truncated and dropped between two runs; one that only the stream has shown', async () => {
  const lab = await fresh(PARTS, FLAT);
  await lab.onBlue(fill(1, 199));
  await lab.untilSynced(PLAIN);
  await lab.onBlue(`CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (200) TO (300)`);
  await lab.onBlue(`${fill(200, 299)}; UPDATE t SET id = 250 + id WHERE id < 10 AND false; TRUNCATE t_3; DROP TABLE t_3`);
  await lab.untilSynced(PLAIN);
  await assertSame(lab, 't', 't::text', 199);
  await whileAtWork(lab, PLAIN, () => lab.onBlue(`CREATE TABLE t_4 PARTITION OF t FOR VALUES FROM (300) TO (400); ${fill(300, 310)}`));
  await lab.untilSynced(PLAIN);
  await assertSame(lab, 't', 't::text', 210);
  await lab.onBlue('TRUNCATE t_4; DROP TABLE t_4');
  await lab.untilSynced(PLAIN);
  await assertEqualVerdict(lab, PLAIN, 't', 199);
});

test('rows that left a partition before it went are not left behind', async () => {
  const lab = await fresh(PARTS, FLAT);
  await lab.onBlue(fill(1, 150));
  await lab.untilSynced(PLAIN);
  await lab.onBlue('UPDATE t SET id = id + 155 WHERE id BETWEEN 10 AND 12; DELETE FROM t_1; DROP TABLE t_1');
  await lab.untilSynced(PLAIN);
  await assertEqualVerdict(lab, PLAIN, 't', 50);
});

test('the only partition of the beginning is truncated when another has come: the other keeps its rows', async () => {
  const one = 'CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100)';
  const next = "CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200); INSERT INTO t VALUES (150, 'kept'); TRUNCATE t_1";
  const lab = await fresh(one, FLAT);
  await lab.onBlue(fill(1, 99));
  await lab.untilSynced(PLAIN);
  await whileAtWork(lab, PLAIN, () => lab.onBlue(next));
  await lab.untilSynced(PLAIN);
  await assertEqualVerdict(lab);
  assert.deepEqual((await lab.onGreen('SELECT * FROM t')).rows, [{ id: 150, v: 'kept' }]);
  await lab.onBlue('INSERT INTO t VALUES (1, NULL); TRUNCATE t');
  await lab.untilSynced(PLAIN);
  assert.deepEqual((await lab.onGreen('SELECT * FROM t')).rows, []);
});

test('a partition that is attached brings its rows along, with what is written to it before it is read', async () => {
  const ddl = "CREATE TABLE t (id int PRIMARY KEY, v text, big text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100)";
  for (const options of [PLAIN, mapped({ columns: { v: { from: 'v', ifNull: '-' } }, where: { column: 'v', notIn: ['no'] } })]) {
    const lab = await fresh(ddl, 'CREATE TABLE t (id int PRIMARY KEY, v text CHECK (v <> \'bad\'), big text)');
    await lab.onBlue("INSERT INTO t VALUES (1, 'a')");
    await lab.untilSynced(options);
    // In one reading of the stream: made, filled, emptied in part, attached, and written to as a part of the table.
    await lab.onBlue('CREATE TABLE t_2 (big text, id int PRIMARY KEY, v text)');
    await lab.onBlue("INSERT INTO t_2 SELECT repeat('b', 3000), i, CASE i % 50 WHEN 0 THEN 'bad' WHEN 1 THEN 'no' ELSE 'v' END FROM generate_series(101, 5000) i; DELETE FROM t_2 WHERE id < 110");
    await lab.onBlue('ALTER TABLE t ATTACH PARTITION t_2 FOR VALUES FROM (100) TO (6000)');
    await lab.onBlue("INSERT INTO t VALUES (5001, 'after'); UPDATE t SET v = 'x' WHERE id = 120; DELETE FROM t WHERE id = 121; UPDATE t SET id = 5002 WHERE id = 122");
    await lab.onBlue("CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (6000) TO (7000); INSERT INTO t VALUES (6000, 'made as a partition')");
    await lab.onBlue("BEGIN; CREATE TABLE t_4 (id int PRIMARY KEY, v text, big text); INSERT INTO t_4 VALUES (7000, 'v'), (7001, 'in one transaction'); ALTER TABLE t ATTACH PARTITION t_4 FOR VALUES FROM (7000) TO (8000); INSERT INTO t VALUES (7002, 'v'); COMMIT");
    const bad = (await lab.onBlue("SELECT count(*)::int AS n FROM t WHERE v = 'bad'")).rows[0].n;
    for (let status = ''; status !== 'synced'; ) ({ status } = await run({ ...lab.invocation(options), deadline: new Steps(12) })); // cut again and again
    const verdict = await lab.verify(options);
    assert.deepEqual([verdict.verdict, verdict.mismatches, verdict.quarantined], ['held-back', 0, bad], JSON.stringify(verdict));
    assert.deepEqual((await lab.onGreen('SELECT id, v FROM t WHERE id > 4999 OR id IN (120, 121, 122) ORDER BY id')).rows.map((/** @type {any} */ { id, v }) => `${id} ${v}`), ['120 x', '5001 after', '5002 v', '6000 made as a partition', '7000 v', '7001 in one transaction', '7002 v']);
    assert.equal((await lab.onGreen("SELECT identity->'attached' IS NULL AS done FROM payment_migration.state")).rows[0].done, true);
  }
});

test('the same while both sides write: rows of either side come to the other one', async () => {
  const ddl = 'CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100)';
  const lab = await fresh(ddl);
  const options = { mapping: { version: 1, mode: 'two-way', tables: [{ source: 'public.t', conflicts: { rule: 'merged' } }] } };
  await lab.onBlue("INSERT INTO t VALUES (1, 'a')");
  await lab.untilSynced(options);
  await lab.prepare(options);
  for (const [side, from] of /** @type {const} */ ([['onBlue', 100], ['onGreen', 200]])) {
    await lab[side](`CREATE TABLE t_100 PARTITION OF t FOR VALUES FROM (${from === 100 ? 200 : 100}) TO (${from === 100 ? 300 : 200}); CREATE TABLE own (id int PRIMARY KEY, v text)`);
    await lab[side](`INSERT INTO own SELECT i, '${side}' FROM generate_series(${from}, ${from + 50}) i`);
    await lab[side](`ALTER TABLE t ATTACH PARTITION own FOR VALUES FROM (${from}) TO (${from + 100})`);
    await lab[side](`INSERT INTO t VALUES (${from + 60}, 'after')`);
  }
  for (let i = 0; i < 3; i += 1) {
    await lab.runBack(options);
    await lab.run(options);
  }
  await assertSame(lab, 't', 't::text', 105);
});

test('a partition that is detached, changed and attached again between two runs, and one that is attached with partitions of its own', async () => {
  const lab = await fresh(`CREATE TABLE t (id int, c int, v text, PRIMARY KEY (id, c)) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200)`, 'CREATE TABLE t (id int, c int, v text, PRIMARY KEY (id, c))');
  await lab.onBlue("INSERT INTO t SELECT i, 1, 'v' FROM generate_series(95, 104) i");
  await lab.untilSynced(PLAIN);
  await lab.onBlue('ALTER TABLE t DETACH PARTITION t_2');
  await lab.onBlue("UPDATE t_2 SET v = 'while it was detached'; INSERT INTO t_2 VALUES (150, 1, 'new')");
  await lab.onBlue('ALTER TABLE t ATTACH PARTITION t_2 FOR VALUES FROM (100) TO (200)');
  await lab.onBlue(`CREATE TABLE tree (id int, c int, v text, PRIMARY KEY (id, c)) PARTITION BY LIST (c); CREATE TABLE tree_1 PARTITION OF tree FOR VALUES IN (1); CREATE TABLE tree_2 PARTITION OF tree FOR VALUES IN (2)`);
  await lab.onBlue("INSERT INTO tree SELECT 200 + i, 1 + i % 2, 'tree' FROM generate_series(1, 20) i");
  await lab.onBlue('ALTER TABLE t ATTACH PARTITION tree FOR VALUES FROM (200) TO (300)');
  await lab.onBlue("INSERT INTO t VALUES (250, 1, 'after'), (250, 2, 'after')");
  await lab.untilSynced(PLAIN);
  await assertEqualVerdict(lab, PLAIN, 't', 33);
  await lab.onBlue('ALTER TABLE t DETACH PARTITION t_2');
  await lab.onBlue('DELETE FROM t_2 WHERE id < 103');
  await lab.onBlue('ALTER TABLE t ATTACH PARTITION t_2 FOR VALUES FROM (100) TO (200)');
  await lab.untilSynced(PLAIN);
  const verdict = await lab.verify(PLAIN);
  assert.deepEqual([verdict.verdict, verdict.tables[0]?.extra], ['different', 3], JSON.stringify(verdict));
  assert.match(verdict.problems.join(), /its partition public\.t_2 was detached and attached again/);
  // What has been read is not read again.
  const lines = lab.lines.length;
  await lab.untilSynced(PLAIN);
  assert.equal(lab.lines.slice(lines).filter((line) => line.includes('read as a whole')).length, 0);
});

test('a partition that is detached with rows is found by verify, with the reason and what to do', async () => {
  const lab = await fresh('CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200)', 'CREATE TABLE t (id int PRIMARY KEY, v text)');
  await lab.onBlue("INSERT INTO t SELECT i, 'v' FROM generate_series(95, 104) i");
  await lab.untilSynced(PLAIN);
  await lab.onBlue('ALTER TABLE t DETACH PARTITION t_2');
  await lab.untilSynced(PLAIN);
  const verdict = await lab.verify(PLAIN);
  assert.deepEqual([verdict.verdict, verdict.tables[0]?.missing, verdict.tables[0]?.extra, verdict.problems.length], ['different', 0, 5, 1], JSON.stringify(verdict));
  assert.match(verdict.problems.join(), /its partition public\.t_2 was detached or dropped/);
  await lab.onGreen('SET session_replication_role = replica; DELETE FROM t WHERE id BETWEEN 100 AND 199');
  const equal = await lab.verify(PLAIN);
  assert.deepEqual([equal.verdict, equal.problems], ['equal', []], JSON.stringify(equal));
});

test('partitions of partitions: one that is mapped by itself, new ones below it, a truncate in the middle', async () => {
  const ddl = `CREATE TABLE top (id int, day int, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE t PARTITION OF top FOR VALUES FROM (0) TO (1000) PARTITION BY RANGE (id);
    CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (day); CREATE TABLE t_1_a PARTITION OF t_1 FOR VALUES FROM (0) TO (10)`;
  const lab = await fresh(ddl, 'CREATE TABLE t (id int, day int, v text, PRIMARY KEY (id, day))');
  await lab.onBlue("INSERT INTO t SELECT i, i % 10, 'v' FROM generate_series(1, 50) i");
  await lab.untilSynced(PLAIN);
  await whileAtWork(lab, PLAIN, () =>
    lab.onBlue("CREATE TABLE t_1_b PARTITION OF t_1 FOR VALUES FROM (10) TO (20); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200); INSERT INTO t VALUES (3, 15, 'b'), (150, 5, 'c')"));
  await lab.untilSynced(PLAIN);
  await assertSame(lab, 't', 't::text', 52);
  await lab.onBlue("TRUNCATE t_1; INSERT INTO t VALUES (4, 4, 'again')");
  await lab.untilSynced(PLAIN);
  await assertEqualVerdict(lab, PLAIN, 't', 2);
});

test('a publication that was changed in between ends the run', async () => {
  for (const change of [
    (/** @type {string} */ p) => `ALTER PUBLICATION ${p} DROP TABLE t; INSERT INTO t VALUES (7, 'unseen'); ALTER PUBLICATION ${p} ADD TABLE ONLY t`,
    (/** @type {string} */ p) => `ALTER PUBLICATION ${p} SET (publish = 'insert')`,
    (/** @type {string} */ p) => `DROP PUBLICATION ${p}; CREATE PUBLICATION ${p} FOR TABLE ONLY t`,
  ]) {
    const lab = await fresh(FLAT);
    await lab.onBlue(fill(1, 3));
    await lab.untilSynced(PLAIN);
    const { rows } = await lab.onBlue('SELECT pubname FROM pg_publication');
    await lab.onBlue(change(rows[0].pubname));
    await assert.rejects(lab.run(PLAIN), { code: 'SCHEMA_CHANGED', message: /** @type {any} */ (/publication .* was changed/) });
  }
});

test('green is restored from an earlier backup: the slot is past its checkpoint', async () => {
  const green = await startServer(FAST);
  const lab = new Lab(servers.blue, green, 'restored');
  try {
    await Promise.all([servers.blue.createDatabase('restored', FLAT), green.createDatabase('restored', FLAT)]);
    await lab.onBlue(fill(1, 100));
    await lab.untilSynced(PLAIN);
    await green.query('postgres', 'CREATE DATABASE backup TEMPLATE restored');
    await lab.onBlue("DELETE FROM t WHERE id = 1; UPDATE t SET v = 'new' WHERE id = 2; INSERT INTO t SELECT i FROM generate_series(101, 110) i");
    await lab.untilSynced(PLAIN);
    await green.query('postgres', 'DROP DATABASE restored WITH (FORCE)');
    await green.query('postgres', 'CREATE DATABASE restored TEMPLATE backup');
    await assert.rejects(lab.run(PLAIN), { name: 'PermanentError', code: 'CHECKPOINT_GAP', hint: /** @type {any} */ (/empty the tables/) });
    await assert.rejects(lab.verify(PLAIN), { code: 'CHECKPOINT_GAP' });
    assert.equal((await lab.onGreen('SELECT count(*) FROM t')).rows[0].count, '100');
    // Begun anew as told, all is well.
    await lab.stop(PLAIN);
    await lab.onGreen('TRUNCATE t');
    await lab.untilSynced(PLAIN);
    await assertEqualVerdict(lab, PLAIN, 't', 109);
    await lab.stop(PLAIN);
  } finally {
    await green.remove();
  }
});

test('a slot that was made again, or moved by somebody else, while rows are copied or followed', async () => {
  for (const change of [
    "SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots WHERE database = current_database()",
    "SELECT slot_name, pg_drop_replication_slot(slot_name), pg_create_logical_replication_slot(slot_name, 'pgoutput') FROM pg_replication_slots WHERE database = current_database()",
    "SELECT count(*) FROM pg_replication_slots s, LATERAL pg_logical_slot_get_binary_changes(s.slot_name, NULL, NULL, 'proto_version', '1', 'publication_names', s.slot_name) WHERE database = current_database()",
  ])
    for (const phase of ['copying', 'following']) {
      const lab = await fresh(FLAT);
      await lab.onBlue(fill(1, 300));
      if (phase === 'copying') assert.equal((await run({ ...lab.invocation(PLAIN), deadline: new Steps(0) })).phase, 'copying');
      else await lab.untilSynced(PLAIN);
      await lab.onBlue("UPDATE t SET v = 'unseen'");
      await lab.onBlue(change);
      await assert.rejects(lab.run(PLAIN), { name: 'PermanentError', code: 'CHECKPOINT_GAP' }, `${phase}: ${change}`);
    }
});

test('another cluster under the same address, on either side', async () => {
  const other = await startServer(FAST);
  try {
    const lab = await fresh(FLAT);
    await lab.onBlue(fill(1, 3));
    await lab.untilSynced(PLAIN);
    await lab.onGreen(`UPDATE payment_migration.state SET identity = jsonb_set(identity, '{blue,system}', '"1"')`);
    await assert.rejects(lab.run(PLAIN), { name: 'PermanentError', code: 'OTHER_CLUSTER', message: /** @type {any} */ (/^blue is another/) });
    await lab.onGreen(`UPDATE payment_migration.state SET identity = jsonb_set(identity, '{blue}', '{"system": null, "timeline": "000000FF"}')`);
    await assert.rejects(lab.run(PLAIN), { code: 'OTHER_TIMELINE' });
    await lab.onGreen(`UPDATE payment_migration.state SET identity = '{}' || jsonb_build_object('publication', identity -> 'publication')`);
    await lab.untilSynced(PLAIN);
    // A dump of green, brought back on another server.
    const { rows } = await lab.onGreen("SELECT * FROM payment_migration.state");
    assert.equal(rows.length, 1);
  } finally {
    await other.remove();
  }
});

test('values that ALTER TABLE writes anew under the same type are told, with the column', async () => {
  for (const [ddl, change] of [
    [FLAT, "ALTER TABLE t ALTER v TYPE text USING upper(v)"],
    ['CREATE TABLE t (id int PRIMARY KEY, n int)', 'ALTER TABLE t ALTER n TYPE int USING n * 2'],
    ['CREATE TABLE t (id int PRIMARY KEY, v numeric(10,2))', 'ALTER TABLE t ALTER v TYPE numeric(10,2) USING v + 1'],
    [PARTS, "ALTER TABLE t ALTER v TYPE text USING upper(v)"],
    [FLAT, "ALTER TABLE t ALTER v TYPE text USING upper(v); VACUUM FULL t"],
  ]) {
    const lab = await fresh(/** @type {string} */ (ddl));
    await lab.onBlue("INSERT INTO t VALUES (1, '7'), (2, '8')");
    await lab.untilSynced(PLAIN);
    for (const statement of /** @type {string} */ (change).split('; ')) await lab.onBlue(statement);
    await assert.rejects(lab.run(PLAIN), { name: 'PermanentError', code: 'SCHEMA_CHANGED', column: /** @type {any} */ (/^(v|n)$/), message: /** @type {any} */ (/written anew/) }, change);
    await assert.rejects(lab.run(PLAIN), { code: 'SCHEMA_CHANGED' }, 'and so is each run after it');
    await assert.rejects(lab.verify(PLAIN), { code: 'SCHEMA_CHANGED' });
  }
});

test('what writes a table anew and leaves its values as they are does no harm', async () => {
  const lab = await fresh(PARTS);
  await lab.onBlue(fill(1, 150));
  await lab.untilSynced(PLAIN);
  for (const change of [
    'VACUUM FULL t', 'CLUSTER t_1 USING t_1_pkey', 'ALTER TABLE t ALTER v SET STATISTICS 500', 'VACUUM FULL t', 'ALTER TABLE t ALTER v SET NOT NULL', 'TRUNCATE t_2', `${fill(100, 120)}`,
    "ALTER TABLE t ADD COLUMN w text DEFAULT clock_timestamp()::text", 'ALTER TABLE t ALTER v TYPE text', 'REINDEX TABLE t_1', "UPDATE t SET v = 'x' WHERE id < 5",
  ]) {
    await lab.onBlue(change);
    await lab.untilSynced(PLAIN);
    await assertSame(lab, 't', 'id || v', 99);
  }
  assert.equal((await lab.verify(PLAIN)).verdict, 'equal');
});

test('a label of an enum that is renamed: told from one that is added, and taken when green has renamed it too', async () => {
  const ddl = "CREATE TYPE st AS ENUM ('new', 'done'); CREATE TABLE t (id int PRIMARY KEY, s st, a st[])";
  const begun = async (greenDdl = ddl, options = PLAIN) => {
    const lab = await fresh(ddl, greenDdl);
    await lab.onBlue("INSERT INTO t VALUES (1, 'new', '{new,done}'), (2, 'done', '{}')");
    await lab.untilSynced(options);
    return lab;
  };
  const lab = await begun();
  await lab.onBlue("INSERT INTO t VALUES (3, 'new', '{new}')"); // in flight, with the former name
  await lab.onBlue("ALTER TYPE st RENAME VALUE 'new' TO 'fresh'");
  await lab.onBlue("INSERT INTO t VALUES (4, 'fresh', NULL)");
  const renamed = { name: 'PermanentError', code: 'SCHEMA_CHANGED', message: /** @type {any} */ (/was renamed, from "new" to "fresh"/), hint: /** @type {any} */ (/RENAME VALUE/) };
  await assert.rejects(lab.run(PLAIN), renamed);
  await lab.onGreen("ALTER TYPE st ADD VALUE 'fresh'");
  await assert.rejects(lab.run(PLAIN), renamed, 'a label that is added to green does not change the rows there');

  const both = await begun();
  await both.onBlue("INSERT INTO t VALUES (3, 'new', '{new}')");
  await both.onBlue("ALTER TYPE st RENAME VALUE 'new' TO 'fresh'");
  await both.onGreen("ALTER TYPE st RENAME VALUE 'new' TO 'fresh'");
  await both.onBlue("INSERT INTO t VALUES (4, 'fresh', NULL); ALTER TYPE st ADD VALUE 'late'");
  await both.onGreen("ALTER TYPE st ADD VALUE 'late'");
  const answer = await both.untilSynced(PLAIN);
  assert.equal(answer.quarantined, 0, 'what was in flight comes as blue has it by now');
  await assertEqualVerdict(both, PLAIN, 't', 4);

  const text = mapped({ drop: ['a'], columns: { s: { from: 's', cast: 'text' } } });
  const other = await begun('CREATE TABLE t (id int PRIMARY KEY, s text)', text);
  await other.onBlue("ALTER TYPE st RENAME VALUE 'new' TO 'fresh'");
  await assert.rejects(other.run(text), { code: 'SCHEMA_CHANGED', message: /** @type {any} */ (/renamed/) });
});

test('a composite type that gets an attribute is another type', async () => {
  const ddl = 'CREATE TYPE pair AS (a int, b text); CREATE TABLE t (id int PRIMARY KEY, p pair)';
  const lab = await fresh(ddl);
  await lab.onBlue("INSERT INTO t VALUES (1, '(1,x)')");
  await lab.untilSynced(PLAIN);
  await lab.onBlue('ALTER TYPE pair ADD ATTRIBUTE c int');
  await assert.rejects(lab.run(PLAIN), { code: 'SCHEMA_CHANGED', column: 'p' });
});
