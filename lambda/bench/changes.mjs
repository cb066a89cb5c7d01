import { setTimeout as sleep } from 'node:timers/promises';
import { between } from './copy.mjs';
import { IDENTITY, runBlock, runProcess, thousands, timed } from './support.mjs';

/** @typedef {import('../test/support/lab.mjs').Lab} Lab */

const PER_TRANSACTION = 20;

/**
 * A backlog of changes on blue's payments: 70 % inserts, 25 % updates, 5 % deletes, twenty to a transaction.
 * @param {number} changes @param {number} firstId beyond all that is there @param {number} [firstOld] of the rows to be updated and deleted
 */
export const backlog = (changes, firstId, firstOld = 1) => `
  DO $$
  DECLARE id bigint := ${firstId}; old bigint := ${firstOld};
  BEGIN
    FOR t IN 1..${Math.ceil(changes / PER_TRANSACTION)} LOOP
      INSERT INTO payments (payment_id, created_at, merchant_id, amount, currency, state, reference, description, metadata, client_ip)
        SELECT id + i, timestamptz '2024-01-01 00:00:00+00' + ((id + i) % 4000000) * interval '20 seconds', 1 + i, 12.34, 'EUR', 'N', 'REF-' || id + i, 'order', '{"channel": "web"}', '10.0.0.1'
          FROM generate_series(1, 14) i;
      UPDATE payments SET state = 'C', captured_at = now() WHERE payment_id BETWEEN old AND old + 4
         AND created_at BETWEEN timestamptz '2024-01-01 00:00:00+00' + old * interval '20 seconds' AND timestamptz '2024-01-01 00:00:00+00' + (old + 4) * interval '20 seconds';
      DELETE FROM payments WHERE payment_id = old + 5 AND created_at = timestamptz '2024-01-01 00:00:00+00' + (old + 5) * interval '20 seconds';
      id := id + 14; old := old + 6;
      COMMIT;
    END LOOP;
  END $$`;

/**
 * Catching up on one million changes, against PostgreSQL's own subscription.
 * @param {Lab} lab @param {number} changes
 * @returns {Promise<import('./support.mjs').Figure[]>}
 */
export async function benchChanges(lab, changes) {
  const { blue, green } = lab;
  // The subscription's database starts from the same rows, without another copy: blue is quiet, and the copy's database is what blue is.
  await runProcess(between(lab, 'bench_same'), { mapping: IDENTITY });
  await green.query('postgres', 'CREATE DATABASE bench_native TEMPLATE bench_same');
  await blue.query('bench', 'CREATE PUBLICATION native FOR TABLE payments');
  const address = `host=${blue.host} port=${blue.port} user=postgres password=${blue.password} dbname=bench`;
  await green.query('bench_native', `CREATE SUBSCRIPTION native CONNECTION '${address}' PUBLICATION native WITH (copy_data = false)`);
  await until(async () => (await blue.query('bench', "SELECT active FROM pg_replication_slots WHERE slot_name = 'native'")).rows[0]?.active);
  await green.query('bench_native', 'ALTER SUBSCRIPTION native DISABLE');
  await sleep(1000);

  const made = await timed(() => runBlock(blue, backlog(changes, 1e9)));
  const end = (await blue.query('bench', 'SELECT pg_current_wal_lsn() AS lsn')).rows[0].lsn;
  await blue.query('bench', 'CHECKPOINT');
  await green.query('postgres', 'CHECKPOINT');
  console.log(`${thousands(changes)} changes made in ${made.seconds.toFixed(0)} s`);

  const sync = await runProcess(between(lab, 'bench_same'), { mapping: IDENTITY });
  console.log(`sync: ${sync.seconds.toFixed(1)} s`, sync.answer.status);
  await green.query('postgres', 'CHECKPOINT');
  const native = await timed(async () => {
    await green.query('bench_native', 'ALTER SUBSCRIPTION native ENABLE');
    await until(async () => (await blue.query('bench', `SELECT confirmed_flush_lsn >= '${end}' AS done FROM pg_replication_slots WHERE slot_name = 'native'`)).rows[0].done);
  });
  console.log(`subscription: ${native.seconds.toFixed(1)} s`);
  const sum = 'SELECT count(*), sum(hashtextextended(payments::text, 0)) AS sum FROM payments';
  const sums = await Promise.all([blue.query('bench', sum), green.query('bench_same', sum), green.query('bench_native', sum)]);
  const [expected, ...others] = sums.map(({ rows: [row] }) => JSON.stringify(row));
  if (others.some((other) => other !== expected)) throw new Error(`not equal: ${expected} ${others}`);
  await green.query('bench_native', 'DROP SUBSCRIPTION native');
  await blue.query('bench', 'DROP PUBLICATION native');
  const ratio = native.seconds / sync.seconds;
  return [
    { name: "PostgreSQL's own subscription", value: `${thousands(changes / native.seconds)} changes/s`, target: '', met: null },
    { name: `applying ${thousands(changes)} changes`, value: `${thousands(changes / sync.seconds)} changes/s = ${ratio.toFixed(2)} x the subscription`, target: '>= 0.4 x', met: ratio >= 0.4 },
    { name: 'memory of the process at its peak, changes', value: `${sync.megabytes.toFixed(0)} MB`, target: '< 256 MB', met: sync.megabytes < 256 },
  ];
}

/** @param {() => Promise<boolean>} done */
async function until(done) {
  while (!(await done())) await sleep(100);
}
