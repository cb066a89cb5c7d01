/** Secrets Manager and the parameter store on moto, and a password that rotates on a real server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { Deadline } from '../../src/lib/deadline.mjs';
import { Secrets } from '../../src/lib/secrets.mjs';
import { loadMapping } from '../../src/mapping/load.mjs';
import { openSession } from '../../src/pg/session.mjs';
import { awsClient, startMoto } from '../support/moto.mjs';
import { startServer } from '../support/postgres.mjs';

/** @type {Awaited<ReturnType<typeof startMoto>>} */
let moto;
/** @type {import('../support/postgres.mjs').Server} */
let server;
/** @type {SecretsManagerClient} */
let manager;
/** @type {SSMClient} */
let ssm;

before(async () => {
  [moto, server] = await Promise.all([startMoto(), startServer()]);
  manager = new SecretsManagerClient(awsClient(moto.endpoint));
  ssm = new SSMClient(awsClient(moto.endpoint));
});
after(() => Promise.all([moto?.stop(), server?.remove()]));

const deadline = new Deadline(Date.now() + 600_000);
const PASSWORD = 'Canary-Pa55word';

/** @param {string} name @param {string | Buffer} value */
async function secret(name, value) {
  const { ARN } = await manager.send(new CreateSecretCommand({ Name: name, ...(typeof value === 'string' ? { SecretString: value } : { SecretBinary: value }) }));
  return ARN ?? '';
}

/** The secrets of a fresh container, and how often they were read. */
function container() {
  const reads = { secrets: 0 };
  const counting = /** @type {any} */ ({ send: (/** @type {any} */ command) => ((reads.secrets += 1), manager.send(command)) });
  return { reads, secrets: new Secrets({ secretsManager: counting, ssm }) };
}

/** @param {Promise<unknown>} promise @returns {Promise<any>} */
const failure = (promise) => promise.then(() => assert.fail('it was accepted'), (error) => error);

test('credentials are read once and kept', async () => {
  const arn = await secret('once', JSON.stringify({ username: 'u', password: PASSWORD, engine: 'postgres' }));
  const { secrets, reads } = container();
  const [a, b] = await Promise.all([secrets.credentials(arn, deadline), secrets.credentials(arn, deadline)]);
  assert.deepEqual([a, b, await secrets.credentials(arn, deadline)], Array(3).fill({ username: 'u', password: PASSWORD }));
  assert.equal(reads.secrets, 1);
});

test('a secret of another shape is a clear error that does not show it', async () => {
  const wrong = [PASSWORD, JSON.stringify([PASSWORD]), JSON.stringify({ user: 'u', password: PASSWORD }), JSON.stringify({ username: 'u', password: '' }), JSON.stringify({ username: 'u', password: 7 }), '{"username": "u", "password": "Canary-Pa55word"', Buffer.from(PASSWORD)];
  for (const [i, value] of wrong.entries()) {
    const error = await failure(container().secrets.credentials(await secret(`wrong-${i}`, value), deadline));
    assert.deepEqual([error.name, error.code], ['PermanentError', 'SECRET_SHAPE']);
    assert.match(error.message, /the secret wrong-\d.* has the wrong shape/);
    assert.match(error.hint, /"username" and "password"/);
    assert.doesNotMatch(`${error.stack} ${error.message} ${error.hint}`, /Canary/);
  }
});

test('a secret that does not exist is a permanent error, at once', async () => {
  const { secrets, reads } = container();
  const error = await failure(secrets.credentials('arn:aws:secretsmanager:eu-central-1:123456789012:secret:none', deadline));
  assert.deepEqual([error.name, error.code, reads.secrets], ['PermanentError', 'AWS_REFUSED', 1]);
});

