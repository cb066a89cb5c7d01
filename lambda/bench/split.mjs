import { setTimeout as sleep } from 'node:timers/promises';
import { BusyError } from '../src/sync/lock.mjs';
import { TransientError } from '../src/lib/errors.mjs';
import { OPTIONS, splitLab } from '../test/support/split.mjs';
import { runProcess, thousands } from './support.mjs';

/** @typedef {import('../test/support/lab.mjs').Lab} Lab @typedef {'blue' | 'green'} Side */

const PER_SECOND = 200;
const CHANGES = 40_000;
/** In one transaction. */
const ROWS = 100_000;

/** @param {Side} side @param {number} n */
const payment = (side, n) =>
  side === 'blue'
    ? `INSERT INTO payments (day, merchant, reference, amount, currency, state) VALUES ('2026-01-05', 1, '${side}-${n}', 12, 'EUR', 'N'); UPDATE payments SET description = 'x' WHERE reference = '${side}-${n - 1}' AND merchant = 1`
    : `INSERT INTO payments (day, merchant, reference, minor, currency, status) VALUES ('2026-01-05', 1, '${side}-${n}', 1200, 'EUR', 'new'); UPDATE payments SET description = 'x' WHERE reference = '${side}-${n - 1}' AND merchant = 1`;

/** So many transactions a second on one side. @param {Lab} lab @param {Side} side @param {number} end */
async function load(lab, side, end) {
  const client = await lab[side].connect(lab.database);
  const began = Date.now();
  let made = 0;
  while (Date.now() < end) {
    if (made >= ((Date.now() - began) / 1000) * PER_SECOND) await sleep(5);
    else await client.query(payment(side, (made += 1)));
  }
  await client.end();
  return made;
}

/** The greatest age of what the other side has, with a run each second. @param {() => Promise<unknown>} run @param {number} end */
async function lag(run, end) {
  let [worst, since] = [0, Date.now()];
  while (Date.now() < end) {
    const began = Date.now();
    const done = await run().then(() => true, (error) => {
      if (error instanceof BusyError || error instanceof TransientError) return false;
      throw error;
    });
    worst = Math.max(worst, Date.now() - since);
    if (done) since = began;
    await sleep(Math.max(0, 1000 - (Date.now() - began)));
  }
  return worst;
}

/** Mode two-way: lag in both directions, and what a change costs against one way. @param {Lab} servers @param {number} [seconds] @returns {Promise<import('./support.mjs').Figure[]>} */
export async function benchSplit(servers, seconds = 30) {
  const lab = await splitLab(servers, 'bench_split');
  const end = Date.now() + seconds * 1000;
  const [blue, green, forward, back] = await Promise.all([
    load(lab, 'blue', end), load(lab, 'green', end), lag(() => lab.run({ ...OPTIONS, seconds: 60 }), end), lag(() => lab.runBack({ ...OPTIONS, seconds: 60 }), end),
  ]);
  for (let i = 0; i < 4; i += 1) await Promise.all([lab.run(OPTIONS), lab.runBack(OPTIONS)].map((one) => one.catch(() => {})));
  const changes = (/** @type {number} */ from) => `INSERT INTO payments (day, merchant, reference, amount, currency, state) SELECT '2026-01-05', 2, 'c' || i, 1, 'EUR', 'N' FROM generate_series(${from}, ${from + CHANGES / 2 - 1}) i; UPDATE payments SET state = 'A' WHERE merchant = 2 AND reference IN (SELECT 'c' || i FROM generate_series(${from}, ${from + CHANGES / 2 - 1}) i)`;
  /** @param {number} from */
  const timedRun = async (from) => {
    await lab.onBlue(changes(from));
    const began = performance.now();
    await lab.run(OPTIONS);
    return performance.now() - began;
  };
  const twoWay = [await timedRun(1e6), await timedRun(2e6), await timedRun(3e6)].sort((a, b) => a - b)[1] ?? 0;
  await lab.runBack(OPTIONS);
  await lab.onBlue(`INSERT INTO payments (day, merchant, reference, amount, currency, state) SELECT '2026-01-05', 3, 'm' || i, 1, 'EUR', 'N' FROM generate_series(1, ${ROWS}) i`);
  const toGreen = await runProcess(lab, OPTIONS);
  await lab.onGreen(`UPDATE payments SET status = 'authorized', description = 'green' WHERE merchant = 3`);
  const toBlue = await runProcess(lab, OPTIONS, true);
  await lab.onBlue("UPDATE payments SET description = 'blue' WHERE merchant = 3");
  await lab.onGreen("UPDATE payments SET status = 'captured' WHERE merchant = 3");
  const merging = [await runProcess(lab, OPTIONS, true), await runProcess(lab, OPTIONS)];
  const most = (/** @type {{megabytes: number}[]} */ ...runs) => Math.max(...runs.map(({ megabytes }) => megabytes));
  await lab.cutover({ ...OPTIONS, seconds: 120 }, true);
  await lab.finish(OPTIONS, true);
  await lab.run(OPTIONS);
  const oneWay = [await timedRun(4e6), await timedRun(5e6), await timedRun(6e6)].sort((a, b) => a - b)[1] ?? 0;
  const each = Math.round(Math.min(blue, green) / seconds);
  return [
    { name: `lag of mode two-way at ${each} transactions/s on each side, a run each second: to green, to blue`, value: `${(forward / 1000).toFixed(1)} s, ${(back / 1000).toFixed(1)} s at most in ${seconds} s`, target: '< 5 s', met: Math.max(forward, back) < 5_000 },
    { name: `memory of the process at its peak, mode two-way, ${thousands(ROWS)} changes at once: to green, to blue, both sides' merged`, value: `${most(toGreen).toFixed(0)} MB, ${most(toBlue).toFixed(0)} MB, ${most(...merging).toFixed(0)} MB`, target: '< 256 MB', met: most(toGreen, toBlue, ...merging) < 256 },
    { name: `${CHANGES} changes of blue in mode two-way against one way (medians of 3)`, value: `${(twoWay / oneWay).toFixed(2)} x (${Math.round(twoWay)} ms, ${Math.round(oneWay)} ms)`, target: '<= 1.5 x', met: twoWay <= 1.5 * oneWay },
  ];
}
