/** Green's own constraints, triggers and rules: what they refuse, when that is to be believed, and what they do besides. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { run } from '../../src/sync/run.mjs';
import { PLAIN, assertEqualVerdict, assertRefused, assertSame, mapped } from '../support/cases.mjs';
import { Lab, Steps } from '../support/lab.mjs';
import { maskSql } from '../support/masks.mjs';
import { FAST } from '../support/postgres.mjs';

/** @type {Lab} */
let servers;
let number = 0;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '100' })));
after(() => servers.remove());

/** @param {string} ddl @param {string} [greenDdl] */
const fresh = (ddl, greenDdl = ddl) => servers.fresh(`constraints_${(number += 1)}`, ddl, greenDdl);
/** Keys of blue's rows in quarantine. @param {Lab} lab @returns {Promise<number[]>} */
async function quarantine(lab) {
  const masks = (await lab.onGreen('SELECT key FROM payment_migration.quarantine')).rows.map((/** @type {{key: string}} */ { key }) => JSON.parse(key).id);
  const { rows } = await lab.onBlue(`SELECT id, ${maskSql('public.t.id', 'id')} AS mask FROM t ORDER BY id`);
  return rows.filter((/** @type {{mask: string}} */ { mask }) => masks.includes(mask)).map((/** @type {{id: number}} */ { id }) => id);
}

test('a transaction that is larger than a batch: its states in between are not judged by green\'s constraints', async () => {
  const strict = mapped({}, { limits: { quarantine: 0 } });
  const ddl = 'CREATE TABLE t (id int PRIMARY KEY, pos int UNIQUE DEFERRABLE, v text)';
  const plain = 'CREATE TABLE t (id int PRIMARY KEY, pos int UNIQUE, v text)';
  for (const [blue, green, change, n = 3_000] of /** @type {[string, string, string, number?][]} */ ([
    [ddl, plain, 'UPDATE t SET pos = pos + 1', 12_000],
    [ddl, plain, 'UPDATE t SET pos = 3001 - pos'],
    // blue has no such constraint: nothing is known of what stands in the way, and yet all fits in the end
    [ddl.replace(' UNIQUE DEFERRABLE', ''), plain, 'UPDATE t SET pos = pos + 1'],
    [ddl.replace(' UNIQUE DEFERRABLE', ''), plain, 'UPDATE t SET pos = 3001 - pos'],
    [ddl.replace(' UNIQUE DEFERRABLE', ''), 'CREATE TABLE t (id int PRIMARY KEY, pos int, v text, EXCLUDE (pos WITH =))', 'UPDATE t SET pos = pos + 1'],
    [ddl.replace(' UNIQUE DEFERRABLE', ''), "CREATE TABLE t (id int PRIMARY KEY, pos int CHECK (pos > 0), v text NOT NULL)", "BEGIN; UPDATE t SET pos = -pos, v = NULL; UPDATE t SET pos = -pos; UPDATE t SET v = 'w'; COMMIT"],
  ])) {
    const lab = await fresh(blue, green);
    const options = n > 10_000 ? strict : { ...strict, tuning: { batchChanges: 700 } };
    await lab.onBlue(`INSERT INTO t SELECT i, i, 'v' FROM generate_series(1, ${n}) i`);
    await lab.untilSynced(options);
    await lab.onBlue(change);
    const answer = await lab.untilSynced(options);
    assert.deepEqual([answer.quarantined, answer.consistent], [0, true], change);
    await assertSame(lab, 't', 't::text', n);
  }
});