test('a rotated password is read again, once', async () => {
  const role = 'rotating';
  await server.query('postgres', `CREATE ROLE ${role} LOGIN PASSWORD 'first'`);
  const arn = await secret('rotates', JSON.stringify({ username: role, password: 'first' }));
  const { secrets, reads } = container();
  const endpoint = { role: /** @type {const} */ ('source'), host: server.host, port: server.port, database: 'postgres', secretArn: arn };
  const connect = async () => (await openSession(endpoint, { secrets, tls: { mode: 'disable', caFile: undefined }, deadline, applicationName: 'test' })).close();
  await connect();
  assert.equal(reads.secrets, 1);

  await server.query('postgres', `ALTER ROLE ${role} PASSWORD 'second'`);
  await manager.send(new PutSecretValueCommand({ SecretId: arn, SecretString: JSON.stringify({ username: role, password: 'second' }) }));
  await connect();
  assert.equal(reads.secrets, 2);
  await connect();
  assert.equal(reads.secrets, 2);

  await server.query('postgres', `ALTER ROLE ${role} PASSWORD 'third'`); // and the secret is not rotated with it
  const error = await failure(connect());
  assert.deepEqual([error.name, error.sqlstate, reads.secrets], ['PermanentError', '28P01', 3]);
  assert.match(error.hint, /read again and is still refused/);
});

test('throttled reads are repeated', async () => {
  const arn = await secret('throttled', JSON.stringify({ username: 'u', password: PASSWORD }));
  let left = 2;
  const throttling = /** @type {any} */ ({ send: (/** @type {any} */ command) => (left-- > 0 ? Promise.reject(Object.assign(new Error('slow'), { name: 'ThrottlingException', $metadata: {} })) : manager.send(command)) });
  assert.equal((await new Secrets({ secretsManager: throttling, ssm }).credentials(arn, deadline)).username, 'u');
});

test('the hash key comes as bytes, hex, base64, text or JSON, and has 32 bytes at least', async () => {
  const key = Buffer.from('9f'.repeat(32), 'hex');
  const text = 'a key of more than 32 characters, with blanks';
  /** @type {[string | Buffer, Buffer][]} */
  const accepted = [[key, key], [key.toString('hex'), key], [`${key.toString('base64')}\n`, key], [JSON.stringify({ key: key.toString('hex') }), key], [text, Buffer.from(text)]];
  for (const [i, [value, wanted]] of accepted.entries()) assert.deepEqual(await container().secrets.hashKey(await secret(`key-${i}`, value), deadline), wanted);
  for (const [i, value] of [Buffer.alloc(31), '9f'.repeat(31), 'Canary', JSON.stringify({ username: 'u', password: PASSWORD })].entries()) {
    const error = await failure(container().secrets.hashKey(await secret(`bad-key-${i}`, value), deadline));
    assert.equal(error.code, 'SECRET_SHAPE');
    assert.doesNotMatch(`${error.stack} ${error.hint}`, /Canary|9f9f/);
  }
});

test('the mapping comes from its parameter, or is the packaged one', async () => {
  const { secrets } = container();
  const arn = await secret('hash-key', '9f'.repeat(32));
  await ssm.send(new PutParameterCommand({ Name: '/m/good', Type: 'String', Value: '{"version": 1, "tables": []}' }));
  await ssm.send(new PutParameterCommand({ Name: '/m/bad', Type: 'SecureString', Value: '{"version": 1, Canary' }));
  assert.deepEqual(await loadMapping({ mappingParameter: '/m/good', hashKeySecretArn: undefined }, secrets, deadline), { json: { version: 1, tables: [] }, hashKey: null });
  const packaged = await loadMapping({ mappingParameter: undefined, hashKeySecretArn: arn }, secrets, deadline);
  assert.equal(packaged.hashKey?.length, 32);
  const bad = await failure(loadMapping({ mappingParameter: '/m/bad', hashKeySecretArn: undefined }, secrets, deadline));
  assert.equal(bad.code, 'MAPPING');
  assert.doesNotMatch(`${bad.stack} ${bad.cause}`, /Canary/);
  assert.match((await failure(loadMapping({ mappingParameter: undefined, hashKeySecretArn: undefined }, secrets, deadline))).message, /HASH_KEY_SECRET_ARN is missing/);
  assert.match((await failure(loadMapping({ mappingParameter: '/m/none', hashKeySecretArn: undefined }, secrets, deadline))).hint, /MAPPING_PARAMETER/);
});
