/** Clocks play no part: blue's is five minutes behind green's, and those of the functions are neither. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { clocks } from '../support/clock.mjs';
import { Lab } from '../support/lab.mjs';
import { FAST, startServer } from '../support/postgres.mjs';
import { OPTIONS, Payer, assertWhole, patiently, quiet, splitLab, stopAll, untilAll } from '../support/split.mjs';

const made = clocks();
const skip = made === undefined && 'there is no C compiler';

/** @type {Lab | undefined} */
let servers;
before(async () => {
  if (made === undefined) return;
  const [blue, green] = await Promise.all([startServer(FAST, made.ahead(-150)), startServer(FAST, made.ahead(150))]);
  servers = new Lab(blue, green, 'pay');
});
after(async () => {
  await servers?.remove();
  made?.remove();
});
afterEach(stopAll);

const between = async (/** @type {Lab} */ lab) => {
  const [{ rows: [blue] }, { rows: [green] }] = await Promise.all([lab.onBlue('SELECT extract(epoch FROM clock_timestamp()) AS at'), lab.onGreen('SELECT extract(epoch FROM clock_timestamp()) AS at')]);
  return Number(green.at) - Number(blue.at);
};

test('both sides take payments, the writes move to green and back, streams are killed: with clocks five minutes apart', { skip, timeout: 300_000 }, async () => {
  const lab = await splitLab(/** @type {Lab} */ (servers), 'clocks');
  const apart = await between(lab);
  assert.ok(apart > 290 && apart < 310, `${apart} s`);
  const payers = /** @type {const} */ (['blue', 'green']).map((side) => new Payer(lab, side, `clock-${side}`, { pauseMs: 60 }));
  // The functions' clocks are far from each other's, too: none takes the other's lock for one that was left by a killed run.
  const streams = () => [lab.spawn('streams', OPTIONS, {}, made?.ahead(-300)), lab.spawn('streams', OPTIONS, { back: true }, made?.ahead(300))];
  let running = streams();
  const ended = async () => {
    for (const { child } of running) child.kill('SIGKILL');
    const outputs = await Promise.all(running.map(async ({ ended }) => (await ended).output));
    assert.deepEqual(outputs.join('').split('\n').filter((line) => line !== '' && !/BUSY|CONNECTION_LOST|DATABASE_TRANSIENT/.test(line)), []);
  };
  await untilAll(payers, { paid: 20 });
  const verdict = await patiently(() => lab.verify(OPTIONS));
  assert.deepEqual([verdict.verdict, verdict.writer], ['equal', 'both'], JSON.stringify(verdict));
  assert.ok(Number(verdict.lagSeconds) < 60, `${verdict.lagSeconds} s`); // by one clock, not by two
  await ended();
  const there = await patiently(() => lab.cutover(OPTIONS));
  assert.equal(there.writer, 'green');
  assert.ok(Number(there.refusedMs) < 10_000, `${there.refusedMs}`);
  running = streams();
  await payers[1].until({ paid: 15 });
  await ended();
  const back = await patiently(() => lab.cutover(OPTIONS, true));
  assert.equal(back.writer, 'blue');
  await payers[0].until({ paid: 5 });
  assert.equal((await patiently(() => lab.prepare(OPTIONS))).writer, 'both');
  await untilAll(payers, { paid: 5 });
  for (const payer of payers) await payer.stop();
  await quiet(lab);
  await assertWhole(lab, payers);
  const last = await patiently(() => lab.verify(OPTIONS));
  assert.deepEqual([last.verdict, last.unreversed, last.quarantined], ['equal', 0, 0], JSON.stringify(last));
});

test('with one writer at a time: a fence opens after its seconds, and a proof of verify is as old as it is', { skip, timeout: 120_000 }, async () => {
  const lab = await /** @type {Lab} */ (servers).fresh('one_writer', 'CREATE TABLE t (id int PRIMARY KEY, v text)');
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }] } };
  await lab.onBlue("INSERT INTO t SELECT i, 'v' FROM generate_series(1, 9) i");
  await lab.untilSynced(options);
  await lab.prepare(options);
  await assert.rejects(lab.cutover(options), { code: 'NOT_VERIFIED' });
  assert.equal((await lab.verify(options)).verdict, 'equal');
  assert.equal((await lab.cutover(options)).writer, 'green');
  await lab.onGreen("INSERT INTO t VALUES (100, 'green')");
  assert.equal((await lab.cutover(options, true)).writer, 'blue');
  await lab.onBlue("INSERT INTO t VALUES (101, 'blue')");
  await assert.rejects(lab.onGreen("INSERT INTO t VALUES (102, 'x')"), { code: '25006' });
  await lab.untilSynced(options);
  assert.equal((await lab.verify(options)).verdict, 'equal');
});

test('a run whose clock is ten minutes behind keeps its lock, and another one is told to come back', { skip, timeout: 120_000 }, async () => {
  const lab = await /** @type {Lab} */ (servers).fresh('locked', 'CREATE TABLE t (id int PRIMARY KEY, v text)');
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }] }, seconds: 60 };
  const long = await lab.blue.connect(lab.database);
  await long.query("BEGIN; INSERT INTO t VALUES (1, 'long')"); // the slot waits for it
  const { said, ended } = lab.spawn('run', options, {}, made?.ahead(-600));
  await said(/waits for blue's running transactions/);
  await assert.rejects(lab.run(options), { code: 'BUSY' });
  await long.query('COMMIT');
  await long.end();
  const { code, output } = await ended;
  assert.equal(code, 0, output);
});