test('the same across several invocations, with values that are not sent again', async () => {
  const blue = 'CREATE TABLE t (id int PRIMARY KEY, pos int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL';
  const lab = await fresh(blue, blue.replace('pos int', 'pos int UNIQUE CHECK (pos < 1000000)'));
  await lab.onBlue("INSERT INTO t SELECT i, i, repeat(chr(97 + i % 26), 2500) FROM generate_series(1, 1500) i");
  const options = { ...mapped({}, { limits: { quarantine: 0 } }), tuning: { batchChanges: 100, commitChanges: 200, peekChanges: 500 } };
  await lab.untilSynced(options);
  await lab.onBlue('BEGIN; UPDATE t SET pos = pos + 1000000; UPDATE t SET pos = 1001501 - pos; UPDATE t SET id = id + 5000 WHERE id < 20; UPDATE t SET pos = pos + 1 WHERE pos > 1499; COMMIT');
  let runs = 0;
  for (; runs < 300; runs += 1) if ((await run({ ...lab.invocation(options), deadline: new Steps(2 + (runs % 3)) })).status === 'synced') break;
  assert.ok(runs > 2, `${runs} runs`);
  await assertEqualVerdict(lab, options, 't', 1500);
});

test('a committed state that green refuses is still held back, also in a large transaction, and counts against the limit', async () => {
  const blue = 'CREATE TABLE t (id int PRIMARY KEY, pos int, v text)';
  const lab = await fresh(blue, blue.replace('v text', "v text CHECK (v <> 'no')"));
  await lab.onBlue("INSERT INTO t SELECT i, i, 'v' FROM generate_series(1, 1500) i");
  const options = { ...mapped({}, { limits: { quarantine: 3 } }), tuning: { batchChanges: 250 } };
  await lab.untilSynced(options);
  await lab.onBlue("BEGIN; UPDATE t SET v = 'no'; UPDATE t SET v = 'w' WHERE id NOT IN (5, 1499); COMMIT");
  assert.equal((await lab.untilSynced(options)).quarantined, 2);
  assert.deepEqual(await quarantine(lab), [5, 1499]);
  await lab.onBlue("BEGIN; UPDATE t SET v = 'no'; UPDATE t SET v = 'w' WHERE id > 10; COMMIT");
  await assert.rejects(lab.run(options), { code: 'QUARANTINE_LIMIT' });
});

test('two rows of blue share a value that is unique on green: one is held back, in the copy and afterwards, and comes when there is room', async () => {
  for (const unique of ['mail text UNIQUE', 'mail text, EXCLUDE (mail WITH =)', 'mail text, UNIQUE (mail) INCLUDE (n)']) {
    const lab = await fresh('CREATE TABLE t (id int PRIMARY KEY, n int, mail text)', `CREATE TABLE t (id int PRIMARY KEY, n int, ${unique})`);
    await lab.onBlue("INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'a'), (3, 3, 'b')");
    let answer = await lab.untilSynced(PLAIN);
    assert.deepEqual([answer.quarantined, answer.consistent], [1, true], unique);
    assert.equal((await lab.onGreen('SELECT count(*) FROM t')).rows[0].count, '2');
    assert.equal((await lab.verify(PLAIN)).ok, false);
    await lab.onBlue("INSERT INTO t VALUES (4, 4, 'b')");
    answer = await lab.untilSynced(PLAIN);
    assert.deepEqual([answer.quarantined, await quarantine(lab)], [2, [2, 4]]);
    // Nobody touches rows 2 and 4.
    await lab.onBlue("DELETE FROM t WHERE id = 1; UPDATE t SET mail = 'c' WHERE id = 3");
    answer = await lab.untilSynced(PLAIN);
    assert.deepEqual([answer.quarantined, answer.consistent], [0, true]);
    await assertEqualVerdict(lab, PLAIN, 't', 3);
  }
});

