/** The key for hashes: made once, and never again while there may be hashes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { hashKey } from '../../src/control/hash-key.mjs';
import { plan } from '../../src/control/plan.mjs';
import { status } from '../../src/control/status.mjs';
import { Secrets } from '../../src/lib/secrets.mjs';
import { Lab } from '../support/lab.mjs';
import { awsClient, startMoto } from '../support/moto.mjs';

/** @type {Lab} */
let servers;
/** @type {Awaited<ReturnType<typeof startMoto>>} */
let moto;
/** @type {SecretsManagerClient} */
let client;
before(async () => {
  [servers, moto] = await Promise.all([Lab.start(), startMoto()]);
  client = new SecretsManagerClient(awsClient(moto.endpoint));
});
after(() => Promise.all([servers.remove(), moto.stop()]));

const MAPPING = { version: 1, tables: [{ source: 'public.t', columns: { hash: { hash: 'pan' } } }] };

/** @param {Lab} lab @param {string} arn */
function invocation(lab, arn) {
  const made = lab.invocation({ mapping: MAPPING });
  const aws = new Secrets({ secretsManager: client });
  const secrets = { ...made.secrets, presence: aws.presence.bind(aws), fill: aws.fill.bind(aws), hashKey: aws.hashKey.bind(aws) };
  return /** @type {any} */ ({ ...made, secrets, config: { ...made.config, hashKeySecretArn: arn } });
}

const create = async (/** @type {string} */ name) => (await client.send(new CreateSecretCommand({ Name: name }))).ARN ?? '';
const valueOf = async (/** @type {string} */ arn) => Buffer.from((await client.send(new GetSecretValueCommand({ SecretId: arn }))).SecretBinary ?? []).toString('hex');

test('an empty secret gets 32 random bytes, once, also from several calls at the same time', async () => {
  const lab = await servers.fresh('key', 'CREATE TABLE t (id int PRIMARY KEY, pan text)', 'CREATE TABLE t (id int PRIMARY KEY, hash text)');
  const arn = await create('key-1');
  const answers = await Promise.all([1, 2, 3].map(() => hashKey(invocation(lab, arn))));
  assert.deepEqual(answers.map(({ bytes }) => bytes), [32, 32, 32]);
  const value = await valueOf(arn);
  assert.match(value, /^[0-9a-f]{64}$/);
  assert.deepEqual(await hashKey(invocation(lab, arn)), { status: 'present', bytes: 32 });
  assert.equal(await valueOf(arn), value);
  const other = await create('key-2');
  await hashKey(invocation(lab, other));
  assert.notEqual(await valueOf(other), value);
});

test('a key that is missing while green may hold hashes is never made anew', async () => {
  const lab = await servers.fresh('lost', 'CREATE TABLE t (id int PRIMARY KEY, pan text)', "CREATE TABLE t (id int PRIMARY KEY, hash text); INSERT INTO t VALUES (1, 'hash')");
  const arn = await create('key-3');
  await assert.rejects(hashKey(invocation(lab, arn)), { code: 'HASH_KEY_LOST' });
  await assert.rejects(valueOf(arn), { name: 'ResourceNotFoundException' });
  await lab.onGreen('DELETE FROM t');
  assert.equal((await hashKey(invocation(lab, arn))).status, 'made');
});

test('what a way back would be, and how it stands, is answered before there is a key', async () => {
  const lab = await servers.fresh('none', 'CREATE TABLE t (id int PRIMARY KEY, pan text)', 'CREATE TABLE t (id int PRIMARY KEY, hash text)');
  const arn = await create('key-4');
  assert.deepEqual((await plan(invocation(lab, arn))).irreversible, ['public.t.pan']);
  assert.equal((await status(invocation(lab, arn))).writer, 'both');
  await assert.rejects(valueOf(arn), { name: 'ResourceNotFoundException' });
});
