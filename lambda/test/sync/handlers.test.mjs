/** The handlers of sync and verify as Lambda runs them: out of their zips, environment, secrets and mapping from AWS (moto), the default mapping. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { unzipSync } from 'fflate';
import { buildAll } from '../../scripts/build.mjs';
import { Deadline } from '../../src/lib/deadline.mjs';
import { Secrets } from '../../src/lib/secrets.mjs';
import { openSession } from '../../src/pg/session.mjs';
import { CANARIES, assertNoCanary } from '../support/canaries.mjs';
import { Lab } from '../support/lab.mjs';
import { maskOf } from '../support/masks.mjs';
import { awsClient, awsEnvironment, startMoto } from '../support/moto.mjs';

const DDL = ['blue', 'green'].map((side) => readFileSync(new URL(`../../ddl/${side}.sql`, import.meta.url), 'utf8'));
/** Where Lambda has the AWS SDK: /var/runtime/node_modules. */
const NODE_PATH = fileURLToPath(new URL('../../node_modules', import.meta.url));
const HOST = fileURLToPath(new URL('../support/child-host.cjs', import.meta.url));
const unpacked = mkdtempSync(join(tmpdir(), 'migration-zips-'));

/** @type {Lab} */
let servers;
/** @type {Awaited<ReturnType<typeof startMoto>>} */
let moto;
/** @type {Record<string, string>} */
let arns;
before(async () => {
  for (const { file } of await buildAll(join(unpacked, 'dist')))
    for (const [name, code] of Object.entries(unzipSync(readFileSync(file)))) writeFileSync(join(unpacked, name), code);
  [servers, moto] = await Promise.all([Lab.start(), startMoto()]);
  const client = new SecretsManagerClient(awsClient(moto.endpoint));
  const secret = async (/** @type {string} */ name, /** @type {unknown} */ value) =>
    (await client.send(new CreateSecretCommand({ Name: name, SecretString: typeof value === 'string' ? value : JSON.stringify(value) }))).ARN ?? '';
  for (const server of [servers.blue, servers.green]) {
    await server.query('postgres', `ALTER ROLE postgres PASSWORD '${CANARIES.password}'`);
    server.password = CANARIES.password;
  }
  const login = { username: 'postgres', password: CANARIES.password };
  arns = {
    blue: await secret('blue', { ...login, engine: 'postgres' }), green: await secret('green', login), wrong: await secret('wrong', { ...login, password: `${CANARIES.token}!` }),
    shape: await secret('shape', { user: CANARIES.name, pass: CANARIES.password }), hash: await secret('hash', '0f'.repeat(32)),
  };
  await new SSMClient(awsClient(moto.endpoint)).send(new PutParameterCommand({ Name: '/bad', Type: 'String', Value: JSON.stringify({ version: 1, tables: [{ source: 'public.cards', columns: { pan_masked: 'pna' } }] }) }));
});

/** Everything that was written by all invocations. */
let written = '';

/** @type {import('node:child_process').ChildProcessWithoutNullStreams} */
let host;
/** The end of the latest invocation, or of the process. @type {(output: string) => void} */
let ended = () => {};
before(() => {
  host = spawn(process.execPath, [HOST], { env: { NODE_PATH, NODE_OPTIONS: '--no-warnings' } });
  let output = '';
  const take = (/** @type {Buffer | string} */ block) => {
    output += block;
    if (!/^ANSWER .*\n/m.test(output)) return;
    ended(output);
    output = '';
  };
  host.stdout.on('data', take);
  host.stderr.on('data', take);
  host.once('close', () => ended(output));
});
after(async () => {
  const closed = new Promise((resolve) => host.once('close', resolve));
  host.stdin.end(); // it ends by itself: no invocation has left anything behind that goes on
  await closed;
  rmSync(unpacked, { recursive: true });
  await Promise.all([servers?.remove(), moto?.stop()]); // neither is there when the beginning has failed
});

/**
 * @param {Lab} lab @param {'sync' | 'verify' | 'control'} name @param {object} event @param {Record<string, string | undefined>} [more]
 * @returns {Promise<{answer: any, output: string}>}
 */