test('an index of blue that covers less than green\'s, or that came later, is no reason to remove a row', async () => {
  for (const [blue, green] of [
    ["CREATE TABLE t (id int PRIMARY KEY, mail text, live bool); CREATE UNIQUE INDEX ON t (mail) WHERE live", 'CREATE TABLE t (id int PRIMARY KEY, mail text UNIQUE, live bool)'],
    ['CREATE TABLE t (id int PRIMARY KEY, mail text UNIQUE, live bool)', 'CREATE TABLE t (id int PRIMARY KEY, mail text, live bool); CREATE UNIQUE INDEX ON t (lower(mail))'],
    ['CREATE TABLE t (id int PRIMARY KEY, mail text, live bool, UNIQUE (mail, id))', 'CREATE TABLE t (id int PRIMARY KEY, mail text UNIQUE, live bool)'],
  ]) {
    const lab = await fresh(/** @type {string} */ (blue), /** @type {string} */ (green));
    await lab.onBlue(`INSERT INTO t VALUES (1, 'a', true), (2, '${/lower/.test(/** @type {string} */ (green)) ? 'A' : 'a'}', false)`);
    const answer = await lab.untilSynced(PLAIN);
    assert.deepEqual([answer.quarantined, await quarantine(lab)], [1, [2]]);
  }
});

test('an index of blue that calls other values equal than green\'s is no reason to remove a row', async () => {
  const pair = 'CREATE TYPE pair AS (a numeric, b text); CREATE TABLE t (id int PRIMARY KEY, p pair';
  for (const [onBlue, rows] of [
    ['); CREATE UNIQUE INDEX ON t (p record_image_ops)', "(1, ROW(1.0, 'x')), (2, ROW(1.00, 'x'))"],
    [', UNIQUE (id, p)); CREATE UNIQUE INDEX ON t ((p) record_image_ops)', "(1, ROW(2, 'x')), (2, ROW(2.0, 'x'))"],
  ]) {
    const lab = await fresh(`${pair}${onBlue}`, `${pair}, UNIQUE (p))`);
    await lab.onBlue(`INSERT INTO t VALUES ${rows}`);
    const answer = await lab.untilSynced(PLAIN);
    assert.deepEqual([answer.quarantined, await quarantine(lab)], [1, [2]]);
  }
});

test('stale rows of a copy make room for what has come since; where blue has no such constraint, what they block comes in the end', async () => {
  const plain = 'CREATE TABLE t (id int PRIMARY KEY, mail text UNIQUE)';
  for (const [blue, green] of /** @type {[string, string?][]} */ ([
    [plain],
    ['CREATE TABLE t (id int PRIMARY KEY, mail text); CREATE UNIQUE INDEX ON t (lower(mail)) WHERE id > 0'],
    ['CREATE EXTENSION citext SCHEMA public; CREATE TABLE t (id int PRIMARY KEY, mail citext UNIQUE DEFERRABLE INITIALLY DEFERRED)'],
    [plain.replace(' UNIQUE', ''), plain],
    [plain.replace(' UNIQUE', ''), 'CREATE TABLE t (id int PRIMARY KEY, mail text, EXCLUDE (mail WITH =))'],
  ])) {
    const lab = await fresh(blue, green ?? blue.replace(' DEFERRABLE INITIALLY DEFERRED', ''));
    await lab.onBlue("SET search_path = public; INSERT INTO t SELECT i, 'm' || i FROM generate_series(1, 400) i");
    const options = { ...mapped({}, { limits: { quarantine: 0 } }), tuning: { chunkRows: 20, rangeRows: 60, carefulRows: 20, batchChanges: 30 } };
    for (let runs = 0; runs < 60; runs += 1) {
      const { status } = await run({ ...lab.invocation(options), deadline: new Steps(3 + (runs % 4)) });
      if (status === 'synced') break;
      // rows that are copied and rows that are not swap their values
      if (runs < 25) await lab.onBlue(`UPDATE t SET mail = 'tmp' WHERE id = ${runs + 1}; UPDATE t SET mail = 'm${runs + 1}' WHERE id = ${400 - runs}; UPDATE t SET mail = 'm${400 - runs}' WHERE id = ${runs + 1}`);
    }
    await lab.untilSynced(options);
    await assertEqualVerdict(lab, options, 't', 400);
  }
});

