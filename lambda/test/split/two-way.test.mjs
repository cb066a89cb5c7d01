/** Both sides take payments at the same time. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { OPTIONS, Payer, Streams, assertWhole, contents, patiently, quiet, splitLab, stopAll, untilAll } from '../support/split.mjs';

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '30' })));
after(() => servers.remove());
afterEach(stopAll);

test('two writers on each side: every acknowledged payment is on both sides once, and three round trips leave both streams quiet', { timeout: 300_000 }, async () => {
  const lab = await splitLab(servers, 'split');
  const payers = /** @type {const} */ (['blue', 'blue', 'green', 'green']).map((side, i) => new Payer(lab, side, `${side}${i}`, { pauseMs: 40 }));
  const streams = new Streams(lab);
  await untilAll(payers, { paid: 60 });
  const busy = await patiently(() => lab.verify(OPTIONS));
  assert.deepEqual([busy.verdict, busy.writer, busy.mismatches], ['equal', 'both', 0], JSON.stringify(busy));
  assert.deepEqual(busy.tables.map(({ source }) => source), ['public.rates', 'public.customers', 'public.payments', 'public.ledger']);
  await untilAll(payers, { paid: 60 });
  for (const payer of payers) await payer.stop();
  await streams.stop();
  assert.deepEqual(streams.failures, []);
  await quiet(lab);
  await assertWhole(lab, payers);
  assert.deepEqual((await lab.onBlue('SELECT source, column_name, reason FROM payment_migration.quarantine')).rows, []);
  assert.deepEqual((await lab.onGreen('SELECT source, column_name, reason FROM payment_migration.quarantine')).rows, []);
  for (let trip = 0; trip < 3; trip += 1) {
    const before = [(await lab.run(OPTIONS)).changesApplied, (await lab.runBack(OPTIONS)).changesApplied];
    assert.deepEqual([(await lab.run(OPTIONS)).changesApplied, (await lab.runBack(OPTIONS)).changesApplied], before);
  }
  assert.ok((await lab.onBlue('SELECT count(*)::int AS n FROM customers WHERE note IS DISTINCT FROM $$own$$')).rows[0].n === 0, "blue's own columns stay");
});

const held = async (/** @type {Lab} */ lab, /** @type {'onBlue' | 'onGreen'} */ side) =>
  (await lab[side]("SELECT source || ': ' || reason AS held FROM payment_migration.quarantine ORDER BY 1")).rows.map((/** @type {{held: string}} */ row) => row.held.replace('public.', ''));

