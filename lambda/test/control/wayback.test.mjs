/** The way back, with the worked example: what green's application writes after a cutover is on blue, in blue's form, and a reverse cutover loses nothing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';

const DDL = ['blue', 'green'].map((side) => readFileSync(new URL(`../../ddl/${side}.sql`, import.meta.url), 'utf8'));
const MAPPING = JSON.parse(readFileSync(new URL('../../mappings/default.json', import.meta.url), 'utf8'));
const { invariants } = JSON.parse(readFileSync(new URL('../../mappings/invariants.json', import.meta.url), 'utf8'));
const OPTIONS = { mapping: { ...MAPPING, mode: 'read-only', invariants }, seconds: 600 };

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '20', max_prepared_transactions: '5' })));
after(() => servers.remove());

const DATA = `
  INSERT INTO customers (full_name, email, phone, street, postcode, city, country) SELECT 'Ada Lovelace ' || i, 'a' || i || '@example.org', '+41', 'Road ' || i, '8000', 'Zurich', 'CH' FROM generate_series(1, 20) i;
  INSERT INTO cards (customer_id, pan, cvv, holder, expiry, network) SELECT i, '411111111111' || lpad(i::text, 4, '0'), '123', 'Ada', '09/27', 'visa' FROM generate_series(1, 20) i;
  INSERT INTO merchants (legal_name, mcc, country) SELECT 'M' || i, '5411', 'CH' FROM generate_series(1, 5) i;
  INSERT INTO merchant_accounts (merchant_id, iban, currency, balance) SELECT i, 'CH930076201162385295' || i, 'CHF', i * 10.5 FROM generate_series(1, 5) i;
  INSERT INTO payments (created_at, merchant_id, customer_id, card_id, amount, currency, state, reference, internal_note)
    SELECT timestamptz '2024-01-15' + i * interval '1 day', 1 + i % 5, 1 + i % 20, 1 + i % 20, CASE i % 3 WHEN 0 THEN 1200 ELSE 10.5 END, CASE i % 3 WHEN 0 THEN 'JPY' ELSE 'EUR' END, 'C', 'r' || i, 'note ' || i FROM generate_series(1, 100) i;
  INSERT INTO ledger_entries (account_id, payment_id, side, amount, currency, booked_on) SELECT 1 + i % 5, i / 2, CASE i % 2 WHEN 0 THEN 'D' ELSE 'C' END, 1.25, 'CHF', '2024-02-01' FROM generate_series(2, 31) i;
  INSERT INTO settlements (merchant_id, gross, fee, currency, period) VALUES (1, 100.25, 0.25, 'CHF', '[2024-01-01,2024-02-01)');
  INSERT INTO disputes (payment_id, payment_created_at, amount, currency) SELECT payment_id, created_at, 1, currency FROM payments WHERE payment_id < 4;
  INSERT INTO audit_events (actor, action, trace) VALUES ('x', 'login', gen_random_uuid()), ('x', 'heartbeat', NULL)`;

/** @param {string} name */
async function migrated(name) {
  const lab = await servers.fresh(name, DDL[0] ?? '', DDL[1]);
  await lab.onBlue(DATA);
  await lab.untilSynced(OPTIONS);
  return lab;
}

const refusedWrite = { code: '25006' };
const IRREVERSIBLE = ['public.customers.street', 'public.customers.postcode', 'public.customers.city', 'public.cards.pan', 'public.merchant_accounts.iban'];

