/** What stands between the function and the databases is told for what it is. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PermanentError, withSidesExchanged } from '../../src/lib/errors.mjs';
import { Lab } from '../support/lab.mjs';

const OPTIONS = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };

/** @type {Lab} */
let lab;
before(async () => void (lab = await (await Lab.start()).fresh('errors', 'CREATE TABLE t (id int PRIMARY KEY)')));
after(() => lab.remove());

/** A server that refuses every session with an error. @param {string} code @param {string} message */
async function refusing(code, message) {
  let sessions = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      sessions += 1;
      const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
      const head = Buffer.alloc(5);
      head.write('E');
      head.writeInt32BE(fields.length + 4, 1);
      socket.end(Buffer.concat([head, fields]));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { port, count: () => sessions, close: () => new Promise((resolve) => server.close(resolve)) };
}

test('a pooler or proxy that does not take the settings of a session is told at once', async () => {
  for (const [code, message] of /** @type {[string, string][]} */ ([['08P01', 'unsupported startup parameter: options'], ['0A000', 'Feature not supported: command-line options']]))
    for (const side of /** @type {const} */ (['blue', 'green'])) {
      const pooler = await refusing(code, message);
      const through = new Lab(lab.blue, lab.green, lab.database);
      through[side] = Object.create(lab[side], { port: { value: pooler.port } });
      await assert.rejects(through.run(OPTIONS), {
        name: 'PermanentError', sqlstate: code, message: `${side}: PostgreSQL answered ${code} to connecting`, hint: /** @type {any} */ (/pooler or proxy/),
      });
      assert.equal(pooler.count(), 1, 'it is not tried again');
      await pooler.close();
    }
});