for (const [order, first] of /** @type {const} */ ([['blue first', 'run'], ['green first', 'runBack']]))
  test(`rows that both sides have changed, by the rule of each table: ${order}`, async () => {
    const lab = await splitLab(servers, `conflicts_${first.toLowerCase()}`);
    await lab.onBlue("UPDATE payments SET state = 'A'");
    await quiet(lab);
    // A state machine: the further state, other columns from both, and what excludes each other.
    await lab.onBlue("UPDATE payments SET state = 'C' WHERE id = 1; UPDATE payments SET description = 'from blue' WHERE id = 2; UPDATE payments SET state = 'F' WHERE id = 3; UPDATE payments SET description = 'blue' WHERE id = 4");
    await lab.onGreen("UPDATE payments SET description = 'from green' WHERE id = 1; UPDATE payments SET status = 'captured' WHERE id = 2; UPDATE payments SET status = 'captured' WHERE id = 3; UPDATE payments SET description = 'green' WHERE id = 4");
    // Person data: column by column, blue's where both have changed one.
    await lab.onBlue("UPDATE customers SET email = 'blue@example.org' WHERE id = 1; UPDATE customers SET phone = 'blue' WHERE id = 2; DELETE FROM customers WHERE id = 3; DELETE FROM customers WHERE id = 4; UPDATE customers SET email = 'once' WHERE id = 5; UPDATE customers SET email = 'a5@example.org' WHERE id = 5");
    await lab.onGreen("UPDATE customers SET phone = 'green' WHERE id = 1; UPDATE customers SET phone = 'green' WHERE id = 2; UPDATE customers SET phone = 'green' WHERE id = 3; DELETE FROM customers WHERE id = 4; UPDATE customers SET email = 'green' WHERE id = 5; INSERT INTO customers (given) VALUES ('new')");
    // Append-only, and a request that was made on both sides.
    await lab.onGreen("UPDATE ledger SET minor = minor + 1 WHERE id = 1; DELETE FROM ledger WHERE id = 2");
    for (const [side, amount, state] of /** @type {const} */ ([['onBlue', 'amount', "state) VALUES ('2026-01-06', 1, 'retried', 5, 'EUR', 'N'"], ['onGreen', 'minor', "status) VALUES ('2026-01-06', 1, 'retried', 500, 'EUR', 'new'"]]))
      await lab[side](`INSERT INTO payments (day, merchant, reference, ${amount}, currency, ${state})`);
    // One writer, and what each side computes.
    await assert.rejects(lab.onGreen("UPDATE rates SET rate = 2"), { code: '25006' });
    await lab.onBlue("UPDATE rates SET rate = 0.9 WHERE code = 'CHF'; UPDATE balances SET amount = 10 WHERE merchant = 1");
    await lab.onGreen('UPDATE balances SET minor = 777 WHERE merchant = 2');

    if (first === 'run') await lab.run(OPTIONS);
    await quiet(lab);

    const [blue, green] = [await contents(lab, 'blue'), await contents(lab, 'green')];
    const both = (/** @type {string} */ key) => [blue.get(key)?.split('|').slice(5).join('|'), green.get(key)?.split('|').slice(5).join('|')];
    assert.deepEqual([both('payments 1'), both('payments 2'), both('payments 3'), both('payments 4')],
      [['captured|from green', 'captured|from green'], ['captured|from blue', 'captured|from blue'], ['failed', 'captured'], ['authorized|blue', 'authorized|blue']]);
    for (const [id, expected] of [[1, 'Ada Lovelace 1|blue@example.org|green'], [2, 'Ada Lovelace 2|a2@example.org|blue'], [4, undefined]])
      assert.deepEqual([blue.get(`customers ${id}`), green.get(`customers ${id}`)], [expected, expected], `customer ${id}`);
    assert.equal(blue.get('customers 5'), green.get('customers 5'));
    assert.deepEqual([blue.get('customers 3'), green.get('customers 3')], [undefined, 'Ada Lovelace 3|a3@example.org|green']);
    assert.deepEqual(await held(lab, 'onBlue'), [
      'customers: one side has deleted the row, the other one has changed it', 'ledger: a row of an append-only table was changed or deleted, or both sides made it',
      'ledger: a row of an append-only table was changed or deleted, or both sides made it', 'payments: neither state can come after the other one', 'payments: the idempotency key was used on both sides, for another row each',
    ]);
    assert.deepEqual(await held(lab, 'onGreen'), ['payments: the idempotency key was used on both sides, for another row each']);
    assert.deepEqual([blue.get('rates CHF'), green.get('rates CHF')], ['0.9', '0.9']);
    assert.deepEqual((await lab.onGreen('SELECT minor::int AS n FROM balances WHERE merchant < 3 ORDER BY merchant')).rows, [{ n: 1000 }, { n: 777 }]);
    assert.deepEqual((await lab.onBlue('SELECT amount::int AS n FROM balances WHERE merchant < 3 ORDER BY merchant')).rows, [{ n: 10 }, { n: 0 }]);
    const [made] = (await lab.onBlue('SELECT id::int FROM customers ORDER BY id DESC LIMIT 1')).rows;
    assert.ok(made.id > 1_000_000, `${made.id}`);
    assert.ok((await lab.onBlue("SELECT identity->>'merged' AS n FROM payment_migration.state")).rows[0].n >= 4);

    // A person decides: what is held leaves the list with the change that makes both equal.
    await lab.onGreen("UPDATE payments SET status = 'failed' WHERE id = 3; DELETE FROM payments WHERE reference = 'retried'; UPDATE ledger SET minor = minor - 1 WHERE id = 1; DELETE FROM customers WHERE id = 3");
    await lab.onBlue('DELETE FROM ledger WHERE id = 2');
    await quiet(lab);
    assert.deepEqual([await held(lab, 'onBlue'), await held(lab, 'onGreen')], [[], []]);
    await assertWhole(lab, []);
  });

