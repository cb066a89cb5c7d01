/** Mode two-way where something is missing: green's database, a slot, the past of a row in a new partition. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { Waits } from '../support/waits.mjs';
import { ACCEPT, OPTIONS, assertWhole, contents, quiet, splitLab, stopAll, syncedLab } from '../support/split.mjs';

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '20' })));
after(() => servers.remove());
afterEach(stopAll);

test("green can't be reached: blue goes on alone, and what green has acknowledged since comes by the rules when it is back, closed", async () => {
  const lab = await splitLab(servers, 'unreachable');
  await quiet(lab);
  await lab.onGreen("UPDATE payments SET status = 'authorized' WHERE id = 1; INSERT INTO payments (day, merchant, reference, minor, currency, status) VALUES ('2026-01-09', 1, 'late', 900, 'EUR', 'new')");
  await lab.green.stop('immediate');
  const answer = await lab.cutover({ ...OPTIONS, seconds: 60 }, true);
  assert.deepEqual([answer.status, answer.writer], ['forced', 'blue']);
  assert.match(answer.blueHas.until, /^20\d\d-/);
  await lab.onBlue("UPDATE payments SET description = 'blue goes on' WHERE id = 1; UPDATE payments SET state = 'F' WHERE id = 2");
  await lab.green.start();
  await lab.onGreen("UPDATE payments SET status = 'authorized' WHERE id = 2"); // green is not closed yet
  await quiet(lab);
  await assert.rejects(lab.onGreen("UPDATE payments SET description = 'x' WHERE id = 3"), { code: '25006' });
  const [blue, green] = [await contents(lab, 'blue'), await contents(lab, 'green')];
  for (const side of [blue, green]) assert.match(side.get('payments 1') ?? '', /authorized\|blue goes on$/);
  assert.equal([...blue.values()].filter((row) => row.includes('|late|')).length, 1);
  assert.match(green.get('payments 2') ?? '', /failed/);
  await assertWhole(lab, []);
  const verdict = await lab.verify(OPTIONS);
  assert.deepEqual([verdict.verdict, verdict.writer], ['equal', 'blue'], JSON.stringify(verdict));
  assert.equal((await lab.prepare(OPTIONS)).writer, 'both'); // and both again
  await lab.onGreen("UPDATE payments SET description = 'x' WHERE id = 3");
  await quiet(lab);
  await assertWhole(lab, []);
});

test('rows of a partition that is made during the split: held while the log does not say what they were, until prepare is called again', async () => {
  const lab = await splitLab(servers, 'partition');
  for (const side of /** @type {const} */ (['onBlue', 'onGreen'])) await lab[side]("CREATE TABLE payments_3 PARTITION OF payments FOR VALUES FROM ('2027-01-01') TO ('2027-02-01')");
  await lab.onGreen("INSERT INTO payments (day, merchant, reference, minor, currency, status) VALUES ('2027-01-05', 1, 'new partition', 100, 'EUR', 'new')");
  await quiet(lab);
  await lab.onGreen("UPDATE payments SET status = 'authorized' WHERE reference = 'new partition'");
  await lab.runBack(OPTIONS);
  assert.deepEqual((await lab.onBlue('SELECT reason FROM payment_migration.quarantine')).rows, [{ reason: 'what the row was before it was changed is not in the log' }]);
  assert.equal((await lab.prepare(OPTIONS)).writer, 'both');
  await lab.onBlue("UPDATE payments SET state = 'A' WHERE reference = 'new partition'");
  await lab.onGreen("UPDATE payments SET status = 'captured' WHERE reference = 'new partition'");
  await quiet(lab);
  await quiet(lab);
  assert.deepEqual((await lab.onBlue("SELECT state FROM payments WHERE reference = 'new partition'")).rows, (await lab.onGreen("SELECT upper(left(status, 1)) AS state FROM payments WHERE reference = 'new partition'")).rows);
  assert.deepEqual((await lab.onBlue('SELECT reason FROM payment_migration.quarantine')).rows, []);
});

