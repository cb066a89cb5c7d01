/**
 * Transactions of many rows that commit in the moment in which the writes move: nothing of them is on one side only, memory stays small, and what can't be brought over within the seconds of a fence
 * gives it up. The ordinary run takes few rows; `LARGE_ROWS=1000000 npm test -- split/large` is the whole (about a quarter of an hour).
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { OPTIONS as SPLIT, contentsSql, patiently, splitLab, stopAll } from '../support/split.mjs';

const ROWS = Number(process.env['LARGE_ROWS'] ?? 5_000);
const OPTIONS = { ...SPLIT, seconds: 840 };

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '20' })));
after(() => servers.remove());
afterEach(stopAll);

/** @type {Record<string, number>} */
const peaks = {};

/**
 * One call as a process, whose memory is looked at.
 * @param {Lab} lab @param {'run' | 'cutover' | 'prepare'} does @param {boolean} [back] @returns {Promise<{answer?: any, output: string}>}
 */
async function call(lab, does, back = false) {
  const { code, output } = await lab.spawn(does, OPTIONS, { back, whole: true }).ended;
  if (code !== 0) return { output };
  const { answer, maxRss } = JSON.parse(output.trim().split('\n').at(-1) ?? '');
  const name = `${does}${back ? ' back' : ''}`;
  peaks[name] = Math.max(peaks[name] ?? 0, maxRss / 1024);
  return { answer, output };
}

/** @param {Lab} lab */
async function untilQuiet(lab) {
  for (const back of [true, false, true, false]) {
    const { answer, output } = await call(lab, 'run', back);
    assert.equal(answer?.status, 'synced', output);
  }
}

/** @param {Lab} lab */
async function assertEqual(lab) {
  const sum = (/** @type {'blue' | 'green'} */ side) => `SELECT count(*)::int AS rows, sum(hashtextextended(key || row, 0))::text AS sum FROM (${contentsSql(side)}) AS c`;
  const [blue, green] = [await lab.onBlue(sum('blue')), await lab.onGreen(sum('green'))];
  assert.deepEqual(green.rows, blue.rows);
  assert.ok(blue.rows[0].rows >= ROWS);
}

/**
 * The writes move away from a side while a transaction is open there: not before it has ended, and then with it.
 * @param {Lab} lab @param {import('pg').Client} client with the open transaction @param {boolean} back
 */
async function moveAcross(lab, client, back) {
  const open = await call(lab, 'cutover', back);
  assert.match(open.output, /FENCE_NOT_RAISED/);
  const moving = lab.spawn('cutover', OPTIONS, { back });
  await moving.said(/"the slot"/);
  await sleep(100);
  await client.query('COMMIT');
  await client.end();
  const { code, output } = await moving.ended;
  if (code === 0) return;
  assert.match(output, /FENCE_NOT_RAISED|DRAIN_TOO_LONG|BUSY/);
  assert.equal((await lab.sides(OPTIONS)).writer, 'both'); // given up: as it was before
  await untilQuiet(lab);
  if (!back) assert.equal((await lab.verify(OPTIONS)).verdict, 'equal');
  const { answer, output: last } = await call(lab, 'cutover', back);
  assert.equal(answer?.status, 'done', last);
}

test(`transactions of ${ROWS} rows across the fence, in both directions`, { timeout: 300_000 + ROWS * 4 }, async () => {
  const lab = await splitLab(servers, 'large');
  assert.equal((await lab.verify(OPTIONS)).verdict, 'equal');
  const onBlue = await lab.blue.connect(lab.database);
  await onBlue.query(`BEGIN; INSERT INTO payments (day, merchant, reference, amount, currency, state) SELECT '2026-01-07', 1, 'large-' || i, 1, 'EUR', 'N' FROM generate_series(1, ${ROWS}) i`);
  await moveAcross(lab, onBlue, false);
  assert.equal((await lab.sides(OPTIONS)).writer, 'green');
  await untilQuiet(lab);
  await assertEqual(lab);
  assert.equal((await patiently(() => lab.prepare(OPTIONS))).writer, 'both');
  assert.equal((await lab.sides(OPTIONS)).writer, 'both');
  const onGreen = await lab.green.connect(lab.database);
  await onGreen.query(`BEGIN; UPDATE payments SET description = 'changed', status = 'authorized' WHERE merchant = 1; INSERT INTO payments (day, merchant, reference, minor, currency, status) SELECT '2026-03-07', 2, 'large-green-' || i, 100, 'EUR', 'new' FROM generate_series(1, ${Math.ceil(ROWS / 10)}) i`);
  await moveAcross(lab, onGreen, true);
  assert.equal((await lab.sides(OPTIONS)).writer, 'blue');
  await untilQuiet(lab);
  await assertEqual(lab);
  assert.equal((await patiently(() => lab.prepare(OPTIONS))).writer, 'both');
  assert.equal((await lab.sides(OPTIONS)).writer, 'both');

  // The same job on both sides, then one that both sides do in another way: each row is decided on blue.
  await Promise.all([lab.onBlue("UPDATE payments SET description = 'job' WHERE merchant = 1"), lab.onGreen("UPDATE payments SET description = 'job' WHERE merchant = 1")]);
  await untilQuiet(lab);
  await assertEqual(lab);
  await Promise.all([lab.onBlue("UPDATE payments SET state = 'C' WHERE merchant = 1 AND state = 'A'"), lab.onGreen("UPDATE payments SET description = 'job of green' WHERE merchant = 1")]);
  await untilQuiet(lab);
  await assertEqual(lab);
  const verdict = await lab.verify(OPTIONS);
  assert.deepEqual([verdict.verdict, verdict.unreversed, verdict.quarantined], ['equal', 0, 0], JSON.stringify(verdict));
  console.log(`memory at its peak: ${Object.entries(peaks).map(([name, megabytes]) => `${name} ${megabytes.toFixed(0)} MB`).join(', ')}`);
  for (const [name, megabytes] of Object.entries(peaks)) assert.ok(megabytes < 256, `${name}: ${megabytes.toFixed(0)} MB`);
});
