/** A failover to another address: the same data, and the same migration. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { OPTIONS, Payer, Streams, assertWhole, patiently, quiet, splitLab, stopAll } from '../support/split.mjs';

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '20' })));
after(() => servers.remove());
afterEach(stopAll);

for (const side of /** @type {const} */ (['green', 'blue']))
  test(`blue takes the writes, and ${side} fails over to another address: the way back does not bring an older state of a row to blue`, async () => {
    const plain = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };
    const lab = await servers.fresh(`one_writer_${side}`, 'CREATE TABLE t (id int PRIMARY KEY, v text)');
    const row = async (/** @type {'onBlue' | 'onGreen'} */ at) => (await lab[at]('SELECT v FROM t WHERE id = 1')).rows[0].v;
    await lab.onBlue("INSERT INTO t VALUES (1, 'made')");
    await lab.untilSynced(plain);
    await lab.prepare(plain);
    await lab.onBlue("UPDATE t SET v = 'first' WHERE id = 1");
    await lab.run(plain);
    await lab[side].stop('immediate');
    await lab[side].startElsewhere();
    await lab.onBlue("UPDATE t SET v = 'second' WHERE id = 1");
    await lab.runBack(plain);
    assert.equal(await row('onBlue'), 'second');
    await lab.untilSynced(plain);
    assert.equal((await lab.verify(plain)).verdict, 'equal');
    assert.equal((await lab.cutover(plain)).writer, 'green');
    await lab.onGreen("UPDATE t SET v = 'third' WHERE id = 1");
    assert.equal((await lab.cutover(plain, true)).writer, 'blue');
    assert.deepEqual([await row('onBlue'), await row('onGreen')], ['third', 'third']);
  });

test('green fails over to another address, and is gone there: stop finds what belongs to the migration on blue, and drops nothing else', async () => {
  const plain = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };
  const lab = await servers.fresh('moved_and_gone', 'CREATE TABLE t (id int PRIMARY KEY, v text)');
  await lab.onBlue("INSERT INTO t VALUES (1, 'made')");
  await lab.untilSynced(plain);
  const slots = async () => (await lab.onBlue("SELECT slot_name AS name FROM pg_replication_slots WHERE database = current_database() UNION SELECT pubname FROM pg_publication ORDER BY 1")).rows.map((/** @type {{name: string}} */ { name }) => name);
  const [mine = ''] = await slots();
  await lab.onBlue("SELECT pg_create_logical_replication_slot('payment_migration_of_another', 'pgoutput'); CREATE PUBLICATION payment_migration_of_another FOR TABLE t");
  await lab.green.stop('immediate');
  await lab.green.startElsewhere();
  await lab.green.stop('immediate'); // before any run knows the new address
  const gone = { ...plain, seconds: 20 };
  assert.deepEqual(await lab.stop(gone), { status: 'stopped', slotDropped: false, publicationDropped: false, targetReached: false, slotsLeft: [mine, 'payment_migration_of_another'].sort() });
  await lab.green.start();
  await lab.onBlue("INSERT INTO t VALUES (2, 'more')");
  await lab.untilSynced(plain);
  await lab.green.stop('immediate');
  assert.match(JSON.stringify(await lab.watched(gone)), /"LagBytes":\d/);
  assert.deepEqual(await lab.stop(gone), { status: 'stopped', slotDropped: true, publicationDropped: true, targetReached: false });
  assert.deepEqual(await slots(), ['payment_migration_of_another']);
  await lab.green.start();
});

for (const side of /** @type {const} */ (['green', 'blue']))
  test(`both sides take writes, and ${side} fails over to another address: nothing comes back to where it came from, and nothing is lost`, { timeout: 300_000 }, async () => {
    const lab = await splitLab(servers, `moves_${side}`);
    await quiet(lab);
    // On its way when the side fails: rows that a stream has written there, and that the other stream has not passed.
    await lab.onBlue("INSERT INTO ledger (payment, side, amount, currency) VALUES (1, 'D', 7, 'EUR'), (1, 'C', 7, 'EUR'); UPDATE customers SET phone = 'first' WHERE id = 1; UPDATE payments SET state = 'A' WHERE id = 1");
    await lab.onGreen("UPDATE customers SET phone = 'from green' WHERE id = 2; INSERT INTO payments (day, merchant, reference, minor, currency, status) VALUES ('2026-01-09', 1, 'from green', 900, 'EUR', 'new')");
    await lab.run(OPTIONS);
    if (side === 'blue') await lab.runBack(OPTIONS);
    await lab[side].stop('immediate');
    await lab[side].startElsewhere();
    await lab.onBlue("UPDATE customers SET phone = 'second' WHERE id = 1; UPDATE payments SET state = 'C' WHERE id = 1");
    assert.equal((await lab.runBack(OPTIONS)).changesApplied, 2); // what green's application has written, and no more
    assert.deepEqual((await lab.onBlue("SELECT phone, (SELECT state FROM payments WHERE id = 1) AS state, (SELECT identity->>'merged' FROM payment_migration.state) AS merged FROM customers WHERE id = 1")).rows, [{ phone: 'second', state: 'C', merged: null }]);
    const payers = /** @type {const} */ (['blue', 'green']).map((name) => new Payer(lab, name, `moved-${name}`));
    const streams = new Streams(lab);
    const verdict = await patiently(() => lab.verify(OPTIONS));
    assert.deepEqual([verdict.verdict, verdict.writer], ['equal', 'both'], JSON.stringify(verdict));
    assert.equal((await patiently(() => lab.cutover(OPTIONS))).writer, 'green');
    assert.equal((await patiently(() => lab.cutover(OPTIONS, true))).writer, 'blue');
    for (const payer of payers) await payer.stop();
    await streams.stop();
    assert.deepEqual(streams.failures, []);
    await quiet(lab);
    await assertWhole(lab, payers);
    for (let trip = 0; trip < 3; trip += 1) {
      const so = [(await lab.run(OPTIONS)).changesApplied, (await lab.runBack(OPTIONS)).changesApplied];
      assert.deepEqual([(await lab.run(OPTIONS)).changesApplied, (await lab.runBack(OPTIONS)).changesApplied], so);
    }
    assert.deepEqual((await lab.finish(OPTIONS, true)).fences, { blue: 'none', green: 'none' });
    assert.deepEqual(await lab.stop(OPTIONS), { status: 'stopped', slotDropped: true, publicationDropped: true, targetReached: true });
    assert.equal((await lab.onGreen('SELECT count(*)::int AS n FROM pg_replication_slots WHERE database = current_database()')).rows[0].n, 0);
  });