test('constraints that green would not check while rows are replicated are refused, unless blue has them', async () => {
  const blue = 'CREATE TABLE t (id int PRIMARY KEY, mail text, span int4range)';
  for (const late of ['mail text UNIQUE DEFERRABLE', 'mail text UNIQUE DEFERRABLE INITIALLY DEFERRED', "mail text, EXCLUDE USING gist (span WITH &&) DEFERRABLE"])
    await assertRefused(await fresh(blue, blue.replace('mail text', /** @type {string} */ (late))), PLAIN, { name: 'PermanentError', code: 'TARGET_CONSTRAINT', table: 'public.t' });
  for (const late of ['mail text UNIQUE DEFERRABLE', 'mail text, EXCLUDE USING gist (span WITH &&) DEFERRABLE']) {
    const lab = await fresh(blue.replace('mail text', late));
    await lab.onBlue("INSERT INTO t SELECT i, i, int4range(i * 10, i * 10 + 5) FROM generate_series(1, 50) i");
    await lab.untilSynced(PLAIN);
    await lab.onBlue("UPDATE t SET mail = (51 - id)::text, span = int4range((51 - id) * 10, (51 - id) * 10 + 3)".replace(late.includes('EXCLUDE') ? ', span = int4range((51 - id) * 10, (51 - id) * 10 + 3)' : '#', ''));
    await lab.untilSynced(PLAIN);
    await assertEqualVerdict(lab, PLAIN, 't', 50);
  }
});

test('triggers and rules that act on replicated rows are refused; those that do not, and the deployer\'s own, are not', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t DEFAULT; CREATE TABLE other (id int PRIMARY KEY REFERENCES t)';
  const fn = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v := 'changed'; RETURN NEW; END $$; CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$";
  for (const own of [
    'CREATE TRIGGER x BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t ENABLE ALWAYS TRIGGER x',
    'CREATE TRIGGER x BEFORE INSERT ON t_1 FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t_1 ENABLE REPLICA TRIGGER x',
    'CREATE TRIGGER x AFTER TRUNCATE ON t FOR EACH STATEMENT EXECUTE FUNCTION g(); ALTER TABLE t ENABLE ALWAYS TRIGGER x',
    'CREATE TABLE log (id int); CREATE RULE x AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (NEW.id); ALTER TABLE t ENABLE ALWAYS RULE x',
    'CREATE TABLE log (id int); CREATE RULE x AS ON DELETE TO t DO INSTEAD NOTHING; ALTER TABLE t ENABLE REPLICA RULE x',
  ])
    await assertRefused(await fresh(table, `${table}; ${fn}; ${own}`), PLAIN, { name: 'PermanentError', code: 'TARGET_TRIGGER', constraint: 'x' });
  const lab = await fresh(table, `${table}; ${fn}; CREATE TRIGGER deployer_out AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION g(); ALTER TABLE t ENABLE ALWAYS TRIGGER deployer_out;
    CREATE TRIGGER plain BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f(); CREATE TABLE log (id int); CREATE RULE x AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (NEW.id)`);
  await lab.onBlue("INSERT INTO t SELECT i, 'v' FROM generate_series(1, 20) i");
  await lab.untilSynced(PLAIN);
  await lab.onBlue("UPDATE t SET v = 'w' WHERE id < 5; INSERT INTO t VALUES (30, 'x')");
  await lab.untilSynced(PLAIN);
  await assertEqualVerdict(lab, PLAIN, 't', 21);
  assert.equal((await lab.onGreen('SELECT count(*) FROM log')).rows[0].count, '0');
  // One that comes in the middle ends the run before it can act.
  await lab.onGreen('ALTER TABLE t ENABLE ALWAYS TRIGGER plain');
  await lab.onBlue("UPDATE t SET v = 'y'");
  await assert.rejects(lab.run(PLAIN), { code: 'TARGET_TRIGGER' });
  assert.equal((await lab.onGreen("SELECT count(*) FROM t WHERE v IN ('y', 'changed')")).rows[0].count, '0');
});

