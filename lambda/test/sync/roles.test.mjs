/** Neither side's user is a superuser: exactly the grants of README.md suffice. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Lab } from '../support/lab.mjs';
import { Writers } from '../support/writers.mjs';

const DDL = `CREATE SCHEMA shop; CREATE TABLE shop.customers (id bigserial PRIMARY KEY, email text UNIQUE);
  CREATE TABLE shop.payments (id bigint, day date, customer bigint NOT NULL REFERENCES shop.customers, document text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE shop.payments_01 PARTITION OF shop.payments FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
  CREATE TABLE shop.payments_rest PARTITION OF shop.payments DEFAULT;
  ALTER TABLE shop.payments ALTER document SET STORAGE EXTERNAL`;
const OWNED = `GRANT USAGE, CREATE ON SCHEMA shop TO shop_owner; ALTER TABLE shop.customers OWNER TO shop_owner; ALTER TABLE shop.payments OWNER TO shop_owner;
  ALTER TABLE shop.payments_01 OWNER TO shop_owner; ALTER TABLE shop.payments_rest OWNER TO shop_owner`;
const OPTIONS = { mapping: { version: 1, tables: [{ source: 'shop.customers' }, { source: 'shop.payments' }] } };

/** As README.md says them; on Aurora `rds_replication` stands for REPLICATION and `rds_superuser` for the right to set the role. */
const BLUE = `CREATE ROLE migration LOGIN REPLICATION PASSWORD 'on-blue'; GRANT shop_owner, pg_read_all_stats TO migration; GRANT CREATE ON DATABASE roles TO migration`;
const GREEN = `CREATE ROLE migration LOGIN PASSWORD 'on-green'; GRANT CREATE ON DATABASE roles TO migration; GRANT USAGE ON SCHEMA shop TO migration;
  GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA shop TO migration; GRANT SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA shop TO migration`;

/** @type {Lab} */
let lab;
before(async () => {
  const servers = await Lab.start();
  await Promise.all([servers.blue, servers.green].map((server) => server.query('postgres', 'CREATE ROLE shop_owner')));
  lab = await servers.fresh('roles', `${DDL}; ${OWNED}`);
  await lab.onBlue(BLUE);
  await lab.onGreen(GREEN);
  lab.logins = { source: { username: 'migration', password: 'on-blue' }, target: { username: 'migration', password: 'on-green' } };
});
after(() => lab.remove());

test('a user of green that may not set session_replication_role is told what it needs', async () => {
  await assert.rejects(lab.run(OPTIONS), { code: 'DATABASE_REFUSED', sqlstate: '42501', hint: /** @type {any} */ (/rds_superuser.*ALTER ROLE/) });
  assert.equal((await lab.onBlue('SELECT count(*) FROM pg_replication_slots')).rows[0].count, '0');
});

test('plan proves on both sides that a stream may write there, and names the side that refuses', async () => {
  const refused = (/** @type {RegExp} */ message) => assert.rejects(lab.plan(OPTIONS), { code: 'DATABASE_REFUSED', sqlstate: '42501', message: /** @type {any} */ (message) });
  await refused(/^green: the user may not set session_replication_role/);
  await lab.onGreen('ALTER ROLE migration SET session_replication_role = replica');
  await refused(/^blue: the user may not set session_replication_role/);
  await lab.onBlue('ALTER ROLE migration SET session_replication_role = replica');
  assert.equal((await lab.plan(OPTIONS)).status, 'ok');
  await lab.onBlue('ALTER ROLE migration RESET session_replication_role');
  assert.deepEqual((await lab.onBlue("SELECT nspname FROM pg_namespace WHERE nspname = 'payment_migration' UNION SELECT pubname FROM pg_publication UNION SELECT slot_name FROM pg_replication_slots")).rows, []);
});

test('a migration without superusers: copy, changes, truncates, verify with sequences, status, stop', async () => {
  await lab.onBlue(`INSERT INTO shop.customers (email) SELECT 'c' || i FROM generate_series(1, 500) i;
    INSERT INTO shop.payments SELECT i, date '2024-01-20' + i % 30, 1 + i % 500, repeat('d', 3000) FROM generate_series(1, 900) i`);
  const writers = new Writers(lab);
  writers.start([
    async (c, r) => void (await c.query('UPDATE shop.payments SET customer = $2 WHERE id = $1', [r(900), 1 + r(500)])),
    async (c, r) => void (await c.query('UPDATE shop.payments SET id = $2 WHERE id = $1', [r(900), 1000 + r(1e9)])),
    async (c) => void (await c.query('TRUNCATE shop.payments_01')),
  ], { pauseMs: 10 });
  for (let runs = 0; runs < 3; runs += 1) await lab.untilSynced(OPTIONS);
  await writers.stop();
  await lab.onBlue('TRUNCATE shop.customers CASCADE; INSERT INTO shop.customers (email) VALUES (NULL)');
  const verdict = await lab.verify(OPTIONS);
  assert.deepEqual([verdict.verdict, verdict.sequences], ['equal', { checked: 1, raised: 1 }], JSON.stringify(verdict.tables));
  assert.deepEqual((await lab.onGreen('SELECT (SELECT count(*) FROM shop.customers) AS c, (SELECT count(*) FROM shop.payments) AS p')).rows, [{ c: '1', p: '0' }]);
  assert.equal((await lab.status(OPTIONS)).slot, 'active');
  assert.deepEqual((await lab.onBlue('SELECT pg_get_userbyid(lomowner) AS owner FROM pg_largeobject_metadata')).rows, [{ owner: 'migration' }]);
  assert.deepEqual(await lab.stop(OPTIONS), { status: 'stopped', slotDropped: true, publicationDropped: true, targetReached: true });
  assert.equal((await lab.onBlue('SELECT count(*) FROM pg_largeobject_metadata')).rows[0].count, '0');
});
