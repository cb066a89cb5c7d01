/** The worked example on a real server: blue's rows, through the default mapping, are what green prints after they were inserted. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Deadline } from '../../src/lib/deadline.mjs';
import { compileMapping } from '../../src/mapping/compile.mjs';
import { readCatalog } from '../../src/pg/catalog.mjs';
import { openSession } from '../../src/pg/session.mjs';
import { HASH_KEY } from '../support/catalog.mjs';
import { SUPERUSER, startServer } from '../support/postgres.mjs';

const file = (/** @type {string} */ name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const mapping = JSON.parse(file('mappings/default.json'));

/** Ordinary rows and edges: infinity, NULLs, empty texts, non-ASCII, the largest numbers, years before Christ, odd currencies. */
const ROWS = `
INSERT INTO customers (customer_id, full_name, email, phone, street, postcode, city, country, born_on, status, preferences, tags, created_at) VALUES
  (1, 'Ana María Lee', 'ana@example.org', '+41 44 000 00 00', 'Weg 1', '8001', 'Zürich', 'CH', '1990-02-28', 'active', '{"b": 1.50, "a": [null, "é"]}', '{a,"b c",NULL,""}', '2026-01-01 00:00:00.000001+00'),
  (2, '', '', NULL, NULL, NULL, NULL, 'X', NULL, 'closed', 'null', '{}', '-infinity'),
  (9223372036854775807, '東京 🏦', 'x', '', '', '', '', 'JP', '0044-03-15 BC', 'blocked', '"\\u00fc\\n"', '{{1,2},{3,4}}', '294276-12-31 23:59:59.999999+00');
INSERT INTO cards (card_id, customer_id, pan, cvv, holder, expiry, network) VALUES
  (1, 1, '4111111111111111', '123', 'A "quoted" \\ name', '03/29', 'visa'), (2, 1, '3782-822463-10005', NULL, E'tab\\tline\\n', '12/31', 'amex'),
  (3, 2, '1234', '999', 'short', '01/30', 'other'), (4, 2, '5555555555554444', '1', 'odd', 'XX/YY', 'mastercard');
INSERT INTO merchants (merchant_id, legal_name, mcc, country, fee_percent, logo, contract_ends) VALUES
  (1, 'M', '5411', 'CH', 1.4, '\\x00ff10', 'infinity'), (2147483647, 'N', '99', 'DE', -999.999, NULL, '2030-01-01'), (3, 'O', '', '', 'NaN', '', '-infinity');
INSERT INTO merchant_accounts (account_id, merchant_id, iban, currency, balance) VALUES
  (1, 1, 'CH93 0076 2011 6238 5295 7', 'CHF', 99999999999999999999.9900), (2, 1, 'DE89370400440532013000', 'JPY', -5), (3, 1, 'DE89370400440532013000', 'XXX', 0);
INSERT INTO currency_rates VALUES ('USD', '2026-01-01', 1.08350000000000000000000000001, ''), ('JPY', 'infinity', 'NaN', 'ecb'), ('E', '0001-01-01 BC', '-Infinity', 'é');
INSERT INTO payments (payment_id, created_at, merchant_id, customer_id, card_id, amount, currency, state, reference, description, metadata, client_ip, captured_at, internal_note)
  SELECT n, '2026-01-01 00:00:00+00'::timestamptz + n * interval '7 hours', 1, 1, 1, (n * 7919 % 100000) / 100.0, 'EUR', (enum_range(NULL::payment_state))[1 + n % 5],
         'R-' || n, nullif('text ' || n, 'text 3'), jsonb_build_object('n', n, 'x', n / 3.0), ('10.0.0.' || n % 256)::inet, nullif('infinity'::timestamptz, CASE WHEN n % 2 = 0 THEN 'infinity'::timestamptz END), 'secret'
    FROM generate_series(1, 300) AS n;
INSERT INTO payments (payment_id, created_at, merchant_id, amount, currency, state, reference) VALUES
  (1001, '1999-12-31 23:59:59.999999+00', 1, 99999999999999.9900, 'USD', 'C', ''), (1002, 'infinity', 1, 1.2345, 'CLF', 'A', 'x'), (1003, '-infinity', 1, 0.005, 'EUR', 'N', 'too fine'),
  (1004, '2026-05-05', 1, 1, 'ZZZ', 'N', 'no currency'), (1005, '2026-05-05', 1, 1.2340, 'BHD', 'R', 'dinar'), (1006, '2026-05-05', 1, -12.0000, 'JPY', 'F', 'yen');
INSERT INTO refunds (refund_id, payment_id, payment_created_at, amount, currency, reason) VALUES (1, 1001, '1999-12-31 23:59:59.999999+00', 0.01, 'USD', NULL), (2, 1005, '2026-05-05', 0, 'BHD', '');
INSERT INTO ledger_entries (entry_id, account_id, payment_id, side, amount, currency, booked_on) VALUES (1, 1, 1, 'D', 12345678901234567890.1200, 'CHF', '2026-01-01'), (2, 1, NULL, 'C', 0, 'JPY', 'infinity');
INSERT INTO settlements (settlement_id, merchant_id, gross, fee, currency, period, paid_at, statement) VALUES
  ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1, 100.10, 0.10, 'EUR', '[2026-01-01,2026-02-01)', 'infinity', '\\xdeadbeef'), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', 1, 0, 0, 'CHF', 'empty', '2026-02-03 04:05:06.7+00', NULL);
INSERT INTO disputes (dispute_id, payment_id, payment_created_at, stage, amount, currency, evidence) VALUES (1, 1001, '1999-12-31 23:59:59.999999+00', 'chargeback', 5, 'USD', '{"a,b","\\"q\\"",NULL}');
INSERT INTO audit_events (event_id, actor, action, payload, trace) VALUES (1, 'a', 'login', '{"k": 1e3}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), (2, 'a', 'heartbeat', NULL, NULL), (3, 'b', 'debug', NULL, NULL), (4, '', '', NULL, NULL);
`;