test('rules of green that do nothing for a replica do not keep changes away either', async () => {
  for (const [unique, ...events] of [['', 'UPDATE'], ['', 'INSERT', 'UPDATE', 'DELETE'], [' UNIQUE', 'UPDATE', 'DELETE']]) {
    const table = `CREATE TABLE t (id int PRIMARY KEY, v text${unique}, PRIMARY KEY (id))`.replace(', PRIMARY KEY (id))', ')');
    const lab = await fresh(table, `${table}; CREATE TABLE log (id int); ${events.map((event, i) => `CREATE RULE x${i} AS ON ${event} TO t DO INSTEAD INSERT INTO log VALUES (1)`).join('; ')}`);
    await lab.onBlue("INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 20) i");
    await lab.untilSynced(PLAIN);
    await lab.onBlue("UPDATE t SET v = 'w' || id WHERE id < 5; INSERT INTO t VALUES (30, 'x'); DELETE FROM t WHERE id = 7; UPDATE t SET id = 40 WHERE id = 8");
    await lab.untilSynced(PLAIN);
    await assertEqualVerdict(lab, PLAIN, 't', 20);
    assert.equal((await lab.onGreen('SELECT count(*)::int AS n FROM log')).rows[0].n, 0);
  }
});

test('a unique index of one partition of green, and one that is not valid: rows swap their values all the same', async () => {
  const blue = 'CREATE TABLE t (id int PRIMARY KEY, pos int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t DEFAULT; CREATE UNIQUE INDEX ON t_1 (pos)';
  for (const green of [blue, blue.replace('CREATE UNIQUE INDEX ON t_1 (pos)', "CREATE UNIQUE INDEX u ON t_1 (pos); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'u'::regclass")]) {
    const lab = await fresh(blue, green);
    await lab.onBlue('INSERT INTO t SELECT i, i FROM generate_series(1, 50) i');
    await lab.untilSynced(PLAIN);
    await lab.onBlue('BEGIN; UPDATE t SET pos = pos + 1000; UPDATE t SET pos = 1051 - pos; COMMIT');
    const strict = mapped();
    assert.equal((await lab.untilSynced(strict)).quarantined, 0);
    await assertSame(lab, 't', 't::text', 50);
  }
});

test('what green lacked is mended: the rows come back by themselves, under hashed keys too', async () => {
  const blue = 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE c (pan text PRIMARY KEY, v text)';
  const lab = await fresh(blue, `CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100);
    CREATE TABLE c (pan text PRIMARY KEY, v text CHECK (length(v) < 5))`);
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }, { source: 'public.c', columns: { pan: { hash: 'pan' } } }] } };
  await lab.onBlue("INSERT INTO t SELECT i, 'v' FROM generate_series(90, 110) i; INSERT INTO c VALUES ('4929123456781234', 'long text'), ('4929123456781235', 'ok')");
  assert.equal((await lab.untilSynced(options)).quarantined, 12);
  assert.doesNotMatch(JSON.stringify((await lab.onGreen('SELECT * FROM payment_migration.quarantine')).rows), /4929/);
  await lab.onGreen('CREATE TABLE t_2 PARTITION OF t DEFAULT');
  assert.equal((await lab.untilSynced(options)).quarantined, 1);
  await assertSame(lab, 't', 't::text', 21);
  await lab.onGreen('ALTER TABLE c DROP CONSTRAINT c_v_check');
  const answer = await lab.untilSynced(options);
  assert.deepEqual([answer.quarantined, answer.consistent], [0, true]);
  assert.equal((await lab.verify(options)).verdict, 'equal');
});

