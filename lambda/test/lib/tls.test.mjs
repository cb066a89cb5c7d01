/** A server's certificate must come from the roots and name the host: tried on a real PostgreSQL. */
import assert from 'node:assert/strict';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generate } from 'selfsigned';
import { Deadline } from '../../src/lib/deadline.mjs';
import { Secrets } from '../../src/lib/secrets.mjs';
import { tlsOptions } from '../../src/lib/tls.mjs';
import { openSession } from '../../src/pg/session.mjs';
import { IDENTITY } from '../support/clusters.mjs';
import { SUPERUSER, startServer } from '../support/postgres.mjs';

/** @type {import('../support/postgres.mjs').Server} */
let server;
before(async () => void (server = await startServer()));
after(() => server?.remove());

/** A certificate for 127.0.0.1 or for another host, in use by the server. @param {boolean} here @returns {Promise<string>} the file of its root: itself */
async function certify(here) {
  const made = await generate([{ name: 'commonName', value: 'a database' }], {
    keySize: 2048,
    extensions: [{ name: 'basicConstraints', cA: true }, { name: 'subjectAltName', altNames: here ? [{ type: 7, ip: '127.0.0.1' }, { type: 2, value: 'localhost' }] : [{ type: 2, value: 'elsewhere.example' }] }],
  });
  for (const [name, text] of [['server.crt', made.cert], ['server.key', made.private]]) {
    const file = join(server.data, String(name));
    writeFileSync(file, String(text), { mode: 0o600 });
    if (IDENTITY.uid !== undefined) chownSync(file, IDENTITY.uid, IDENTITY.gid);
  }
  const root = join(server.directory, here ? 'here.pem' : 'elsewhere.pem');
  writeFileSync(root, made.cert);
  await server.query('postgres', `ALTER SYSTEM SET ssl = on`);
  await server.query('postgres', 'SELECT pg_reload_conf()');
  return root;
}

/** @param {string | undefined} caFile @param {string} [host] */
async function connect(caFile, host = server.host) {
  const send = async () => ({ SecretString: JSON.stringify({ username: SUPERUSER, password: server.password }) });
  const secrets = new Secrets({ secretsManager: /** @type {any} */ ({ send }), ssm: /** @type {any} */ ({ send }) });
  const endpoint = { role: /** @type {const} */ ('source'), host, port: server.port, database: 'postgres', secretArn: 'arn' };
  const session = await openSession(endpoint, { secrets, tls: { mode: 'verify-full', caFile }, deadline: new Deadline(Date.now() + 20_000), applicationName: 'test' });
  const [[encrypted] = []] = await session.rows('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()', []);
  await session.close();
  return encrypted;
}

/** @param {Promise<unknown>} promise @returns {Promise<any>} */
const failure = (promise) => promise.then(() => assert.fail('it connected'), (error) => error);

test('a server without TLS is refused', async () => {
  const error = await failure(connect(undefined));
  assert.deepEqual([error.name, error.code], ['PermanentError', 'TLS_REFUSED']);
});

test('a certificate under a known root that names the host is accepted; any other is not', async () => {
  const root = await certify(true);
  assert.equal(await connect(root), 't');
  assert.equal(await connect(root, 'localhost'), 't');
  const unknown = await failure(connect(undefined));
  assert.deepEqual([unknown.name, unknown.code], ['PermanentError', 'TLS_UNTRUSTED']);
  assert.match(unknown.hint, /RDS roots/);
  const elsewhere = await failure(connect(await certify(false)));
  assert.equal(elsewhere.code, 'TLS_UNTRUSTED');
  assert.match(elsewhere.message, /blue: the server's certificate is not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)/);
});

test('the RDS roots are there, for every region', () => {
  const options = tlsOptions({ mode: 'verify-full', caFile: undefined }, 'db.example');
  assert.ok(options !== false && options.rejectUnauthorized && options.ca.length > 50);
  assert.equal(tlsOptions({ mode: 'disable', caFile: undefined }, 'db.example'), false);
  assert.throws(() => tlsOptions({ mode: 'verify-full', caFile: '/nowhere.pem' }, 'db.example'), /DB_CA_FILE names no readable file/);
});