async function invoke(lab, name, event, more = {}) {
  const environment = {
    ...awsEnvironment(moto.endpoint), SOURCE_HOST: lab.blue.host, SOURCE_PORT: String(lab.blue.port), SOURCE_DB: lab.database, SOURCE_SECRET_ARN: arns['blue'],
    TARGET_HOST: lab.green.host, TARGET_PORT: String(lab.green.port), TARGET_DB: lab.database, TARGET_SECRET_ARN: arns['green'], HASH_KEY_SECRET_ARN: arns['hash'],
    DB_TLS: 'disable', LOG_LEVEL: 'debug', NODE_PATH, ...more,
  };
  /** @type {Promise<string>} */
  const done = new Promise((resolve) => (ended = resolve));
  host.stdin.write(`${JSON.stringify({ file: join(unpacked, `${name}.js`), event, environment, seconds: Number(more['SECONDS'] ?? 240) })}\n`);
  const output = await done;
  written += output;
  const [logged = '', answer] = output.split('ANSWER ');
  assert.ok(answer !== undefined, output);
  for (const line of logged.trim().split('\n')) assert.doesNotThrow(() => JSON.parse(line), line);
  return { answer: JSON.parse(answer), output };
}

/** Cards under a customer, with canaries wherever a text goes. @param {number} first @param {number} count */
const cards = (first, count) => `INSERT INTO cards (card_id, customer_id, pan, cvv, holder, expiry, network)
  SELECT i, 1, '${CANARIES.pan}', '737', '${CANARIES.name}', '09/27', 'visa' FROM generate_series(${first}, ${first + count - 1}) i`;

test('plan says which of the mapped tables green has not got', async () => {
  const lab = await servers.fresh('bare', DDL[0] ?? '', 'CREATE TABLE paymants (payment_id bigint PRIMARY KEY)');
  const { answer } = await invoke(lab, 'control', { action: 'plan' });
  assert.deepEqual([answer.status, answer.error?.code], ['failed', 'NO_TABLES'], JSON.stringify(answer));
  assert.match(answer.error.message, /green has not got (\d+) of the \1 mapped tables: .*public\.payments \(perhaps public\.paymants\)/);
});

test('a migration with the default mapping, from begin to end', async () => {
  const lab = await servers.fresh('whole', DDL[0] ?? '', DDL[1]);
  await lab.onBlue(`INSERT INTO customers (full_name, email, street, country) SELECT 'Ada ${CANARIES.name}', 'a' || i, '${CANARIES.token}', 'CH' FROM generate_series(1, 50) i; ${cards(1, 40)};
    INSERT INTO merchants (legal_name, mcc, country) VALUES ('${CANARIES.name}', '5411', 'CH'); INSERT INTO merchant_accounts (merchant_id, iban, currency, balance) VALUES (1, 'CH9300762011623852957', 'CHF', 12.34);
    INSERT INTO payments (created_at, merchant_id, amount, currency, reference, internal_note) SELECT timestamptz '2024-01-15' + i * interval '1 day', 1, 10.5, CASE i % 7 WHEN 0 THEN 'JPY' ELSE 'EUR' END, 'r', '${CANARIES.cvv}' FROM generate_series(1, 300) i;
    INSERT INTO audit_events (actor, action, payload) SELECT 'x', CASE i % 2 WHEN 0 THEN 'heartbeat' ELSE 'login' END, '{"pan": "${CANARIES.panSpaced}"}' FROM generate_series(1, 100) i`);
  let { answer } = await invoke(lab, 'sync', { action: 'run' });
  assert.deepEqual([answer.status, answer.phase, answer.quarantined], ['synced', 'following', 42]);
  await lab.onBlue(`${cards(100, 5)}; UPDATE payments SET currency = 'EUR' WHERE currency = 'JPY'; DELETE FROM payments WHERE payment_id = 8`);
  ({ answer } = await invoke(lab, 'verify', {}));
  assert.deepEqual([answer.ok, answer.verdict, answer.quarantined], [true, 'equal', 0], JSON.stringify(answer));
  const [card] = (await lab.onGreen('SELECT pan_masked, octet_length(pan_hash) AS bytes, holder, expiry_year FROM cards WHERE card_id = 100')).rows;
  assert.deepEqual(card, { pan_masked: '************1234', bytes: 32, holder: CANARIES.name, expiry_year: 2027 });
  assert.equal((await lab.onGreen('SELECT count(*) FROM audit_events')).rows[0].count, '50');
  await lab.onGreen(`UPDATE cards SET holder = '${CANARIES.token}' WHERE card_id = 7`);
  ({ answer } = await invoke(lab, 'verify', { tables: ['public.cards'] }));
  assert.deepEqual([answer.ok, answer.mismatches, answer.tables[0].firstKeys], [false, 1, [{ card_id: await maskOf(lab, 'public.cards.card_id', 7) }]]);
  ({ answer } = await invoke(lab, 'sync', { action: 'status' }));
  assert.deepEqual([answer.status, answer.phase, answer.slot], ['ok', 'following', 'active']);
  // The way back, with rows that can't go there.
  ({ answer } = await invoke(lab, 'control', { action: 'plan' }));
  assert.deepEqual([answer.status, answer.reversible, answer.fences], ['ok', false, { blue: 'none', green: 'none' }]);
  const accept = answer.irreversible;
  ({ answer } = await invoke(lab, 'control', { action: 'prepare', accept }));
  assert.deepEqual([answer.status, answer.irreversible], ['prepared', accept], JSON.stringify(answer));
  await lab.onGreen(`SET session_replication_role = replica; UPDATE cards SET holder = '${CANARIES.name}' WHERE card_id = 7`);
  ({ answer } = await invoke(lab, 'verify', {}));
  assert.equal(answer.verdict, 'equal', JSON.stringify(answer));
  ({ answer } = await invoke(lab, 'control', { action: 'cutover' }));
  assert.deepEqual([answer.status, answer.writer], ['done', 'green'], JSON.stringify(answer));
  await lab.onGreen(`INSERT INTO cards (customer_id, pan_masked, pan_hash, holder, expiry_month, expiry_year, network) VALUES (1, '************1234', decode(repeat('ab', 32), 'hex'), '${CANARIES.name}', 1, 2030, 'visa'); UPDATE cards SET holder = '${CANARIES.token}' WHERE card_id = 8`);
  ({ answer } = await invoke(lab, 'sync', { action: 'run' }, { DIRECTION: 'reverse' }));
  assert.deepEqual([answer.status, answer.quarantined], ['synced', 1], JSON.stringify(answer));
  assert.equal((await lab.onBlue('SELECT holder FROM cards WHERE card_id = 8')).rows[0].holder, CANARIES.token);
  assertNoCanary(JSON.stringify([(await lab.onBlue('SELECT * FROM payment_migration.quarantine')).rows, (await lab.onBlue('SELECT * FROM payment_migration.state')).rows]), 'the tables of the way back');
  ({ answer } = await invoke(lab, 'control', { action: 'cutover', reverse: true }));
  assert.deepEqual([answer.writer, answer.unreversed], ['blue', 1], JSON.stringify(answer));
  ({ answer } = await invoke(lab, 'control', { action: 'finish', release: true }));
  assert.deepEqual(answer.fences, { blue: 'none', green: 'none' }, JSON.stringify(answer));
  const { answer: stopped, output } = await invoke(lab, 'sync', { action: 'stop' });
  assert.deepEqual([stopped.status, stopped.slotDropped], ['stopped', true]);
  assert.match(output, /"Namespace":"PaymentMigration"/);
  assert.match(output, /"correlationId":"test-1"/);
});