test('a slot that was dropped, or made again under its name, ends the stream: nothing is skipped in silence', async () => {
  const lab = await splitLab(servers, 'slot');
  await quiet(lab);
  const [{ slot }] = (await lab.onBlue('SELECT slot FROM payment_migration.state')).rows;
  await lab.onGreen("UPDATE payments SET description = 'lost' WHERE id = 5");
  await lab.onGreen(`SELECT pg_drop_replication_slot('${slot}')`);
  await assert.rejects(lab.runBack(OPTIONS), { code: 'SLOT_LOST' });
  await lab.onGreen(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  await assert.rejects(lab.runBack(OPTIONS), { code: 'CHECKPOINT_GAP' });
  await assert.rejects(lab.verify(OPTIONS), { code: 'CHECKPOINT_GAP' });
});

test('changes of the schema during the split: new columns are left alone on both sides, a type that changes ends the stream, and nothing is half-applied', async () => {
  const lab = await splitLab(servers, 'schema');
  await lab.onBlue("ALTER TABLE customers ADD COLUMN vip boolean DEFAULT true; UPDATE customers SET vip = false, phone = 'new column' WHERE id = 1; INSERT INTO customers (full_name, vip) VALUES ('Made afterwards', false)");
  await lab.onGreen("ALTER TABLE customers ADD COLUMN segment text DEFAULT 'none'; UPDATE customers SET segment = 'gold' WHERE id = 2; UPDATE customers SET segment = 'gold', email = 'segment@example.org' WHERE id = 3");
  assert.deepEqual((await lab.run(OPTIONS)).newColumns, ['public.customers.vip']);
  await quiet(lab);
  await assertWhole(lab, []);
  assert.deepEqual((await lab.onBlue('SELECT id::int, vip, email FROM customers WHERE id IN (1, 3) ORDER BY id')).rows, [{ id: 1, vip: false, email: 'a1@example.org' }, { id: 3, vip: true, email: 'segment@example.org' }]);
  assert.deepEqual((await lab.onGreen('SELECT id::int, segment, phone FROM customers WHERE id IN (1, 2) ORDER BY id')).rows, [{ id: 1, segment: 'none', phone: 'new column' }, { id: 2, segment: 'gold', phone: null }]);
  assert.equal((await lab.verify(OPTIONS)).verdict, 'equal');
  await lab.onGreen("BEGIN; UPDATE customers SET phone = 'before' WHERE id = 4; ALTER TABLE customers ALTER phone TYPE varchar(50); UPDATE customers SET phone = 'after' WHERE id = 4; COMMIT");
  await assert.rejects(lab.runBack(OPTIONS), { code: 'MAPPING', message: /** @type {any} */ (/column phone/) }); // blue's texts may be longer
  assert.deepEqual((await lab.onBlue('SELECT phone FROM customers WHERE id = 4')).rows, [{ phone: null }]);
  await lab.onGreen('ALTER TABLE customers ALTER phone TYPE text');
  await assert.rejects(lab.runBack(OPTIONS), { code: 'SCHEMA_CHANGED' });
});

test('a table of blue that somebody has open: prepare gives up in time, no write waits long for it, and the next call goes on', async () => {
  const lab = await syncedLab(servers, 'open_table');
  const [reader, writer] = [await lab.blue.connect(lab.database), await lab.blue.connect(lab.database)];
  await reader.query('BEGIN; SELECT * FROM customers');
  let over = false;
  const waits = new Waits(lab.blue, lab.database);
  const preparing = assert.rejects(lab.prepare(OPTIONS, ACCEPT), { code: 'TABLE_LOCKED', hint: /** @type {any} */ (/long transaction/) }).finally(() => (over = true));
  while (!over) {
    await writer.query("UPDATE customers SET phone = 'x' WHERE id = 1");
    await sleep(20);
  }
  await preparing;
  await waits.stop();
  assert.ok(waits.waits > 0 && waits.longest < 1_500 + waits.stall, `${waits.waits} waits, the longest ${waits.longest} ms, while the machine stood still for up to ${waits.stall} ms`); // 700 ms
  await reader.query('COMMIT');
  for (const client of [reader, writer]) await client.end();
  assert.equal((await lab.prepare(OPTIONS, ACCEPT)).writer, 'both');
  await lab.onGreen("UPDATE customers SET email = 'both' WHERE id = 1");
  await quiet(lab);
  await assertWhole(lab, []);
});