/** @type {import('../support/postgres.mjs').Server} */
let server;
before(async () => {
  server = await startServer();
  await Promise.all([server.createDatabase('blue', file('ddl/blue.sql') + ROWS), server.createDatabase('green', file('ddl/green.sql'))]);
});
after(() => server?.remove());

/** @param {'blue' | 'green'} database */
function open(database) {
  const secrets = /** @type {any} */ ({ withCredentials: (/** @type {unknown} */ _arn, /** @type {unknown} */ _deadline, /** @type {any} */ use) => use({ username: SUPERUSER, password: server.password }) });
  /** @type {import('../../src/lib/config.mjs').Endpoint} */
  const endpoint = { role: database === 'blue' ? 'source' : 'target', host: server.host, port: server.port, database, secretArn: '' };
  return openSession(endpoint, { secrets, tls: { mode: 'disable', caFile: undefined }, deadline: new Deadline(Date.now() + 60_000), applicationName: 'test' });
}

const HELD = [
  'public.cards 3: pan_masked: too short to be masked: fewer than 8 letters and digits',
  'public.cards 4: expiry_month: not a whole number',
  'public.merchant_accounts 3: balance_minor: a currency that ISO 4217 does not list',
  'public.payments 1003: amount_minor: an amount with more decimals than its currency has',
  'public.payments 1004: amount_minor: a currency that ISO 4217 does not list',
];

test('every row arrives as green prints it, is filtered out, or goes to quarantine with a reason', async () => {
  const [blue, green] = await Promise.all([open('blue'), open('green')]);
  const names = mapping.tables.map((/** @type {{source: string}} */ { source }) => source);
  const { tables } = compileMapping(mapping, await readCatalog(blue, names), await readCatalog(green, names), { hashKey: HASH_KEY });
  await green.run('SET session_replication_role = replica');
  const held = [];
  let arrived = 0;
  for (const plan of tables) {
    const name = `${plan.source.schema}.${plan.source.name}`;
    const sent = new Map();
    for (const row of await blue.rows(`SELECT ${plan.sourceColumns.join(', ')} FROM ${name}`)) {
      const outcome = plan.transform(row);
      if (outcome.kind === 'quarantine') held.push(`${name} ${row[0]}: ${outcome.column}: ${outcome.reason}`);
      if (outcome.kind !== 'row') continue;
      const key = plan.transformKey(plan.key.map((column) => row[plan.sourceColumns.indexOf(column)]));
      assert.ok(key.kind === 'row');
      sent.set(JSON.stringify(key.values), outcome.values);
      await green.run(`INSERT INTO ${name} (${plan.targetColumns.join(', ')}) VALUES (${plan.targetColumns.map((_, i) => `$${i + 1}`).join(', ')})`, /** @type {any} */ (outcome.values));
    }
    const rows = await green.rows(`SELECT ${plan.targetColumns.join(', ')} FROM ${name}`);
    assert.equal(rows.length, sent.size, name);
    for (const row of rows) assert.deepEqual(row, sent.get(JSON.stringify(plan.targetKey.map((column) => row[plan.targetColumns.indexOf(column)]))), name);
    arrived += rows.length;
  }
  assert.deepEqual(held.sort(), HELD);
  assert.equal(arrived, 3 + 2 + 3 + 2 + 3 + 304 + 2 + 2 + 2 + 1 + 2);
  const [digits] = await green.rows(`SELECT count(*) FROM public.cards c WHERE c::text ~ '4111111111111111|378282246310005'`);
  assert.deepEqual(digits, ['0']);
  await Promise.all([blue.close(), green.close()]);
});
