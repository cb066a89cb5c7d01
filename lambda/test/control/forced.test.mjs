/** What was written while it was not decided who takes the writes: green that can't be reached, and a cutover that was killed between its last steps. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { STATES, closeForGood, raiseFence, readFence, setFence } from '../../src/sync/fence.mjs';
import { open } from '../../src/sync/context.mjs';
import { PLAIN } from '../support/cases.mjs';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { Pulse } from '../support/pulse.mjs';

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '20' })));
after(() => servers.remove());

const DDL = 'CREATE TABLE t (id int PRIMARY KEY, v text)';

/** @param {string} name */
async function onGreenSide(name) {
  const lab = await servers.fresh(name, DDL);
  await lab.onBlue("INSERT INTO t SELECT i, 'blue' FROM generate_series(1, 9) i");
  await lab.untilSynced(PLAIN);
  await lab.prepare(PLAIN);
  assert.equal((await lab.verify(PLAIN)).verdict, 'equal');
  await lab.cutover(PLAIN);
  await lab.onGreen("INSERT INTO t VALUES (100, 'in time'); UPDATE t SET v = 'green' WHERE id = 1");
  await lab.runBack(PLAIN);
  return lab;
}

const rowsOn = async (/** @type {Lab} */ lab, /** @type {'onBlue' | 'onGreen'} */ side) => (await lab[side]("SELECT string_agg(id || '=' || v, ' ' ORDER BY id) AS all FROM t WHERE id NOT IN (5, 6, 7, 8, 9)")).rows[0].all;

test('the way back when green can not be reached: blue opens within seconds, and what green has acknowledged since comes later, without overwriting', async () => {
  const lab = await onGreenSide('forced');
  await lab.onGreen("INSERT INTO t VALUES (101, 'late'); UPDATE t SET v = 'late on green' WHERE id = 2; UPDATE t SET v = 'green alone' WHERE id = 3; DELETE FROM t WHERE id = 4; INSERT INTO t VALUES (102, 'same')");
  await lab.green.stop('immediate');
  const pulse = new Pulse(lab.blue);
  const answer = await lab.cutover({ ...PLAIN, seconds: 60 }, true);
  const took = await pulse.stop();
  assert.deepEqual([answer.status, answer.writer, answer.already], ['forced', 'blue', false]);
  assert.match(answer.blueHas.until, /^20\d\d-/);
  assert.ok(took < 12_000, `${took} ms`);
  await lab.onBlue("UPDATE t SET v = 'later on blue' WHERE id = 2; INSERT INTO t VALUES (103, 'blue'), (102, 'same')");
  const again = await lab.cutover({ ...PLAIN, seconds: 20 }, true);
  assert.deepEqual([again.status, again.writer, again.already], ['forced', 'blue', true]);
  await lab.green.start();
  await lab.onGreen("INSERT INTO t VALUES (104, 'nobody has told green')");
  await lab.runBack(PLAIN);
  await assert.rejects(lab.onGreen("INSERT INTO t VALUES (105, 'x')"), { code: '25006' });
  assert.equal(await rowsOn(lab, 'onBlue'), '1=green 2=later on blue 3=blue 4=blue 100=in time 101=late 102=same 103=blue 104=nobody has told green');
  assert.equal((await lab.onBlue('SELECT count(*)::int AS n FROM payment_migration.quarantine')).rows[0].n, 3); // 2, 3 and 4 are for a person to decide
  await lab.untilSynced(PLAIN);
  assert.equal(await rowsOn(lab, 'onGreen'), '1=green 2=later on blue 3=green alone 100=in time 101=late 102=same 103=blue 104=nobody has told green');
  const verdict = await lab.verify(PLAIN);
  assert.deepEqual([verdict.verdict, verdict.mismatches], ['different', 2], JSON.stringify(verdict));
  await lab.onBlue("UPDATE t SET v = 'decided' WHERE id IN (3, 4)");
  await lab.untilSynced(PLAIN);
  assert.equal((await lab.verify(PLAIN)).mismatches, 0);
  assert.equal((await lab.sides(PLAIN)).writer, 'blue');
});

test('a cutover that was killed after the other side was opened for a while: its writes come over without overwriting, and the next one is whole', async () => {
  const lab = await onGreenSide('lapsed');
  await lab.cutover(PLAIN, true);
  await lab.runBack(PLAIN);
  // As a killed call leaves it: green open for a moment, blue closed until a little later.
  const [green, blue] = [await open(lab.invocation(PLAIN), 'target'), await open(lab.invocation(PLAIN), 'source')];
  await green.run('SET session_replication_role = origin');
  const [moment] = /** @type {[string]} */ (await green.row('SELECT clock_timestamp()'));
  await setFence(green, STATES.openUntil(moment, 60_000));
  await lab.onGreen("INSERT INTO t VALUES (200, 'lease'); UPDATE t SET v = 'lease' WHERE id = 2");
  await setFence(green, STATES.openUntil(moment, 0)); // the moment is over
  await assert.rejects(lab.onGreen("INSERT INTO t VALUES (201, 'x')"), { code: '25006' });
  await lab.onBlue("UPDATE t SET v = 'blue goes on' WHERE id = 2; UPDATE t SET v = 'blue too' WHERE id = 1");
  await lab.runBack(PLAIN);
  await lab.untilSynced(PLAIN);
  for (const side of /** @type {const} */ (['onBlue', 'onGreen'])) assert.equal(await rowsOn(lab, side), '1=blue too 2=blue goes on 3=blue 4=blue 100=in time 200=lease');
  assert.equal((await lab.onBlue('SELECT count(*)::int AS n FROM payment_migration.quarantine')).rows[0].n, 1);
  assert.equal((await lab.sides(PLAIN)).fences.green.lapsed, false);
  await lab.verify(PLAIN);
  assert.equal((await lab.cutover(PLAIN)).writer, 'green');
  for (const session of [green, blue]) await session.close();
});

