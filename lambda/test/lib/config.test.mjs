import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDatabaseConfig, readLogLevel, readSessionsConfig } from '../../src/lib/config.mjs';

const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-1-abcdef';
const GOOD = {
  SOURCE_HOST: 'blue.cluster-x.eu-central-1.rds.amazonaws.com', SOURCE_PORT: '5432', SOURCE_DB: 'payments', SOURCE_SECRET_ARN: ARN,
  TARGET_HOST: '10.0.0.7', TARGET_PORT: '5433', TARGET_DB: 'payments', TARGET_SECRET_ARN: ARN,
};

test('the environment of the contract is read', () => {
  const config = readDatabaseConfig(GOOD);
  assert.deepEqual(config.source, { role: 'source', host: GOOD.SOURCE_HOST, port: 5432, database: 'payments', secretArn: ARN });
  assert.deepEqual(config.target, { role: 'target', host: '10.0.0.7', port: 5433, database: 'payments', secretArn: ARN });
  assert.deepEqual([config.mappingParameter, config.hashKeySecretArn, config.tls, config.logLevel], [undefined, undefined, { mode: 'verify-full', caFile: undefined }, 'info']);
  assert.equal(readDatabaseConfig({ ...GOOD, MAPPING_PARAMETER: '/migration/pr42/mapping', HASH_KEY_SECRET_ARN: ARN }).mappingParameter, '/migration/pr42/mapping');
});

test('each missing variable is named, all at once', () => {
  for (const name of Object.keys(GOOD))
    assert.throws(() => readDatabaseConfig({ ...GOOD, [name]: undefined }), (/** @type {any} */ error) => error.code === 'CONFIG' && error.message.includes(`${name} is missing`), name);
  assert.throws(() => readDatabaseConfig({}), (/** @type {any} */ error) => Object.keys(GOOD).every((name) => error.message.includes(name)) && /README/.test(error.hint));
  assert.throws(() => readSessionsConfig({ TARGET_TABLE: '' }), /TARGET_TABLE is missing \(the name of a DynamoDB table\)/);
});

test('a malformed variable is named without its value', () => {
  /** @type {[string, string, RegExp][]} */
  const wrong = [
    ['SOURCE_PORT', '54E2', /SOURCE_PORT is not a port/],
    ['TARGET_SECRET_ARN', 'hunter2-the-password', /TARGET_SECRET_ARN is not the ARN of a secret/],
    ['HASH_KEY_SECRET_ARN', 'hunter2-the-key', /HASH_KEY_SECRET_ARN is not the ARN of a secret/],
    ['LOG_LEVEL', 'loud', /LOG_LEVEL is not one of debug, info, warn, error/],
    ['DB_TLS', 'maybe', /DB_TLS is not one of verify-full, disable/],
    ['SOURCE_HOST', 'postgres://u:hunter2@h/', /SOURCE_HOST is not a host name/],
  ];
  for (const [name, value, pattern] of wrong)
    assert.throws(() => readDatabaseConfig({ ...GOOD, [name]: value }), (/** @type {any} */ error) => pattern.test(error.message) && !error.message.includes(value) && !error.message.includes('hunter2'));
});

test('sessions take the names of their attributes', () => {
  assert.deepEqual(readSessionsConfig({ TARGET_TABLE: 'sessions-green-pr42' }).attributes, { version: 'version', time: 'updated_at', expiry: 'expires_at' });
  assert.equal(readSessionsConfig({ TARGET_TABLE: 'sessions', TTL_ATTRIBUTE: 'ttl' }).attributes.expiry, 'ttl');
  for (const name of ['VERSION_ATTRIBUTE', 'TIME_ATTRIBUTE', 'TTL_ATTRIBUTE'])
    for (const path of ['meta.version', 'meta[0]', 'a]'])
      assert.throws(() => readSessionsConfig({ TARGET_TABLE: 'sessions', [name]: path }), (/** @type {any} */ error) => error.message.includes(`${name} is not the name of an attribute (not a path)`) && !error.message.includes(path));
});

test("sessions' own table has a name that follows from the target's, and is another one", () => {
  assert.equal(readSessionsConfig({ TARGET_TABLE: 'sessions-green' }).stateTable, 'sessions-green-migration');
  assert.equal(readSessionsConfig({ TARGET_TABLE: 's'.repeat(255) }).stateTable.length, 255);
  assert.equal(readSessionsConfig({ TARGET_TABLE: 'sessions', STATE_TABLE: 'other' }).stateTable, 'other');
  for (const same of ['sessions', 's'.repeat(244) + '-migration']) assert.throws(() => readSessionsConfig({ TARGET_TABLE: same, STATE_TABLE: same }), /STATE_TABLE is the same as TARGET_TABLE/);
});

test('the log level is read leniently, so that a bad environment can still be reported', () => {
  assert.deepEqual(['DEBUG', 'warn', 'loud', undefined].map((LOG_LEVEL) => readLogLevel({ LOG_LEVEL })), ['debug', 'warn', 'info', 'info']);
});