test('a row that moves to a key for which green has no place, with a large value that is not sent again', async () => {
  const blue = 'CREATE TABLE t (id int PRIMARY KEY, v text, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL';
  const lab = await fresh(blue, blue.replace('id int PRIMARY KEY', 'id int PRIMARY KEY CHECK (id < 1000)'));
  await lab.onBlue("INSERT INTO t SELECT i, 'v', repeat(chr(97 + i % 26), 3000) FROM generate_series(1, 20) i");
  await lab.untilSynced(PLAIN);
  await lab.onBlue('UPDATE t SET id = id + 1000 WHERE id < 3; UPDATE t SET id = id + 100 WHERE id BETWEEN 5 AND 8');
  assert.deepEqual([(await lab.untilSynced(PLAIN)).quarantined, (await quarantine(lab)).length], [2, 2]);
  await lab.onBlue('UPDATE t SET id = id - 900 WHERE id > 1000');
  assert.equal((await lab.untilSynced(PLAIN)).quarantined, 0);
  await assertEqualVerdict(lab, PLAIN, 't', 20);
});

test('a value that is too long for an index of green is the row\'s fault, not the run\'s', async () => {
  const ddl = 'CREATE TABLE t (id int PRIMARY KEY, v text, j jsonb)';
  const lab = await fresh(ddl, `${ddl}; CREATE INDEX ON t (v); CREATE INDEX ON t (j)`);
  const long = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i)";
  await lab.onBlue(`INSERT INTO t SELECT i, 'v' FROM generate_series(1, 50) i; INSERT INTO t VALUES (100, ${long}, NULL)`);
  assert.deepEqual([(await lab.untilSynced(PLAIN)).quarantined, await quarantine(lab)], [1, [100]]);
  await lab.onBlue(`INSERT INTO t VALUES (101, NULL, to_jsonb(${long})), (102, 'w', NULL); UPDATE t SET v = 'short' WHERE id = 100`);
  assert.deepEqual([(await lab.untilSynced(PLAIN)).quarantined, await quarantine(lab)], [1, [101]]);
});

test('a value that is nested too deeply for green is the row\'s fault, not the run\'s', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY, v jsonb)';
  const lab = await fresh(table, `${table}; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET max_stack_depth = ''100kB''', current_database()); END $$`);
  const deep = (/** @type {number} */ id) => lab.onBlue(`INSERT INTO t VALUES (${id}, (repeat('[', 3000) || repeat(']', 3000))::jsonb), (${id + 1}, '[]')`);
  await deep(1);
  assert.equal((await lab.untilSynced(PLAIN)).quarantined, 1);
  await deep(3);
  assert.equal((await lab.untilSynced(PLAIN)).quarantined, 2);
  assert.deepEqual((await lab.onGreen('SELECT id FROM t ORDER BY id')).rows, [{ id: 2 }, { id: 4 }]);
  assert.deepEqual((await lab.onGreen('SELECT DISTINCT reason FROM payment_migration.quarantine')).rows, [{ reason: 'green refuses it: SQLSTATE 54001' }]);
});

test('a row that a function of green refuses, with whatever code, is held, and the others arrive', async () => {
  // Codes of failures that pass, too: what a function raises on purpose does not pass.
  const raises = (/** @type {string} */ code) => [code, `IF v = 'bad' THEN RAISE EXCEPTION 'no' USING ERRCODE = '${code}'; END IF`];
  for (const [code, statement] of [...['57014', '40001', '40P01', '55P03', '08006'].map(raises), ['53300', "BEGIN IF v = 'bad' THEN RAISE too_many_connections; END IF; EXCEPTION WHEN too_many_connections THEN RAISE; END"], ['P0004', "ASSERT v <> 'bad'"], ['PT422', "IF v = 'bad' THEN RAISE EXCEPTION 'no' USING ERRCODE = 'PT422'; END IF"],
    ['P0002', "BEGIN PERFORM 1 / CASE v WHEN 'bad' THEN 0 ELSE 1 END; EXCEPTION WHEN division_by_zero THEN RAISE no_data_found; END"]]) {
    const lab = await fresh('CREATE TABLE t (id int PRIMARY KEY, v text)', `CREATE FUNCTION judge(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN ${statement}; RETURN true; END$$;
      CREATE TABLE t (id int PRIMARY KEY, v text CHECK (judge(v)))`);
    await lab.onBlue("INSERT INTO t SELECT i, CASE i WHEN 7 THEN 'bad' ELSE 'v' END FROM generate_series(1, 20) i");
    assert.equal((await lab.untilSynced(PLAIN)).quarantined, 1, code);
    await lab.onBlue("UPDATE t SET v = 'bad' WHERE id IN (3, 4); UPDATE t SET v = 'good' WHERE id = 7; DELETE FROM t WHERE id = 4");
    assert.deepEqual([(await lab.untilSynced(PLAIN)).quarantined, await quarantine(lab)], [1, [3]], code);
    assert.match((await lab.onGreen('SELECT reason FROM payment_migration.quarantine')).rows[0].reason, new RegExp(code));
    assert.equal((await lab.verify(PLAIN)).verdict, 'held-back', code);
  }
});

