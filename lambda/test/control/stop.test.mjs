/**
 * What `stop` leaves: blue as it was before, whatever control has made there, and green closed to its application as long as the rows of the copy are there, since blue goes on with them.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '30' })));
after(() => servers.remove());

const DDL = `CREATE TABLE t (id int PRIMARY KEY, state text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200);
  CREATE TABLE u (id int PRIMARY KEY, v text); CREATE TABLE r (id int PRIMARY KEY, v text)`;
/** @param {string | undefined} mode @returns {import('../support/lab.mjs').Options} */
const options = (mode) => ({
  mapping: { version: 1, ...(mode && { mode }), tables: [['t', 'merged'], ['u', 'merged'], ['r', 'reference']].map(([name, rule]) => ({ source: `public.${name}`, ...(mode === 'two-way' && { conflicts: { rule } }) })) },
});
const refused = { code: '25006', message: /the migration was stopped/ };
const TAKEN_UP = ["UPDATE t SET state = 'taken' WHERE state = 'new'", "DELETE FROM t WHERE state = 'new'", "INSERT INTO u VALUES (9, 'g')", "UPDATE t_1 SET state = 'taken'", "SELECT * FROM t FOR UPDATE; DELETE FROM t_2"];

/** All that a migration may have made in a database but green's memory and fence. @param {Lab} lab @param {'onBlue' | 'onGreen'} side */
async function traces(lab, side) {
  const { rows } = await lab[side](`SELECT (SELECT count(*)::int FROM pg_replication_slots WHERE database = current_database()) AS slots, (SELECT count(*)::int FROM pg_publication) AS publications,
    (SELECT count(*)::int FROM pg_largeobject_metadata) AS objects, (SELECT count(*)::int FROM pg_class WHERE relreplident = 'f') AS whole, (SELECT count(*)::int FROM pg_trigger WHERE NOT tgisinternal) AS triggers, to_regnamespace('payment_migration') IS NOT NULL AS schema`);
  return rows[0];
}
const NOTHING = { slots: 0, publications: 0, objects: 0, whole: 0, triggers: 0, schema: false };

const GUARD = `CREATE FUNCTION guard() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_TAG = 'DROP PUBLICATION' THEN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END IF; END $$;
  CREATE EVENT TRIGGER guard ON ddl_command_start EXECUTE FUNCTION guard()`;

/** @param {string} name @param {string | undefined} mode */
async function copied(name, mode) {
  const lab = await servers.fresh(name, DDL);
  await lab.onBlue("INSERT INTO t SELECT i, 'new' FROM generate_series(1, 150) i; INSERT INTO u VALUES (1, 'v'); INSERT INTO r VALUES (1, 'v')");
  await lab.untilSynced(options(mode));
  return lab;
}

/** Green's application takes nothing up, and a migration can begin anew as README says. @param {Lab} lab @param {string | undefined} mode */
async function assertClosedUntilEmptied(lab, mode) {
  for (const statement of TAKEN_UP) await assert.rejects(lab.onGreen(statement), refused, statement);
  await lab.onGreen('SELECT * FROM t');
  assert.deepEqual((await lab.onGreen("SELECT count(*)::int AS n FROM t WHERE state = 'new'")).rows, [{ n: 150 }]);
  assert.deepEqual([(await lab.sides(options(mode))).writer, (await lab.stop(options(mode))).greenClosed], ['blue', true]); // once more
  await assert.rejects(lab.run(options(mode)), { code: 'TARGET_NOT_EMPTY' });
  await assert.rejects(lab.onGreen(TAKEN_UP[0] ?? ''), refused);
  await lab.onGreen('TRUNCATE t, u, r');
  await assert.rejects(lab.onGreen("INSERT INTO u VALUES (9, 'g')"), refused); // part of a copy might be there still
  await lab.untilSynced(options(mode));
  if (mode === undefined) await lab.onGreen("INSERT INTO u VALUES (9, 'one way, as before')");
  else await assert.rejects(lab.onGreen('TRUNCATE u'), { code: '25006', message: /during the migration/ });
}