test('from blue to green and back: rows, kept columns, held rows, fences, verdicts', async () => {
  const lab = await migrated('there_and_back');
  assert.match((await lab.verify(OPTIONS)).problems.join(), /the mapping declares the mode read-only/);
  const plan = await lab.plan(OPTIONS);
  assert.deepEqual([plan.reversible, plan.irreversible, plan.newRowsHeld], [false, IRREVERSIBLE, ['public.cards', 'public.merchant_accounts']], JSON.stringify(plan));
  assert.ok(plan.exact.includes('public.payments.amount') && plan.exact.includes('public.payments.state') && plan.guarded.includes('public.merchants.merchant_id'));
  assert.deepEqual(plan.kept, ['public.cards.cvv', 'public.payments.internal_note']);
  await assert.rejects(lab.cutover(OPTIONS), { code: 'NOT_PREPARED' });
  await assert.rejects(lab.runBack(OPTIONS), { code: 'NOT_PREPARED' });
  await assert.rejects(lab.prepare(OPTIONS), { code: 'IRREVERSIBLE', message: /** @type {any} */ (/cards\.pan/) });
  const prepared = await lab.prepare(OPTIONS, IRREVERSIBLE);
  assert.deepEqual([prepared.status, prepared.writer], ['prepared', 'blue']);

  // Green's application reads only: the table, a partition by itself, whatever the session says of itself.
  const insert = "INSERT INTO PLACE (merchant_id, amount_minor, currency, reference, created_at, status) VALUES (1, 250, 'EUR', 'green', '2025-06-01', 'captured')";
  for (const statement of [insert.replace('PLACE', 'payments'), insert.replace('PLACE', 'payments_2025_06'), 'TRUNCATE disputes', 'BEGIN READ WRITE; DELETE FROM refunds; COMMIT', "UPDATE customers SET email = 'x' WHERE false"])
    await assert.rejects(lab.onGreen(statement), refusedWrite, statement);
  assert.equal((await lab.onGreen('SELECT count(*)::int AS n FROM payments')).rows[0].n, 100);
  await assert.rejects(lab.cutover(OPTIONS), { code: 'NOT_VERIFIED' });
  await lab.onBlue("UPDATE payments SET state = 'R' WHERE payment_id = 5");
  const verdict = await lab.verify(OPTIONS);
  assert.deepEqual([verdict.verdict, verdict.writer, verdict.unreversed], ['equal', 'blue', 0], JSON.stringify(verdict));

  const there = await lab.cutover(OPTIONS);
  assert.deepEqual([there.status, there.writer, there.already], ['done', 'green', false]);
  assert.ok(Number(there.refusedMs) < 10_000, JSON.stringify(there)); // `npm run bench` measures it on a machine that does nothing else
  assert.equal((await lab.cutover(OPTIONS)).already, true);
  await assert.rejects(lab.onBlue("UPDATE payments SET state = 'R' WHERE payment_id = 6"), refusedWrite);
  assert.equal((await lab.sides(OPTIONS)).writer, 'green');

  // Green's application.
  const [made] = (await lab.onGreen(`${insert.replace('PLACE', 'payments')} RETURNING payment_id`)).rows;
  await lab.onGreen(`INSERT INTO payments (merchant_id, amount_minor, currency, status, reference, created_at) VALUES (2, 1200, 'JPY', 'captured', 'yen', '2025-06-02'), (2, 1234, 'BHD', 'captured', 'dinar', '2025-06-03');
    INSERT INTO refunds (payment_id, payment_created_at, amount_minor, currency, reason) VALUES (${made.payment_id}, '2025-06-01', 50, 'EUR', 'broken');
    UPDATE payments SET status = 'refunded', description = 'changed on green' WHERE payment_id = 7; UPDATE cards SET holder = 'Eve' WHERE card_id = 3; DELETE FROM disputes WHERE payment_id = 2;
    UPDATE customers SET given_name = 'Grace', family_name = 'Hopper' WHERE customer_id = 4; UPDATE customers SET address = 'elsewhere' WHERE customer_id = 5;
    INSERT INTO cards (customer_id, pan_masked, pan_hash, holder, expiry_month, expiry_year, network) VALUES (1, '************9999', decode(repeat('ab', 32), 'hex'), 'New', 1, 2030, 'visa')`);
  await lab.runBack(OPTIONS);
  assert.ok(made.payment_id > 1_000_000, `${made.payment_id}`);
  const { rows: [payments] } = await lab.onBlue(`SELECT (SELECT (amount, currency, state, internal_note)::text FROM payments WHERE reference = 'green') AS green, (SELECT amount::text FROM payments WHERE reference = 'yen') AS yen,
    (SELECT amount::text FROM payments WHERE reference = 'dinar') AS dinar, (SELECT (state, description, internal_note)::text FROM payments WHERE payment_id = 7) AS changed,
    (SELECT (pan, cvv, holder, expiry)::text FROM cards WHERE card_id = 3) AS card, (SELECT count(*)::int FROM disputes) AS disputes, (SELECT (amount, reason)::text FROM refunds) AS refund,
    (SELECT (full_name, street)::text FROM customers WHERE customer_id = 4) AS named, (SELECT (full_name, street)::text FROM customers WHERE customer_id = 5) AS moved`);
  assert.deepEqual(payments, {
    green: '(2.5000,EUR,C,)', yen: '1200.0000', dinar: '1.2340', changed: '(R,"changed on green","note 7")', card: '(4111111111110003,123,Eve,09/27)', disputes: 2, refund: '(0.5000,broken)',
    named: '("Grace Hopper","Road 4")', moved: '("Ada Lovelace 5","Road 5")',
  });
  const held = (await lab.onBlue('SELECT source, column_name, reason FROM payment_migration.quarantine ORDER BY 1, 2')).rows;
  assert.deepEqual(held.map((/** @type {Record<string, string>} */ row) => [row['source'], row['column_name']]), [['public.cards', 'pan'], ['public.customers', 'address']], JSON.stringify(held));
  const after = await lab.verify(OPTIONS);
  assert.deepEqual([after.verdict, after.writer, after.unreversed, after.mismatches], ['different', 'green', 2, 2], JSON.stringify(after));
  // A payment with the card that could not come back is on blue all the same, and named: blue's own foreign key did not check it.
  await lab.onGreen("INSERT INTO payments (merchant_id, amount_minor, currency, status, reference, created_at, card_id) SELECT 2, 500, 'EUR', 'captured', 'new card', '2025-06-04', card_id FROM cards WHERE holder = 'New'");
  const orphan = await lab.verify(OPTIONS);
  assert.match(orphan.problems.join(), /(?:^|,)1 rows of blue's table public\.payments refer to rows that are not there \(payments_card_id_fkey\)/, JSON.stringify(orphan.problems));
  assert.deepEqual((await lab.onBlue("SELECT amount::text FROM payments WHERE reference = 'new card'")).rows, [{ amount: '5.0000' }]);
  await lab.onGreen("UPDATE payments SET card_id = NULL WHERE reference = 'new card'");
  await lab.onGreen("UPDATE customers SET address = 'Road 5, 8000, Zurich' WHERE customer_id = 5; DELETE FROM cards WHERE holder = 'New'");
  const equal = await lab.verify(OPTIONS);
  assert.deepEqual([equal.verdict, equal.unreversed], ['equal', 0], JSON.stringify(equal));

  // What must hold is part of the verdict.
  await lab.onGreen("UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE entry_id = 1");
  const unbalanced = await lab.verify(OPTIONS);
  assert.deepEqual([unbalanced.verdict, unbalanced.mismatches, unbalanced.invariants.map(({ violations }) => violations)], ['different', 0, [1, 0, 0]], JSON.stringify(unbalanced.invariants));
  await lab.onGreen('UPDATE ledger_entries SET amount_minor = amount_minor - 1 WHERE entry_id = 1');

  // Nothing goes round in circles.
  for (let trip = 0; trip < 3; trip += 1) {
    const [forward, back] = [await lab.run(OPTIONS), await lab.runBack(OPTIONS)];
    assert.deepEqual([forward.changesApplied, back.changesApplied], [(await lab.run(OPTIONS)).changesApplied, (await lab.runBack(OPTIONS)).changesApplied]);
  }

  const back = await lab.cutover(OPTIONS, true);
  assert.deepEqual([back.status, back.writer], ['done', 'blue']);
  await assert.rejects(lab.onGreen('DELETE FROM refunds'), refusedWrite);
  await lab.onBlue("UPDATE payments SET amount = 3 WHERE reference = 'green'; INSERT INTO payments (merchant_id, amount, currency, reference, created_at) VALUES (3, 7, 'EUR', 'blue again', '2025-07-01')");
  await lab.untilSynced(OPTIONS);
  assert.deepEqual((await lab.onGreen("SELECT amount_minor::int AS n FROM payments WHERE reference IN ('green', 'blue again') ORDER BY 1")).rows, [{ n: 300 }, { n: 700 }]);
  const last = await lab.verify(OPTIONS);
  assert.deepEqual([last.verdict, last.writer], ['equal', 'blue'], JSON.stringify(last));
  await lab.cutover(OPTIONS);
  await lab.onGreen("UPDATE payments SET amount_minor = 400 WHERE reference = 'green'");
  await lab.cutover(OPTIONS, true);
  assert.equal((await lab.onBlue("SELECT amount::text AS amount FROM payments WHERE reference = 'green'")).rows[0].amount, '4.0000');

  // The end: nothing of it is left on blue.
  assert.deepEqual((await lab.finish(OPTIONS, true)).fences, { blue: 'none', green: 'none' });
  await lab.stop(OPTIONS);
  for (const server of ['onBlue', 'onGreen'])
    assert.deepEqual((await lab[/** @type {'onBlue' | 'onGreen'} */ (server)](`SELECT (SELECT count(*)::int FROM pg_replication_slots WHERE database = current_database()) AS slots, (SELECT count(*)::int FROM pg_publication) AS publications,
      (SELECT count(*)::int FROM pg_largeobject_metadata) AS objects, (SELECT count(*)::int FROM pg_trigger WHERE tgname LIKE 'deployer%') AS triggers`)).rows, [{ slots: 0, publications: 0, objects: 0, triggers: 0 }]);
  assert.equal((await lab.onBlue("SELECT count(*)::int AS n FROM pg_namespace WHERE nspname = 'payment_migration'")).rows[0].n, 0);
});

test('rows on blue are changed, not replaced: by changes of the key, values that are not sent again, unique values that change places, and deletes', async () => {
  const green = "CREATE TABLE t (id int PRIMARY KEY, v text UNIQUE, big text, small text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL";
  const blue = "CREATE TABLE t (id int PRIMARY KEY, v text UNIQUE, pair text, small text, own text NOT NULL); CREATE TABLE u (id int PRIMARY KEY)";
  const lab = await servers.fresh('kept', blue, `${green}; CREATE TABLE u (id int PRIMARY KEY)`);
  const options = {
    mapping: {
      version: 1, tables: [
        { source: 'public.t', drop: ['own'], columns: { v: 'v', small: 'small', big: { split: 'pair', separator: '|', part: 1 } }, reverse: { columns: { pair: { concat: ['big', { constant: '|' }, 'small'] } } } },
        { source: 'public.u' },
      ],
    },
  };
  await lab.onBlue("INSERT INTO t SELECT i, 'v' || i, repeat('b', 3000) || '|s', 's', 'own ' || i FROM generate_series(1, 9) i");
  await lab.untilSynced(options);
  await lab.prepare(options);
  assert.equal((await lab.verify(options)).verdict, 'equal');
  await lab.cutover(options);
  await lab.onGreen("UPDATE t SET small = 'x' WHERE id = 1; UPDATE t SET id = 102 WHERE id = 2; UPDATE t SET id = 103, small = 'y' WHERE id = 3; DELETE FROM t WHERE id = 4; INSERT INTO t VALUES (5000, 'new', 'b', 's')");
  await lab.onGreen("BEGIN; UPDATE t SET v = 'tmp' WHERE id = 5; UPDATE t SET v = 'v5' WHERE id = 6; UPDATE t SET v = 'v6' WHERE id = 5; COMMIT");
  await lab.onGreen('BEGIN; UPDATE t SET id = 7000 WHERE id = 7; UPDATE t SET id = 7 WHERE id = 8; UPDATE t SET id = 8 WHERE id = 7000; COMMIT');
  await lab.runBack(options);
  await lab.runBack(options);
  const { rows } = await lab.onBlue("SELECT id, v, right(pair, 2) AS pair, own FROM t ORDER BY id");
  assert.deepEqual(rows.map((/** @type {Record<string, unknown>} */ row) => Object.values(row).join(' ')), [
    '1 v1 |x own 1', '5 v6 |s own 5', '6 v5 |s own 6', '7 v8 |s own 8', '8 v7 |s own 7', '9 v9 |s own 9', '102 v2 |s own 2', '103 v3 |y own 3',
  ]);
  assert.deepEqual((await lab.onBlue('SELECT column_name FROM payment_migration.quarantine')).rows, [{ column_name: 'own' }]);
  await lab.onGreen('TRUNCATE u');
  await assert.rejects(lab.runBack(options), { code: 'TRUNCATED' });
});

test('what stands in the way is named: a row in quarantine, a table that somebody has open', async () => {
  const lab = await servers.fresh('in_the_way', 'CREATE TABLE t (id int PRIMARY KEY, v text)', "CREATE TABLE t (id int PRIMARY KEY, v text CHECK (v <> 'bad'))");
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };
  await lab.onBlue("INSERT INTO t VALUES (1, 'a')");
  await lab.untilSynced(options);
  await lab.prepare(options);
  assert.equal((await lab.verify(options)).verdict, 'equal');
  await lab.onBlue("INSERT INTO t VALUES (2, 'bad')");
  await assert.rejects(lab.cutover(options), { code: 'HELD_ROWS' });
  await lab.onBlue("UPDATE t SET v = 'good' WHERE id = 2"); // blue goes on
  assert.equal((await lab.cutover(options)).writer, 'green');
  const reader = await lab.green.connect(lab.database);
  await reader.query("BEGIN; UPDATE t SET v = 'd' WHERE id = 1");
  await assert.rejects(lab.cutover(options, true), { code: 'FENCE_NOT_RAISED', message: /^green: / }); // the side that is meant
  await reader.query('COMMIT; BEGIN; SELECT * FROM t');
  await assert.rejects(lab.finish(options), { code: 'FENCE_NOT_REMOVED' });
  await lab.onGreen("INSERT INTO t VALUES (3, 'c')");
  await reader.query('COMMIT');
  await reader.end();
  assert.deepEqual((await lab.finish(options)).fences, { blue: 'closed', green: 'none' });
  await assert.rejects(lab.onBlue('DELETE FROM t'), refusedWrite);
});
