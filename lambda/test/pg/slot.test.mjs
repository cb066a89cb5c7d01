import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadline } from '../../src/lib/deadline.mjs';
import { openSession } from '../../src/pg/session.mjs';
import { createSlot } from '../../src/pg/slot.mjs';
import { startServer } from '../support/postgres.mjs';

/** @type {import('../support/postgres.mjs').Server} */
let server;
before(async () => void (server = await startServer()));
after(() => server.remove());

const session = () =>
  openSession({ role: 'source', host: server.host, port: server.port, database: 'postgres', secretArn: '' }, {
    /** @type {any} */ secrets: { withCredentials: (/** @type {any} */ _arn, /** @type {any} */ _deadline, /** @type {Function} */ use) => use({ username: 'postgres', password: server.password }) },
    tls: { mode: 'disable', caFile: undefined }, deadline: new Deadline(Date.now() + 60_000), applicationName: 'test',
  });

/** Until somebody waits for the end of one of these. @param {import('pg').Client} client @param {import('pg').Client[]} others */
async function waitedFor(client, ...others) {
  const pids = await Promise.all(others.map(async (other) => (await other.query('SELECT pg_backend_pid() AS pid')).rows[0].pid));
  const sql = 'SELECT count(*)::int AS n FROM pg_stat_activity WHERE pg_blocking_pids(pid) && $1::int[]';
  while ((await client.query(sql, [pids])).rows[0].n === 0) await sleep(10);
}

test('a table that is truncated while the slot is made can be decoded afterwards', async () => {
  const [watch, long, truncating, late] = await Promise.all([1, 2, 3, 4].map(() => server.connect()));
  if (watch === undefined || long === undefined || truncating === undefined || late === undefined) throw new Error('no client');
  await watch.query('CREATE TABLE t (id integer PRIMARY KEY, v text); CREATE TABLE other (id integer); CREATE PUBLICATION p FOR TABLE t; INSERT INTO t VALUES (1)');
  const blue = await session();

  // PostgreSQL waits for `long` first; what starts meanwhile is waited for next, and its truncate is overlooked until then.
  await long.query('BEGIN; INSERT INTO other VALUES (1)');
  const making = createSlot(blue, 's');
  await waitedFor(watch, long);
  await truncating.query('BEGIN; TRUNCATE t');
  await late.query('BEGIN; INSERT INTO other VALUES (2)');
  await long.query('COMMIT');
  await waitedFor(watch, truncating, late);
  await truncating.query('COMMIT');
  await watch.query("INSERT INTO t VALUES (2, 'while the slot is made')");
  await late.query('COMMIT');
  await making;

  await watch.query("INSERT INTO t VALUES (3, 'after')");
  const { rows } = await watch.query("SELECT get_byte(data, 0) AS tag FROM pg_logical_slot_peek_binary_changes('s', NULL, NULL, 'proto_version', '1', 'publication_names', 'p')");
  assert.deepEqual(rows.map(({ tag }) => String.fromCharCode(tag)), ['B', 'R', 'I', 'C']);
  assert.deepEqual((await watch.query('SELECT slot_name, temporary FROM pg_replication_slots')).rows, [{ slot_name: 's', temporary: false }]);
  await blue.close();
  await Promise.all([watch, long, truncating, late].map((client) => client.end()));
});

test('a slot that does not move to where it can be decoded is given up, and no slot beside it is left', async () => {
  /** @type {Map<string, string>} */
  const slots = new Map();
  let made = 0;
  /** A server that never moves a slot's beginning. */
  const stuck = {
    rows: async (/** @type {string} */ sql, /** @type {string[]} */ [name = '']) => (slots.has(name) && (!sql.includes('drop') || slots.delete(name)) && !sql.includes('active_pid') ? [['']] : []),
    row: async (/** @type {string} */ sql) => {
      if (sql.includes('restart_lsn')) return ['0/10'];
      const [, name = ''] = /slot\('([^']+)'/.exec(sql) ?? [];
      slots.set(name, '');
      made += 1;
      return ['0/20'];
    },
    run: async () => 0,
  };
  await assert.rejects(createSlot(/** @type {any} */ (stuck), 's'), { name: 'TransientError', code: 'SLOT_PLACE', message: /^blue: the new replication slot/ });
  assert.deepEqual([[...slots.keys()], made], [['s'], 6]);
});