for (const mode of ['read-only', 'two-way', undefined])
  for (const prepared of mode === undefined ? [true] : [false, true])
    test(`mode ${mode ?? 'none'}, stopped ${prepared ? 'when the way back was prepared' : 'before that'}: blue is as it was, and green stays closed until its tables are emptied`, async () => {
      const lab = await copied(`stop_${`${mode}`.replace('-', '_')}_${prepared}`, mode);
      const before = await traces(lab, 'onBlue');
      assert.deepEqual(before, { ...NOTHING, slots: 1, publications: 1, objects: 1 });
      if (prepared) {
        await lab.prepare(options(mode));
        if (mode === 'two-way') {
          assert.deepEqual((await traces(lab, 'onBlue')).whole, 3);
          await assert.rejects(lab.stop(options(mode)), { code: 'WRITER', message: /both sides take writes/ });
          await lab.cutover(options(mode), true);
        }
      }
      const stopped = await lab.stop(options(mode));
      assert.deepEqual(stopped, { status: 'stopped', slotDropped: true, publicationDropped: true, targetReached: true, greenClosed: true });
      assert.deepEqual(await traces(lab, 'onBlue'), NOTHING);
      assert.deepEqual({ ...(await traces(lab, 'onGreen')), triggers: 0 }, { ...NOTHING, schema: true });
      await lab.onBlue("UPDATE t SET state = 'taken by blue'; UPDATE t SET state = 'new'; TRUNCATE r; INSERT INTO r VALUES (1, 'v')");
      await assertClosedUntilEmptied(lab, mode);
    });

test('green is opened by name, or when nothing of the copy is there', async () => {
  const lab = await copied('stop_and_release', 'read-only');
  await lab.stop(options('read-only'));
  assert.deepEqual((await lab.finish(options('read-only'))).fences, { blue: 'none', green: 'closed' });
  await assert.rejects(lab.onGreen(TAKEN_UP[0] ?? ''), refused);
  assert.deepEqual((await lab.finish(options('read-only'), true)).fences, { blue: 'none', green: 'none' });
  await lab.onGreen(TAKEN_UP[0] ?? '');
  assert.deepEqual(await traces(lab, 'onGreen'), { ...NOTHING, schema: true });
  const empty = await servers.fresh('stop_empty', DDL);
  await empty.untilSynced(options('two-way'));
  await assert.rejects(empty.onGreen("INSERT INTO u VALUES (1, 'g')"), { code: '25006' });
  assert.equal((await empty.stop(options('two-way'))).greenClosed, undefined);
  await empty.onGreen("INSERT INTO u VALUES (1, 'g')");
  assert.deepEqual(await traces(empty, 'onGreen'), { ...NOTHING, schema: true });
});

test('an event trigger of blue refuses to drop the publication: everything else is gone, the answer says what to do, and the next call ends it', async () => {
  const lab = await copied('stop_guarded', 'read-only');
  await lab.prepare(options('read-only'));
  await lab.onBlue(GUARD);
  await assert.rejects(lab.stop(options('read-only')), { name: 'PermanentError', code: 'PUBLICATION_LEFT', sqlstate: '40001', hint: /** @type {any} */ (/event trigger/) });
  assert.deepEqual(await traces(lab, 'onBlue'), { ...NOTHING, publications: 1, objects: 1 });
  await assert.rejects(lab.onGreen(TAKEN_UP[0] ?? ''), refused);
  await lab.onBlue('ALTER EVENT TRIGGER guard DISABLE');
  assert.deepEqual(await lab.stop(options('read-only')), { status: 'stopped', slotDropped: false, publicationDropped: true, targetReached: true, greenClosed: true });
  assert.deepEqual(await traces(lab, 'onBlue'), NOTHING);
});

test('an event trigger that refuses DROP PUBLICATION is not asked where there is none: on green without a way back, and on blue when somebody has dropped it', async () => {
  const lab = await copied('stop_dropped', undefined);
  await lab.onBlue("DO $$ BEGIN EXECUTE format('DROP PUBLICATION %I', (SELECT pubname FROM pg_publication)); END $$");
  for (const side of /** @type {const} */ (['onBlue', 'onGreen'])) await lab[side](GUARD);
  assert.deepEqual(await lab.stop(options(undefined)), { status: 'stopped', slotDropped: true, publicationDropped: false, targetReached: true });
  for (const side of /** @type {const} */ (['onBlue', 'onGreen'])) assert.deepEqual(await traces(lab, side), { ...NOTHING, schema: side === 'onGreen' });
});