/** A pooler in front of a server: it drops the settings of the session, or puts another process in its place, without a word. @param {number} port @param {{settings?: boolean, process?: boolean}} changes */
async function pooling(port, { settings = false, process = false }) {
  const server = createServer((client) => {
    const behind = connect(port, '127.0.0.1');
    for (const socket of [client, behind]) socket.on('error', () => {});
    client.once('data', (bytes) => {
      const parts = bytes.subarray(8).toString('latin1').split('\0').slice(0, -2);
      const at = settings ? parts.indexOf('options') : -1;
      const kept = at === -1 ? parts : [...parts.slice(0, at), ...parts.slice(at + 2)];
      const body = Buffer.from(`${kept.join('\0')}\0\0`, 'latin1');
      const head = Buffer.from(bytes.subarray(0, 8));
      head.writeInt32BE(body.length + 8);
      behind.write(Buffer.concat([head, body]));
      client.pipe(behind);
    });
    behind.on('data', (bytes) => {
      const key = bytes.indexOf(Buffer.from([0x4b, 0, 0, 0, 12])); // BackendKeyData
      if (process && key !== -1) bytes.writeInt32BE(1, key + 5);
      client.write(bytes);
    });
    behind.once('close', () => client.destroy());
    client.once('close', () => behind.destroy());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return { port: /** @type {import('node:net').AddressInfo} */ (server.address()).port, close: () => new Promise((resolve) => server.close(resolve)) };
}

test('a pooler that changes the session without a word is found', async () => {
  for (const changes of [{ settings: true }, { process: true }])
    for (const side of /** @type {const} */ (['blue', 'green'])) {
      const pooler = await pooling(lab[side].port, changes);
      const through = new Lab(lab.blue, lab.green, lab.database);
      through[side] = Object.create(lab[side], { port: { value: pooler.port } });
      await assert.rejects(through.run(OPTIONS), { name: 'PermanentError', code: 'POOLER', message: `${side}: a pooler or proxy stands between the function and PostgreSQL` }, JSON.stringify(changes));
      await pooler.close();
    }
});

test('an error names the side, the statement and what to do', async () => {
  const own = await lab.fresh('errors_late', 'CREATE TABLE t (id int PRIMARY KEY, v int)');
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };
  await own.onBlue('INSERT INTO t VALUES (1, 1)');
  await own.untilSynced(options);
  await own.onBlue(`CREATE ROLE nothing LOGIN PASSWORD 'n'; GRANT SELECT ON t TO nothing; INSERT INTO t VALUES (2, 2)`);
  own.logins = { source: { username: 'nothing', password: 'n' } };
  await assert.rejects(own.run(options), { sqlstate: '42501', message: /** @type {any} */ (/^blue: .* lo_get$/), hint: /** @type {any} */ (/the user that began the migration/) });
  await own.onBlue("DO $$ BEGIN EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO nothing', (SELECT oid FROM pg_largeobject_metadata)); END $$");
  await assert.rejects(own.run(options), { sqlstate: '42501', message: /** @type {any} */ (/^blue: .* pg_(logical_slot_peek_binary_changes|replication_slot_advance|logical_emit_message)$/), hint: /** @type {any} */ (/rds_replication/) });
});

test('a table of blue that stays locked all the time: the run ends with its time, is called transient, and says what may hold it up', async () => {
  const own = await lab.fresh('errors_locked', 'CREATE TABLE t (id int PRIMARY KEY, v int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t DEFAULT');
  await own.onBlue('INSERT INTO t VALUES (1, 1)');
  await own.untilSynced(OPTIONS);
  const holder = await own.blue.connect(own.database);
  await holder.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
  // Far more than it takes to get as far as to the table.
  for (const does of /** @type {const} */ (['run', 'verify']))
    await assert.rejects(own[does]({ ...OPTIONS, seconds: 4 }), { name: 'TransientError', code: 'TIME_ENDED', message: /^blue: /, hint: /keeps a mapped table locked/ });
  await holder.query('ROLLBACK');
  await holder.end();
  assert.equal((await own.run(OPTIONS)).status, 'synced');
});

test('a reader in place of the writer, as a name may lead to for a while after a failover: waited for, and told for what it is by everything that needs the writer', { timeout: 120_000 }, async () => {
  for (const side of /** @type {const} */ (['blue', 'green'])) {
    const own = await lab.fresh(`errors_reader_${side}`, 'CREATE TABLE t (id int PRIMARY KEY, v int)');
    await own.onBlue('INSERT INTO t VALUES (1, 1)');
    await own.untilSynced(OPTIONS);
    await own.onBlue('UPDATE t SET v = 2');
    const signal = join(own[side].data, 'standby.signal');
    const again = async (/** @type {() => void} */ change) => {
      await own[side].stop('fast');
      change();
      await own[side].start();
    };
    await again(() => writeFileSync(signal, ''));
    const hint = new RegExp(`${side === 'blue' ? 'SOURCE' : 'TARGET'}_HOST names a reader`);
    const short = { ...OPTIONS, seconds: 4 };
    await Promise.all([
      .../** @type {const} */ (['run', 'verify', 'prepare', 'status', 'stop']).map((does) =>
        assert.rejects(own[does](short), { name: 'TransientError', code: 'READER', sqlstate: '25006', message: `${side}: the server takes no writes`, hint }, `${does} ${side}`)),
      assert.rejects(own.cutover(short, true), { code: 'READER' }), // nothing is forced: the writer may be elsewhere
    ]);
    const before = own.lines.length;
    const waiting = own.run({ ...OPTIONS, seconds: 60 });
    while (!own.lines.slice(before).some((line) => line.includes('a transient failure, trying again'))) await new Promise((resolve) => setTimeout(resolve, 5));
    await again(() => rmSync(signal));
    assert.equal((await waiting).status, 'synced');
    assert.deepEqual((await own.onGreen('SELECT v FROM t')).rows, [{ v: 2 }]);
  }
});

test('the hints of the way back name the variables of the side that is meant', () => {
  const error = new PermanentError('X', 'blue: a word', { hint: 'check SOURCE_DB, TARGET_HOST and SOURCE_TABLE of green' });
  assert.deepEqual([withSidesExchanged(error).message, error.hint], ['green: a word', 'check TARGET_DB, SOURCE_HOST and SOURCE_TABLE of blue']);
});
