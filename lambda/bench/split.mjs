import { setTimeout as sleep } from 'node:timers/promises';
import { BusyError } from '../src/sync/lock.mjs';
import { TransientError } from '../src/lib/errors.mjs';
import { OPTIONS, splitLab, syncedLab } from '../test/support/split.mjs';
import { runProcess, thousands } from './support.mjs';

/** @typedef {import('../test/support/lab.mjs').Lab} Lab @typedef {'blue' | 'green'} Side */

const PER_SECOND = 200;
const CHANGES = 40_000;
const ROUNDS = 5;
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

/** @param {number} from */
const changesOfBlue = (from) =>
  `INSERT INTO payments (day, merchant, reference, amount, currency, state) SELECT '2026-01-05', 2, 'c' || i, 1, 'EUR', 'N' FROM generate_series(${from}, ${from + CHANGES / 2 - 1}) i;
   UPDATE payments SET state = 'A' WHERE merchant = 2 AND reference IN (SELECT 'c' || i FROM generate_series(${from}, ${from + CHANGES / 2 - 1}) i)`;

/**
 * The same changes, in turn in a pair of databases whose traffic is split and in one whose is not, so that what else the machine does meets both.
 * @param {Lab} split @param {Lab} servers @returns {Promise<[number, number]>} milliseconds
 */
async function costs(split, servers) {
  const single = await syncedLab(servers, 'bench_one_way');
  /** @type {[number[], number[]]} */
  const times = [[], []];
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const [i, lab] of [split, single].entries()) {
      await lab.run(OPTIONS); // past what the other pair has written into the same log
      await lab.onBlue(changesOfBlue(1e6 * (1 + round)));
      const began = performance.now();
      await lab.run(OPTIONS);
      if (round > 0) times[i]?.push(performance.now() - began); // the first is to get warm
    }
  const median = (/** @type {number[]} */ list) => list.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
  return [median(times[0]), median(times[1])];
}

/** Mode two-way: lag in both directions, and what a change costs against one way. @param {Lab} servers @param {number} [seconds] @returns {Promise<import('./support.mjs').Figure[]>} */
export async function benchSplit(servers, seconds = 30) {
  const lab = await splitLab(servers, 'bench_split');
  const end = Date.now() + seconds * 1000;
  const [blue, green, forward, back] = await Promise.all([
    load(lab, 'blue', end), load(lab, 'green', end), lag(() => lab.run({ ...OPTIONS, seconds: 60 }), end), lag(() => lab.runBack({ ...OPTIONS, seconds: 60 }), end),
  ]);
  for (let i = 0; i < 4; i += 1) await Promise.all([lab.run(OPTIONS), lab.runBack(OPTIONS)].map((one) => one.catch(() => {})));
  const [twoWay, oneWay] = await costs(lab, servers);
  await lab.runBack(OPTIONS);
  await lab.onBlue(`INSERT INTO payments (day, merchant, reference, amount, currency, state) SELECT '2026-01-05', 3, 'm' || i, 1, 'EUR', 'N' FROM generate_series(1, ${ROWS}) i`);
  const toGreen = await runProcess(lab, OPTIONS);
  await lab.onGreen(`UPDATE payments SET status = 'authorized', description = 'green' WHERE merchant = 3`);
  const toBlue = await runProcess(lab, OPTIONS, true);
  await lab.onBlue("UPDATE payments SET description = 'blue' WHERE merchant = 3");
  await lab.onGreen("UPDATE payments SET status = 'captured' WHERE merchant = 3");
  const merging = [await runProcess(lab, OPTIONS, true), await runProcess(lab, OPTIONS)];
  const most = (/** @type {{megabytes: number}[]} */ ...runs) => Math.max(...runs.map(({ megabytes }) => megabytes));
  const each = Math.round(Math.min(blue, green) / seconds);
  return [
    { name: `lag of mode two-way at ${each} transactions/s on each side, a run each second: to green, to blue`, value: `${(forward / 1000).toFixed(1)} s, ${(back / 1000).toFixed(1)} s at most in ${seconds} s`, target: '< 5 s', met: Math.max(forward, back) < 5_000 },
    { name: `memory of the process at its peak, mode two-way, ${thousands(ROWS)} changes at once: to green, to blue, both sides' merged`, value: `${most(toGreen).toFixed(0)} MB, ${most(toBlue).toFixed(0)} MB, ${most(...merging).toFixed(0)} MB`, target: '< 256 MB', met: most(toGreen, toBlue, ...merging) < 256 },
    { name: `${CHANGES} changes of blue in mode two-way against one way (medians of ${ROUNDS})`, value: `${(twoWay / oneWay).toFixed(2)} x (${Math.round(twoWay)} ms, ${Math.round(oneWay)} ms)`, target: '<= 1.5 x', met: twoWay <= 1.5 * oneWay },
  ];
}
