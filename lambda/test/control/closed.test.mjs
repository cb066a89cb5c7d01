/** Where traffic will be split, green's services may be running before its rows are there: from the first row on they read only, until control prepares the split. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '20' })));
after(() => servers.remove());

const DDL = `CREATE TABLE t (id int PRIMARY KEY, state text) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10000); CREATE TABLE u (id int PRIMARY KEY, v text)`;
const OPTIONS = (/** @type {string | undefined} */ mode) => ({ mapping: { version: 1, ...(mode && { mode }), tables: ['public.t', 'public.u'].map((source) => ({ source, ...(mode === 'two-way' && { conflicts: { rule: 'merged' } }) })) } });
const refused = { code: '25006' };

/** A service of green that takes up each payment it finds. */
class Service {
  /** @param {Lab} lab */
  constructor(lab) {
    this.taken = 0;
    this.refused = 0;
    this.stopping = false;
    this.ended = this.#loop(lab);
  }

  /** @param {Lab} lab */
  async #loop(lab) {
    const client = await lab.green.connect(lab.database);
    while (!this.stopping) {
      await client.query("UPDATE t SET state = 'taken by green' WHERE state = 'new'").then(({ rowCount }) => (this.taken += rowCount ?? 0), (error) => {
        assert.equal(error.code, '25006', `${error}`);
        this.refused += 1;
      });
      await sleep(2);
    }
    await client.end();
  }

  async stop() {
    this.stopping = true;
    await this.ended;
  }
}

const triggers = async (/** @type {Lab} */ lab) => (await lab.onGreen("SELECT count(*)::int AS n FROM pg_trigger WHERE tgname LIKE 'deployer%'")).rows[0].n;

for (const mode of ['read-only', 'two-way'])
  test(`mode ${mode}: no service of green takes up what is being copied; prepare ${mode === 'two-way' ? 'opens green' : 'leaves green closed'}`, async () => {
    const options = OPTIONS(mode);
    const lab = await servers.fresh(`closed_${mode.replace('-', '_')}`, DDL);
    await lab.onBlue("INSERT INTO t SELECT i, 'new' FROM generate_series(1, 3000) i; INSERT INTO u VALUES (1, 'v')");
    const service = new Service(lab);
    await lab.untilSynced({ ...options, tuning: { chunkRows: 300, rangeRows: 300 } });
    await lab.onBlue("INSERT INTO t SELECT i, 'new' FROM generate_series(3001, 3100) i; UPDATE u SET v = 'w'");
    await lab.onGreen('CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (10000) TO (20000)');
    await lab.run(options);
    await assert.rejects(lab.onGreen('INSERT INTO t_2 VALUES (10001)'), refused);
    await assert.rejects(lab.onGreen('TRUNCATE u'), refused);
    assert.deepEqual([service.taken, service.refused > 0, (await lab.onGreen('SELECT count(*)::int AS n FROM t')).rows[0].n], [0, true, 3100]);
    assert.equal((await lab.sides(options)).writer, 'blue');
    const before = await lab.verify(options);
    assert.deepEqual([before.ok, before.mismatches], [false, 0]);
    assert.match(before.problems.join(), new RegExp(`declares the mode ${mode}, and it is not prepared`));
    assert.equal((await lab.prepare(options)).writer, mode === 'two-way' ? 'both' : 'blue');
    if (mode === 'two-way') while (service.taken < 3100) await sleep(10);
    else await assert.rejects(lab.onGreen('DELETE FROM u'), refused);
    await service.stop();
    if (mode === 'two-way') await lab.cutover(options, true);
    assert.equal(service.taken, mode === 'two-way' ? 3100 : 0);
    assert.deepEqual((await lab.finish(options, true)).fences, { blue: 'none', green: 'none' });
    await lab.stop(options);
    assert.equal(await triggers(lab), 0);
  });

test('without a mode nothing is closed; with one, finish opens by name what was closed, and a green that has rows is left as it was', async () => {
  const lab = await servers.fresh('closed_and_stopped', DDL);
  await lab.onBlue("INSERT INTO t VALUES (1, 'new')");
  await lab.untilSynced(OPTIONS(undefined));
  assert.equal(await triggers(lab), 0);
  await lab.stop(OPTIONS(undefined));
  await assert.rejects(lab.run(OPTIONS('read-only')), { code: 'TARGET_NOT_EMPTY' });
  assert.equal(await triggers(lab), 0);
  await lab.onGreen('TRUNCATE t, u');
  await lab.run(OPTIONS('read-only'));
  await assert.rejects(lab.onGreen('DELETE FROM t'), refused);
  await lab.finish(OPTIONS('read-only'), true);
  assert.equal(await triggers(lab), 0);
  await lab.stop(OPTIONS('read-only'));
  assert.equal(await triggers(lab), 0);
  // What was written in the moment before the tables were closed is found.
  await lab.onGreen('TRUNCATE t, u');
  const writer = await lab.green.connect(lab.database);
  await writer.query("BEGIN; INSERT INTO u VALUES (7, 'late')");
  const running = assert.rejects(lab.run(OPTIONS('read-only')), { code: 'TARGET_NOT_EMPTY', table: 'public.u' });
  for (let waits = 0; waits === 0; await sleep(5)) waits = (await lab.onGreen("SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted")).rows[0].n;
  await writer.query('COMMIT');
  await writer.end();
  await running;
  assert.deepEqual([await triggers(lab), (await lab.onBlue('SELECT count(*)::int AS n FROM pg_publication')).rows[0].n], [0, 0]);
  await lab.onGreen('DELETE FROM u');
  await lab.untilSynced(OPTIONS('two-way'));
});
