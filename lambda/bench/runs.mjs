import { setTimeout as sleep } from 'node:timers/promises';
import { backlog } from './changes.mjs';
import { between } from './copy.mjs';
import { IDENTITY, runBlock, thousands } from './support.mjs';

/** @typedef {import('../test/support/lab.mjs').Lab} Lab */

/** What an idle run reads and takes. @param {Lab} lab @returns {Promise<import('./support.mjs').Figure[]>} */
export async function benchIdle(lab) {
  const pair = between(lab, 'bench_same');
  /** @type {{ms: number, bytes: number}[]} */
  const runs = [];
  for (let i = 0; i < 7; i += 1) {
    await pair.run({ mapping: IDENTITY });
    runs.push(lastRun(pair));
  }
  const { ms, bytes } = /** @type {{ms: number, bytes: number}} */ (runs.sort((a, b) => a.ms - b.ms)[3]);
  return [
    { name: 'idle run, read from blue', value: `${(bytes / 1024).toFixed(1)} kB`, target: '< 64 kB', met: bytes < 65_536 },
    { name: 'idle run, after connecting', value: `${ms} ms (median of 7)`, target: '<= 300 ms', met: ms <= 300 },
  ];
}

/** Runs with k changes. @param {Lab} lab @param {number} rows of the table @returns {Promise<import('./support.mjs').Figure[]>} */
export async function benchLinear(lab, rows) {
  const pair = between(lab, 'bench_same');
  /** @type {import('./support.mjs').Figure[]} */
  const figures = [];
  let first = 2e9;
  /** @type {number[]} */
  const perChange = [];
  for (const k of [1_000, 10_000, 100_000]) {
    await runBlock(lab.blue, backlog(k, first, 2_000_000 + first - 2e9));
    first += k;
    await pair.run({ mapping: IDENTITY });
    const { ms } = lastRun(pair);
    perChange.push(ms / k);
    figures.push({ name: `run with ${thousands(k)} changes, table of ${thousands(rows)}`, value: `${ms} ms`, target: 'linear', met: null });
  }
  const growth = /** @type {number} */ (perChange[2]) / /** @type {number} */ (perChange[1]);
  figures.push({ name: 'cost per change, 100,000 against 10,000', value: `${growth.toFixed(2)} x`, target: '<= 1.3 x', met: growth <= 1.3 });
  return figures;
}

/** A steady load with a run each second. @param {Lab} lab @param {number} seconds @returns {Promise<import('./support.mjs').Figure[]>} */
export async function benchSteady(lab, seconds) {
  const pair = between(lab, 'bench_same');
  const client = await lab.blue.connect('bench');
  await client.query('SET session_replication_role = replica');
  const end = Date.now() + seconds * 1000;
  let transactions = 0;
  const load = (async () => {
    const began = Date.now();
    while (Date.now() < end) {
      const due = Math.floor(((Date.now() - began) / 1000) * 200);
      for (; transactions < due; transactions += 1) {
        const id = 3e9 + transactions;
        await client.query(`INSERT INTO payments (payment_id, created_at, merchant_id, amount, currency, reference) VALUES (${id}, now(), 1, 9.99, 'EUR', 'r')`);
      }
      await sleep(5);
    }
  })();
  let worst = 0;
  let since = Date.now(); // everything up to here is on green
  while (Date.now() < end) {
    const began = Date.now();
    await pair.run({ mapping: IDENTITY });
    worst = Math.max(worst, Date.now() - since); // the age of what green had, just before this run's result was there
    since = began;
    await sleep(Math.max(0, 1000 - (Date.now() - began)));
  }
  await load;
  await client.end();
  return [{ name: `lag at ${Math.round(transactions / seconds)} transactions/s, a run each second`, value: `${(worst / 1000).toFixed(1)} s at most in ${seconds} s`, target: '< 5 s', met: worst < 5000 }];
}

/** @param {Lab} lab @returns {{ms: number, bytes: number}} */
function lastRun(lab) {
  const line = lab.lines.filter((candidate) => candidate.includes('"message":"run"')).at(-1);
  return JSON.parse(/** @type {string} */ (line));
}
