/** Control is killed while it makes or ends a split: the next call goes on, green is open only when both streams decide by the rules, and no payment is lost. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { ACCEPT, OPTIONS, Payer, Streams, assertWhole, patiently, quiet, splitLab, stopAll, syncedLab, untilAll } from '../support/split.mjs';
import { randomFrom } from '../support/writers.mjs';

/** `SPLIT_ROUNDS=20 npm test -- split/kills` kills more often, and `KILL_SEED=...` at other moments. */
const ROUNDS = Number(process.env['SPLIT_ROUNDS'] ?? 1);
const random = randomFrom(Number(process.env['KILL_SEED'] ?? 7));

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '20' })));
after(() => servers.remove());
afterEach(stopAll);

/** What prepare makes, in its order, each as it shows on one of the sides. @type {[string, 'blue' | 'green', string][]} */
const STEPS = [
  ['the fence', 'green', "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'deployer_fence')"],
  ['the publication', 'green', 'SELECT EXISTS (SELECT FROM pg_publication)'],
  ['the slot', 'green', "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE database = current_database() AND slot_name NOT LIKE '%_marker')"],
  ['the state of the way back', 'blue', "SELECT phase = 'following' FROM payment_migration.state"],
  ["blue's whole rows", 'blue', "SELECT EXISTS (SELECT FROM pg_class WHERE relreplident = 'f' AND relnamespace = 'public'::regnamespace)"],
  ["green's whole rows", 'green', "SELECT EXISTS (SELECT FROM pg_class WHERE relreplident = 'f' AND relnamespace = 'public'::regnamespace)"],
  ['one writer', 'green', "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'deployer_one_writer')"],
  ["the forward stream's rules", 'green', "SELECT identity->>'split' = 'true' FROM payment_migration.state"],
];

/** @param {Lab} lab @returns {Promise<boolean>} whether green takes writes */
async function greenIsOpen(lab) {
  try {
    await lab.onGreen('DELETE FROM customers WHERE false');
    return true;
  } catch (error) {
    assert.equal(/** @type {{code?: string}} */ (error).code, '25006', `${error}`);
    return false;
  }
}

/** @param {Lab} lab */
async function decides(lab) {
  const { rows } = await lab.onBlue("SELECT to_regclass('payment_migration.state') IS NOT NULL AS there");
  if (!rows[0].there) return false;
  const states = await Promise.all([lab.onBlue("SELECT identity->>'split' AS split FROM payment_migration.state"), lab.onGreen("SELECT identity->>'split' AS split FROM payment_migration.state")]);
  return states.every(({ rows: [row] }) => row?.split === 'true');
}

test('prepare is killed after each of its steps, while blue takes payments', { timeout: 300_000 }, async () => {
  const lab = await syncedLab(servers, 'prepare_killed');
  const payer = new Payer(lab, 'blue', 'early', { pauseMs: 60 });
  let fenced = false;
  /** @type {string[]} */
  const killed = [];
  for (const [what, side, sql] of STEPS) {
    const { signal, output } = await lab.spawn('prepare', OPTIONS, { accept: ACCEPT, halt: { when: { side, sql } } }).ended;
    assert.equal(signal, 'SIGKILL', `${what}: ${output}`);
    assert.deepEqual(Object.values((await lab[side === 'blue' ? 'onBlue' : 'onGreen'](sql)).rows[0]), [true], what);
    killed.push(what);
    fenced ||= !(await greenIsOpen(lab));
    if (fenced && (await greenIsOpen(lab))) assert.ok(await decides(lab), `after ${what}: green is open, and no rules decide`);
    await patiently(() => lab.run(OPTIONS));
  }
  console.log(`killed after ${killed.join(', ')}`);
  assert.ok(fenced);
  assert.equal((await patiently(() => lab.prepare(OPTIONS, ACCEPT))).writer, 'both');
  const green = new Payer(lab, 'green', 'late', { pauseMs: 60 });
  const streams = new Streams(lab);
  const verdict = await patiently(() => lab.verify(OPTIONS));
  assert.deepEqual([verdict.verdict, verdict.writer], ['equal', 'both'], JSON.stringify(verdict));
  await untilAll([payer, green], { paid: 10 });
  for (const one of [payer, green]) await one.stop();
  await streams.stop();
  assert.deepEqual(streams.failures, []);
  await quiet(lab);
  await assertWhole(lab, [payer, green]);
  assert.ok(payer.refused === 0 && payer.lost === 0, `${payer.refused} refused, ${payer.lost} lost`);
});