test('prepare is killed before its state is on blue: stop takes slot, publication and key from green too', async () => {
  for (const sql of ['SELECT EXISTS (SELECT FROM pg_largeobject_metadata)', "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE database = current_database() AND slot_name NOT LIKE '%_marker')"]) {
    const lab = await copied(`stop_killed_${sql.length}`, undefined);
    const { signal, output } = await lab.spawn('prepare', options(undefined), { halt: { when: { side: 'green', sql } } }).ended;
    assert.equal(signal, 'SIGKILL', output);
    const { publications, objects } = await traces(lab, 'onGreen');
    assert.deepEqual([publications, objects], [1, 1]);
    await lab.stop(options(undefined));
    for (const side of /** @type {const} */ (['onBlue', 'onGreen'])) assert.deepEqual({ ...(await traces(lab, side)), triggers: 0 }, { ...NOTHING, schema: side === 'onGreen' }, `${side} after ${sql}`);
  }
});

test('partitions that green gets while the migration is under way are closed too', async () => {
  const lab = await copied('stop_partition', 'two-way');
  await lab.onGreen('CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (200) TO (300)');
  assert.equal((await lab.stop(options('two-way'))).greenClosed, true);
  await assert.rejects(lab.onGreen("INSERT INTO t_3 VALUES (200, 'new')"), refused);
});

test('while green takes the writes the migration is not stopped: the way back would be gone; after finish it is, and blue stays closed', async () => {
  const lab = await copied('stop_green', 'two-way');
  await lab.prepare(options('two-way'));
  await lab.verify(options('two-way'));
  await lab.cutover(options('two-way'));
  await assert.rejects(lab.stop(options('two-way')), { code: 'WRITER', message: /green takes the writes/, hint: /finish/ });
  await lab.onGreen("UPDATE t SET state = 'taken by green' WHERE id = 1");
  await lab.runBack(options('two-way'));
  assert.deepEqual((await lab.onBlue('SELECT state FROM t WHERE id = 1')).rows, [{ state: 'taken by green' }]);
  await lab.finish(options('two-way'));
  assert.deepEqual(await lab.stop(options('two-way')), { status: 'stopped', slotDropped: true, publicationDropped: true, targetReached: true });
  await assert.rejects(lab.onBlue(TAKEN_UP[0] ?? ''), { code: '25006' });
  assert.deepEqual([(await traces(lab, 'onBlue')).whole, await traces(lab, 'onGreen')], [0, { ...NOTHING, schema: true }]);
  await lab.onGreen("UPDATE t SET state = 'taken by green'");
});

test('with green gone stop takes from blue what control has made there, and keeps what green may still bring', async () => {
  const lab = await copied('stop_gone', 'two-way');
  await lab.prepare(options('two-way'));
  await lab.green.stop('immediate');
  const answer = await lab.stop(options('two-way'));
  assert.deepEqual([answer.slotDropped, answer.publicationDropped, answer.targetReached], [true, true, false]);
  assert.deepEqual(await traces(lab, 'onBlue'), { ...NOTHING, schema: true });
  await lab.green.start();
});

test('what green has acknowledged before a way back was forced is brought to blue before anything of the way back goes', async () => {
  for (const mode of ['two-way', undefined]) {
    const lab = await copied(`stop_forced_${mode === undefined}`, mode);
    await lab.prepare(options(mode));
    await lab.verify(options(mode));
    await lab.cutover(options(mode));
    await lab.runBack(options(mode));
    await lab.onGreen("INSERT INTO u VALUES (7, 'acknowledged by green')");
    await lab.green.stop('immediate');
    assert.equal((await lab.cutover(options(mode), true)).status, 'forced');
    await lab.green.start();
    for (const end of [() => lab.stop(options(mode)), () => lab.finish(options(mode))]) await assert.rejects(end(), { code: 'BEHIND', hint: /DIRECTION=reverse/ });
    await lab.runBack(options(mode));
    if (mode === 'two-way') await lab.cutover(options(mode), true);
    assert.equal((await lab.stop(options(mode))).greenClosed, true);
    assert.deepEqual((await lab.onBlue('SELECT v FROM u WHERE id = 7')).rows, [{ v: 'acknowledged by green' }]);
    assert.deepEqual(await traces(lab, 'onBlue'), NOTHING);
  }
});