test('every error path answers what to do', async () => {
  const lab = await servers.fresh('errors', DDL[0] ?? '', `${DDL[1]}; ALTER TABLE cards ADD CHECK (holder <> '${CANARIES.name}'); CREATE UNIQUE INDEX one_holder ON cards (holder)`);
  const run = async (/** @type {Record<string, string | undefined>} */ more, /** @type {object} */ event = { action: 'run' }) => (await invoke(lab, 'sync', event, more)).answer;
  const failed = (/** @type {any} */ answer, /** @type {string} */ code, /** @type {RegExp} */ text) => {
    assert.deepEqual([answer.status, answer.error.code], ['failed', code], JSON.stringify(answer));
    assert.match(JSON.stringify(answer.error), text);
  };
  failed(await run({ SOURCE_HOST: undefined }), 'CONFIG', /SOURCE_HOST is missing/);
  failed(await run({ TARGET_SECRET_ARN: CANARIES.password }), 'CONFIG', /TARGET_SECRET_ARN is not/);
  failed(await run({ SOURCE_SECRET_ARN: arns['wrong'] }), 'DATABASE_REFUSED', /28P01/);
  failed(await run({ SOURCE_SECRET_ARN: arns['shape'] }), 'SECRET_SHAPE', /username/);
  failed(await run({ TARGET_DB: 'nowhere' }), 'DATABASE_REFUSED', /3D000/);
  failed(await run({ MAPPING_PARAMETER: '/bad' }), 'MAPPING', /pan_masked.*pna|pna.*pan/);
  failed(await run({ DB_TLS: 'verify-full' }), 'TLS_REFUSED', /TLS/);
  failed(await run({ SOURCE_PORT: '1', SECONDS: '7' }), 'ECONNREFUSED', /security groups/);
  failed(await run({}, { action: CANARIES.token }), 'EVENT', /"run/);
  failed((await invoke(lab, 'control', { action: CANARIES.token })).answer, 'EVENT', /cutover/);
  failed((await invoke(lab, 'control', { action: 'cutover', reverse: 'yes' })).answer, 'EVENT', /neither true nor false/);
  failed((await invoke(lab, 'control', { action: 'cutover' })).answer, 'NOT_FOLLOWING', /run sync/);
  failed((await invoke(lab, 'verify', { tables: [CANARIES.pan] })).answer, 'EVENT', /public\.cards/);
  failed((await invoke(lab, 'verify', { tables: [] })).answer, 'EVENT', /public\.cards/);
  // Rows that green refuses, one by one, in the copy and as changes; PostgreSQL quotes them in its messages.
  await lab.onBlue(`INSERT INTO customers (full_name, email, country) VALUES ('x', 'y', 'CH'); ${cards(1, 3)}`);
  assert.equal((await run({})).quarantined, 3);
  await lab.onBlue(`${cards(10, 3)}; UPDATE cards SET pan = 'short', expiry = '99/99' WHERE card_id = 1; INSERT INTO cards (card_id, customer_id, pan, holder, expiry, network) VALUES (99, 1, '${CANARIES.panSpaced}', '${CANARIES.token}', '13/27', 'visa')`);
  assert.equal((await run({})).quarantined, 7);
  const held = (await lab.onGreen('SELECT * FROM payment_migration.quarantine')).rows;
  assertNoCanary(JSON.stringify([held, (await lab.onGreen('SELECT * FROM payment_migration.state')).rows]), 'the tables of the migration');
  await lab.onGreen('ALTER TABLE cards DROP COLUMN holder');
  failed(await run({}), 'MAPPING', /holder/);
  await lab.onBlue('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()');
  await lab.onGreen('ALTER TABLE cards ADD COLUMN holder text');
  failed(await run({}), 'SLOT_LOST', /empty the tables/);
  await lab.onGreen('DROP TABLE payment_migration.quarantine; CREATE VIEW payment_migration.quarantine AS SELECT 1 AS a');
  failed(await run({}), 'DATABASE_REFUSED', /sqlstate/);
});

test("with green gone the slot's lag is still measured, since it fills blue's disk", async () => {
  const lab = await servers.fresh('guard', DDL[0] ?? '', DDL[1]);
  assert.equal((await invoke(lab, 'sync', { action: 'run' })).answer.status, 'synced');
  await lab.onBlue(`INSERT INTO merchants (legal_name, mcc, country) SELECT repeat('x', 1000), '5411', 'CH' FROM generate_series(1, 1000)`);
  await lab.onGreen(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'guard' AND pid <> pg_backend_pid()`);
  await lab.green.query('postgres', 'ALTER DATABASE guard RENAME TO gone');
  const { answer, output } = await invoke(lab, 'sync', { action: 'run' });
  assert.deepEqual([answer.status, answer.error.sqlstate], ['failed', '3D000']);
  const lag = output.split('\n').filter((line) => line.includes('"LagBytes":')).map((line) => JSON.parse(line).LagBytes);
  assert.ok(lag.length === 1 && lag[0] > 1_000_000, output);
  const { answer: stopped } = await invoke(lab, 'sync', { action: 'stop' });
  assert.deepEqual([stopped.status, stopped.slotDropped, stopped.targetReached], ['stopped', true, false]);
});

test('a password that was rotated while the function is warm is read again, once', async () => {
  const client = new SecretsManagerClient(awsClient(moto.endpoint));
  const secretOf = (/** @type {string} */ password) => JSON.stringify({ username: 'rotating', password });
  const { ARN: secretArn = '' } = await client.send(new CreateSecretCommand({ Name: 'rotating', SecretString: secretOf('first') }));
  await servers.blue.query('postgres', "CREATE ROLE rotating LOGIN PASSWORD 'first'");
  const secrets = new Secrets({ secretsManager: client });
  const endpoint = { role: /** @type {const} */ ('source'), host: servers.blue.host, port: servers.blue.port, database: 'postgres', secretArn };
  const connected = async () => {
    const session = await openSession(endpoint, { secrets, tls: { mode: 'disable', caFile: undefined }, deadline: new Deadline(Date.now() + 30_000), applicationName: 'test' });
    await session.close();
  };
  await connected();
  await servers.blue.query('postgres', "ALTER ROLE rotating PASSWORD 'second'");
  await assert.rejects(connected(), { name: 'PermanentError', sqlstate: '28P01' });
  await client.send(new PutSecretValueCommand({ SecretId: secretArn, SecretString: secretOf('second') }));
  await connected();
  await servers.blue.query('postgres', "ALTER ROLE rotating PASSWORD 'third'");
  await client.send(new PutSecretValueCommand({ SecretId: secretArn, SecretString: secretOf('third') }));
  await connected();
});

test('nothing that was written holds a canary', () => {
  assert.ok(written.length > 10_000);
  assertNoCanary(written, 'logs, metrics and answers');
});