test('what prepare has changed before it was killed is undone by finish, under whatever name', { timeout: 120_000 }, async () => {
  for (const [what, side, sql] of STEPS.slice(4, 6)) {
    const lab = await syncedLab(servers, `undone_${side}`);
    const { signal, output } = await lab.spawn('prepare', OPTIONS, { accept: ACCEPT, halt: { when: { side, sql } } }).ended;
    assert.equal(signal, 'SIGKILL', `${what}: ${output}`);
    await lab[side === 'blue' ? 'onBlue' : 'onGreen']('ALTER TABLE customers RENAME TO people; ALTER TABLE people RENAME TO customers; ALTER TABLE payments_1 RENAME TO payments_first');
    assert.deepEqual((await patiently(() => lab.finish(OPTIONS, true))).fences, { blue: 'none', green: 'none' });
    for (const on of /** @type {const} */ (['onBlue', 'onGreen']))
      assert.deepEqual((await lab[on](`SELECT relname FROM pg_class WHERE relreplident = 'f' AND relkind = 'r' AND relnamespace = 'public'::regnamespace`)).rows, [], `${what}: ${on}`);
    await lab.onBlue("UPDATE payments SET description = 'goes on' WHERE id = 1");
    await lab.untilSynced(OPTIONS);
    assert.equal((await lab.onGreen('SELECT description FROM payments WHERE id = 1')).rows[0].description, 'goes on');
  }
});

test('a cutover from a split, the way back and prepare are killed at random statements while both sides take payments', { timeout: 120_000 + ROUNDS * 60_000 }, async () => {
  const lab = await splitLab(servers, 'cutover_killed');
  const payers = /** @type {const} */ (['blue', 'green']).map((side) => new Payer(lab, side, `kill-${side}`, { pauseMs: 60 }));
  let kills = 0;
  /** Statements after the line: each call has more. */
  const most = { cutover: 10, prepare: 30 };
  const killed = async (/** @type {'cutover' | 'prepare'} */ does, /** @type {string} */ line, back = false) => {
    const halt = { line, statements: 1 + random(most[does]), at: /** @type {const} */ (['before', 'sent', 'after'])[random(3)] };
    const { signal, output } = await lab.spawn(does, OPTIONS, { back, halt }).ended;
    assert.equal(signal, 'SIGKILL', `${does}, ${JSON.stringify(halt)}: ${output}`);
    kills += 1;
    await sleep(random(300));
  };
  for (let round = 0; round < ROUNDS; round += 1)
    for (const back of [false, true]) {
      await quiet(lab);
      assert.equal((await patiently(() => lab.verify(OPTIONS))).mismatches, 0);
      await killed('cutover', 'the fence is raised', back);
      const answer = await patiently(async () => {
        if (!back) await lab.verify(OPTIONS);
        return await lab.cutover(OPTIONS, back);
      }, ['NOT_VERIFIED']);
      assert.equal(answer.writer, back ? 'blue' : 'green');
      assert.equal((await patiently(() => lab.sides(OPTIONS))).writer, back ? 'blue' : 'green');
      if (!back) assert.equal((await patiently(() => lab.cutover(OPTIONS, true))).writer, 'blue');
      await killed('prepare', 'the slot');
      assert.equal((await patiently(() => lab.prepare(OPTIONS))).writer, 'both');
    }
  await untilAll(payers, { paid: 10 });
  for (const payer of payers) await payer.stop();
  await quiet(lab);
  await assertWhole(lab, payers);
  const verdict = await patiently(() => lab.verify(OPTIONS));
  assert.deepEqual([verdict.verdict, verdict.writer, verdict.unreversed, verdict.quarantined], ['equal', 'both', 0, 0], JSON.stringify(verdict));
  console.log(`${kills} kills; ${payers.map(({ acknowledged, refused }) => `${acknowledged.size} paid, ${refused} refused`).join('; ')}`);
  assert.equal(kills, 4 * ROUNDS);
});
