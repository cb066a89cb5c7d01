/** verify counts the sessions of both tables, whatever their size, but for those that have expired. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readDatabaseConfig } from '../../src/lib/config.mjs';
import { Deadline } from '../../src/lib/deadline.mjs';
import { countSessions } from '../../src/verify/sessions.mjs';
import { Lab, session } from '../support/sessions-lab.mjs';

/** @type {Lab} */
let lab;
before(async () => void (lab = await Lab.start()));
after(() => lab.moto.stop());

test('sessions of both tables, without those that have expired, over several pages', async () => {
  const pair = await lab.tables();
  const soon = Math.floor(Date.now() / 1000) + 600;
  const put = (/** @type {string} */ id, /** @type {object} */ more, table = pair.blue) => pair.put(session(1, 1, { session_id: { S: id }, ...more }), table);
  for (let i = 0; i < 12; i += 1) await put(`live-${i}`, { expires_at: { N: `${soon}` }, large: { S: 'x'.repeat(100_000) } });
  await put('without', {});
  await put('a text', { expires_at: { S: 'never' } });
  await put('gone', { expires_at: { N: '1000' } });
  for (let i = 0; i < 3; i += 1) await put(`live-${i}`, { expires_at: { N: `${soon}` } }, pair.green);
  const deadline = new Deadline(Date.now() + 20_000);
  const tables = { source: pair.blue, target: pair.green, expiry: 'expires_at' };
  let pages = 0;
  const client = /** @type {any} */ ({ send: (/** @type {any} */ command) => ((pages += 1), lab.client.send(command)) });
  assert.deepEqual(await countSessions(tables, deadline, () => true, client), { blue: 14, green: 3 });
  assert.ok(pages >= 3, `${pages} pages`);
  assert.equal(await countSessions(tables, deadline, () => false, client), undefined);
  await assert.rejects(countSessions({ ...tables, target: 'nowhere' }, deadline, () => true, client), { code: 'AWS_REFUSED' });
});

test('both tables are named, or none', () => {
  const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:x-abcdef';
  const environment = { SOURCE_HOST: 'b', SOURCE_PORT: '1', SOURCE_DB: 'd', SOURCE_SECRET_ARN: arn, TARGET_HOST: 'g', TARGET_PORT: '1', TARGET_DB: 'd', TARGET_SECRET_ARN: arn };
  assert.equal(readDatabaseConfig(environment).sessions, undefined);
  assert.deepEqual(readDatabaseConfig({ ...environment, SESSIONS_SOURCE_TABLE: 'blue-sessions', SESSIONS_TARGET_TABLE: 'green-sessions' }).sessions, { source: 'blue-sessions', target: 'green-sessions', expiry: 'expires_at' });
  assert.throws(() => readDatabaseConfig({ ...environment, SESSIONS_SOURCE_TABLE: 'blue-sessions' }), /SESSIONS_TARGET_TABLE is missing/);
});