test('verify while both sides write: what really differs is found, whoever changed it, and what is held fails it', { timeout: 300_000 }, async () => {
  const lab = await splitLab(servers, 'verified');
  const payers = /** @type {const} */ (['blue', 'green']).map((side) => new Payer(lab, side, `busy-${side}`));
  const streams = new Streams(lab);
  // The streams do not see these.
  const unseen = (/** @type {string} */ sql) => lab.onGreen(`SET session_replication_role = replica; BEGIN; SELECT pg_logical_emit_message(true, 'deployer:applied', (SELECT substr(slot, 19) FROM payment_migration.state)); ${sql}; COMMIT`);
  const [gone] = (await lab.onGreen("SELECT quote_literal(l) AS row FROM ledger l WHERE id = 4")).rows;
  await unseen('UPDATE ledger SET minor = minor + 7 WHERE id = 3; DELETE FROM ledger WHERE id = 4');
  const verdict = await patiently(() => lab.verify(OPTIONS));
  assert.deepEqual([verdict.ok, verdict.verdict, verdict.tables.find(({ source }) => source === 'public.ledger')?.different, verdict.mismatches], [false, 'different', 2, 2], JSON.stringify(verdict));
  await unseen(`UPDATE ledger SET minor = minor - 7 WHERE id = 3; INSERT INTO ledger SELECT (${gone.row}::ledger).*`);
  const equal = await patiently(() => lab.verify(OPTIONS));
  assert.equal(equal.verdict, 'equal', JSON.stringify(equal));
  await assert.rejects(lab.verify(OPTIONS, ['public.balances']), { code: 'EVENT' });
  await lab.onGreen('UPDATE ledger SET minor = minor + 1 WHERE id = 5');
  const held = await patiently(() => lab.verify(OPTIONS));
  assert.deepEqual([held.ok, held.unreversed], [false, 1], JSON.stringify(held));
  for (const payer of payers) await payer.stop();
  await streams.stop();
});

test('from a split to green alone, back to blue, to a split again, and its end', { timeout: 300_000 }, async () => {
  const lab = await splitLab(servers, 'cutover');
  const payers = /** @type {const} */ (['blue', 'green']).map((side) => new Payer(lab, side, `cut-${side}`));
  const streams = new Streams(lab);
  const ok = async (/** @type {string} */ writer) => {
    const verdict = await patiently(() => lab.verify(OPTIONS));
    assert.deepEqual([verdict.verdict, verdict.writer], ['equal', writer], JSON.stringify(verdict));
  };
  const sides = async () => patiently(async () => (await lab.sides(OPTIONS)).writer);
  assert.equal(await sides(), 'both');
  await assert.rejects(lab.finish(OPTIONS), { code: 'WRITER' });
  await ok('both');
  const there = await patiently(() => lab.cutover(OPTIONS));
  assert.deepEqual([there.writer, there.already, await sides()], ['green', false, 'green']);
  assert.ok(Number(there.refusedMs) < 10_000);
  await lab.onGreen("UPDATE rates SET rate = 2 WHERE code = 'CHF'"); // green writes alone now
  await Promise.all([payers[0].until({ refused: 3 }), payers[1].until({ paid: 10 })]);
  await lab.onGreen("UPDATE rates SET rate = 0.95 WHERE code = 'CHF'");
  const back = await patiently(() => lab.cutover(OPTIONS, true));
  assert.deepEqual([back.writer, await sides()], ['blue', 'blue']);
  await Promise.all([payers[0].until({ paid: 10 }), payers[1].until({ refused: 3 })]);
  assert.equal((await patiently(() => lab.prepare(OPTIONS))).writer, 'both');
  await assert.rejects(lab.onGreen('DELETE FROM rates'), { code: '25006' });
  await untilAll(payers, { paid: 5 });
  await ok('both');
  const again = await patiently(() => lab.cutover(OPTIONS, true)); // blue is open: green is closed, and drained
  assert.deepEqual([again.writer, again.already, await sides()], ['blue', false, 'blue']);
  for (const payer of payers) await payer.stop();
  await streams.stop();
  await quiet(lab);
  await assertWhole(lab, payers);
  assert.deepEqual((await lab.finish(OPTIONS, true)).fences, { blue: 'none', green: 'none' });
  for (const side of /** @type {const} */ (['onBlue', 'onGreen']))
    assert.deepEqual((await lab[side](`SELECT (SELECT count(*)::int FROM pg_trigger WHERE tgname LIKE 'deployer%') AS triggers, (SELECT count(*)::int FROM pg_class WHERE relreplident = 'f' AND relkind = 'r' AND relnamespace = 'public'::regnamespace) AS whole`)).rows, [{ triggers: 0, whole: 0 }], side);
  await lab.onBlue('DELETE FROM ledger WHERE id = 1');
  await lab.untilSynced(OPTIONS);
  assert.equal((await lab.onGreen('SELECT count(*)::int AS n FROM ledger WHERE id = 1')).rows[0].n, 0, 'one way again');
});