/**
 * As a call that was killed in the middle leaves both sides: blue closed for a time or for good, green open for a moment.
 * @param {Lab} lab @param {string} blueState @param {number} leaseMs
 */
async function interrupted(lab, blueState, leaseMs) {
  const [green, blue] = [await open(lab.invocation(PLAIN), 'target'), await open(lab.invocation(PLAIN), 'source')];
  const [row] = await blue.rows("SELECT 'public.t'::regclass::oid");
  await raiseFence(blue, [{ oid: Number(row?.[0]) }], { state: blueState, pair: 'nobody', marker: randomUUID(), allows: () => true });
  const [moment] = /** @type {[string]} */ (await green.row('SELECT clock_timestamp()'));
  await setFence(green, STATES.openUntil(moment, leaseMs));
  for (const session of [green, blue]) await session.close();
}

for (const [what, state] of /** @type {[string, string][]} */ ([['before', STATES.closedFor(120)], ['after', STATES.closed]]))
  test(`a cutover that was killed ${what} blue was closed for good is finished while green is open: verify waits for that, and nothing is contested`, async () => {
    const lab = await onGreenSide(`killed_${what}`);
    await lab.cutover(PLAIN, true);
    await lab.untilSynced(PLAIN);
    await interrupted(lab, state, 110_000);
    await lab.onGreen("INSERT INTO t VALUES (200, 'lease'); UPDATE t SET v = 'lease' WHERE id = 2");
    const verdict = await lab.verify(PLAIN);
    assert.deepEqual([verdict.ok, verdict.verdict, verdict.notCompared], [false, 'incomplete', ['public.t']]);
    assert.match(verdict.problems.join(), /a cutover is under way or was interrupted/);
    const answer = await lab.cutover(PLAIN);
    assert.deepEqual([answer.writer, answer.already, answer.refusedMs], ['green', false, null]);
    await lab.onGreen("UPDATE t SET v = 'green goes on' WHERE id = 2");
    await lab.runBack(PLAIN);
    await lab.untilSynced(PLAIN);
    for (const side of /** @type {const} */ (['onBlue', 'onGreen'])) assert.equal(await rowsOn(lab, side), '1=green 2=green goes on 3=blue 4=blue 100=in time 200=lease');
    const after = await lab.verify(PLAIN);
    assert.deepEqual([after.verdict, after.writer], ['equal', 'green'], JSON.stringify(after));
  });

test('a cutover that was killed and not called again: verify brings over what green has written meanwhile', async () => {
  const lab = await onGreenSide('not_again');
  await lab.cutover(PLAIN, true);
  await lab.untilSynced(PLAIN);
  await interrupted(lab, STATES.closedFor(120), 110_000);
  await lab.onGreen("INSERT INTO t VALUES (200, 'lease')");
  const [green, blue] = [await open(lab.invocation(PLAIN), 'target'), await open(lab.invocation(PLAIN), 'source')];
  await setFence(green, STATES.openUntil('2026-01-01', 0)); // both times are over
  await setFence(blue, STATES.closedFor(0));
  for (const session of [green, blue]) await session.close();
  await lab.onBlue("INSERT INTO t VALUES (201, 'blue')");
  const verdict = await lab.verify(PLAIN);
  assert.deepEqual([verdict.verdict, verdict.writer], ['equal', 'blue'], JSON.stringify(verdict));
  assert.equal((await lab.cutover(PLAIN)).writer, 'green');
});

test('what is closed for a time is closed for good only while it is closed', async () => {
  const lab = await onGreenSide('for_good');
  const blue = await open(lab.invocation(PLAIN), 'source');
  const roots = [{ oid: Number((await blue.row("SELECT 'public.t'::regclass::oid"))[0]) }];
  const state = async () => (await readFence(blue, roots)).state;
  await setFence(blue, STATES.closedFor(60));
  assert.deepEqual([await closeForGood(blue), await state(), await closeForGood(blue)], [true, 'closed', true]);
  await setFence(blue, STATES.closedFor(0.3)); // it could open before anybody sees the change
  assert.equal(await closeForGood(blue), false);
  while ((await state()) !== 'open') await sleep(20);
  assert.equal(await closeForGood(blue), false);
  assert.equal(await state(), 'open');
  await blue.close();
});