test('a value that names a table, a type, a function or a role that green has not is held until green has it', async () => {
  const things = { regclass: 'CREATE SEQUENCE loose', regtype: "CREATE TYPE mine AS ENUM ('a')", regproc: 'CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS $$SELECT 1$$', regnamespace: 'CREATE SCHEMA mine' };
  const ddl = `${Object.keys(things).map((type) => `CREATE DOMAIN d_${type} AS ${type}`).join('; ')}; CREATE TABLE t (id int PRIMARY KEY, ${Object.keys(things).map((type) => `${type} ${type}, ${type}s d_${type}[]`).join(', ')})`;
  const lab = await fresh(ddl);
  await lab.onBlue(`${Object.values(things).join('; ')}; INSERT INTO t (id, regclass) VALUES (1, 'pg_class'), (2, 'loose'); INSERT INTO t (id, regtypes) VALUES (3, '{int4,NULL,mine}')`);
  assert.deepEqual([(await lab.untilSynced(PLAIN)).quarantined, await quarantine(lab)], [2, [2, 3]]);
  await lab.onBlue("INSERT INTO t (id, regproc) VALUES (4, 'mine'), (5, 'now'); INSERT INTO t (id, regnamespace) VALUES (6, 'mine')");
  assert.deepEqual([(await lab.untilSynced(PLAIN)).quarantined, await quarantine(lab)], [4, [2, 3, 4, 6]]);
  await lab.onGreen(Object.values(things).join('; '));
  assert.equal((await lab.untilSynced(PLAIN)).quarantined, 0);
  await assertEqualVerdict(lab, PLAIN, 't', 6);
});

test("more rows than the limit of quarantine that a unique constraint of green's own refuses: the run stops and names it; with a higher limit they are held", async () => {
  const lab = await fresh('CREATE TABLE t (id int PRIMARY KEY, v text)', 'CREATE TABLE t (id int PRIMARY KEY, v text, CONSTRAINT only_once UNIQUE (v))');
  await lab.onBlue("INSERT INTO t SELECT i, 'v' || i % 10 FROM generate_series(1, 700) i");
  const tuning = { mostProvisional: 100 };
  await assert.rejects(lab.run({ ...mapped({}, { limits: { quarantine: 500 } }), tuning }), { code: 'QUARANTINE_LIMIT', table: 'public.t', message: /** @type {any} */ (/more than 500 rows .*23505, constraint only_once/) });
  const options = { ...mapped({}, { limits: { quarantine: 690 } }), tuning };
  const answer = await lab.untilSynced({ ...options, seconds: 300 });
  assert.deepEqual([answer.quarantined, answer.consistent], [690, true]);
  assert.equal((await lab.onGreen('SELECT count(*)::int AS n FROM t')).rows[0].n, 10);
  const verdict = await lab.verify(options);
  assert.deepEqual([verdict.verdict, verdict.mismatches, verdict.quarantined], ['held-back', 0, 690]);
});
