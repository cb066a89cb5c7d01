/** The way back from every step of a cutover when green's database is gone: crashed, or alive without a word. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { cutover } from '../../src/control/cutover.mjs';
import { isSilence } from '../../src/control/watch.mjs';
import { TransientError } from '../../src/lib/errors.mjs';
import { STATES, raiseFence, setFence } from '../../src/sync/fence.mjs';
import { open } from '../../src/sync/context.mjs';
import { PLAIN } from '../support/cases.mjs';
import { atLine } from '../support/hooks.mjs';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { Pulse } from '../support/pulse.mjs';

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '40', max_wal_senders: '40' })));
after(() => servers.remove());

/** What control waits for green at most, and what the rest may take on a busy machine. */
const WAITED_MS = 5_000;
const REST_MS = 1_500;

/**
 * Blue's fence as an interrupted call leaves it, and green's.
 * @param {Lab} lab @param {string} blueState @param {number} [greenOpenMs]
 */
async function interrupted(lab, blueState, greenOpenMs) {
  const [green, blue] = [await open(lab.invocation(PLAIN), 'target'), await open(lab.invocation(PLAIN), 'source')];
  const [row] = await blue.rows("SELECT 'public.t'::regclass::oid");
  await raiseFence(blue, [{ oid: Number(row?.[0]) }], { state: blueState, pair: 'nobody', marker: randomUUID(), allows: () => true });
  const [moment] = /** @type {[string]} */ (await green.row('SELECT clock_timestamp()'));
  if (greenOpenMs !== undefined) await setFence(green, STATES.openUntil(moment, greenOpenMs));
  for (const session of [green, blue]) await session.close();
}

/** @param {string} name */
async function prepared(name) {
  const lab = await servers.fresh(name, 'CREATE TABLE t (id int PRIMARY KEY, v text)');
  await lab.onBlue("INSERT INTO t SELECT i, 'blue' FROM generate_series(1, 9) i");
  await lab.untilSynced(PLAIN);
  await lab.prepare(PLAIN);
  assert.equal((await lab.verify(PLAIN)).verdict, 'equal');
  return lab;
}

/** The steps after which something can happen to green. @type {Record<string, (lab: Lab) => Promise<unknown>>} */
const STEPS = {
  'prepared and verified': async () => {},
  'the fence is raised': (lab) => interrupted(lab, STATES.closedFor(10)),
  'green is open for a moment': (lab) => interrupted(lab, STATES.closedFor(10), 9_000),
  'blue is closed for good': (lab) => interrupted(lab, STATES.closed, 9_000),
  'green takes the writes': async (lab) => {
    await lab.cutover(PLAIN);
    await lab.onGreen("INSERT INTO t VALUES (100, 'in time')");
    await lab.runBack(PLAIN);
  },
};

for (const [step, reach] of Object.entries(STEPS))
  for (const death of /** @type {const} */ (['crashed', 'frozen']))
    test(`${step}, green is ${death}: blue takes the writes within seconds, and has what was acknowledged`, { timeout: 120_000 }, async () => {
      const lab = await prepared(`gone_${Object.keys(STEPS).indexOf(step)}_${death}`);
      await reach(lab);
      const thaw = death === 'frozen' ? lab.green.freeze() : undefined;
      if (thaw === undefined) await lab.green.stop('immediate');
      const pulse = new Pulse(lab.blue);
      try {
        const answer = await lab.cutover({ ...PLAIN, seconds: 60 }, true);
        assert.deepEqual([answer.status, answer.writer], ['forced', 'blue']);
        const took = await pulse.stop();
        await lab.onBlue("INSERT INTO t VALUES (50, 'after')");
        assert.ok(took < WAITED_MS + REST_MS, `${took.toFixed(0)} ms`);
      } finally {
        if (thaw === undefined) await lab.green.start();
        else thaw();
      }
      await lab.runBack(PLAIN);
      await lab.untilSynced(PLAIN);
      await assert.rejects(lab.onGreen("INSERT INTO t VALUES (105, 'x')"), { code: '25006' });
      const rows = (await lab.onBlue('SELECT id FROM t ORDER BY id')).rows.map((/** @type {{id: number}} */ { id }) => id);
      assert.deepEqual(rows, [1, 2, 3, 4, 5, 6, 7, 8, 9, 50, ...(step === 'green takes the writes' ? [100] : [])]);
      assert.equal((await lab.verify(PLAIN)).verdict, 'equal');
    });

const ROWS = 2_000;

/**
 * Green falls silent while something of ours is at work: `work` resolves when it has, to what ends the work and lets green go on.
 * @param {string} name @param {(lab: Lab) => Promise<{thaw: () => void, ending: Promise<unknown>}>} work
 */
async function silenced(name, work) {
  const lab = await prepared(name);
  await lab.cutover(PLAIN);
  await lab.onGreen(`INSERT INTO t SELECT i, 'green' FROM generate_series(1001, ${1000 + ROWS}) i`);
  const { thaw, ending } = await work(lab);
  const pulse = new Pulse(lab.blue);
  try {
    const answer = await lab.cutover({ ...PLAIN, seconds: 60 }, true);
    assert.equal(answer.status, 'forced');
    const took = await pulse.stop();
    await lab.onBlue("INSERT INTO t VALUES (50, 'after')");
    assert.ok(took < WAITED_MS + 2 * REST_MS, `${took.toFixed(0)} ms`);
  } finally {
    thaw();
  }
  await ending;
  await lab.runBack(PLAIN);
  await lab.untilSynced(PLAIN);
  assert.equal((await lab.onBlue('SELECT count(*)::int AS n FROM t')).rows[0].n, 9 + ROWS + 1);
  assert.equal((await lab.verify(PLAIN)).verdict, 'equal');
}

test('a run that hangs, since green has fallen silent, holds the lock of blue: it is ended', { timeout: 120_000 }, () =>
  silenced('holder', async (lab) => {
    // It has the lock, and stops itself before it reads.
    const { child, stopped, ended } = lab.spawn('run', { ...PLAIN, seconds: 12 }, { back: true, halt: { line: 'the slot', signal: 'SIGSTOP' } });
    await stopped();
    const thaw = lab.green.freeze();
    child.kill('SIGCONT');
    return { thaw, ending: ended };
  }));

test('green falls silent in the middle of the way back', { timeout: 120_000 }, () =>
  silenced('middle', async (lab) => {
    const { thaw, ending } = await falling(lab, true);
    return { thaw, ending: ending.then((/** @type {any} */ { writer }) => assert.equal(writer, 'blue')) };
  }));

/** Green falls silent when the fence is raised, before its stream or blue's is read up to there. @param {Lab} lab @param {boolean} reverse @returns {Promise<{thaw: () => void, ending: Promise<any>}>} */
async function falling(lab, reverse) {
  /** @type {(thaw: () => void) => void} */
  let fallen = () => {};
  const silent = /** @type {Promise<() => void>} */ (new Promise((resolve) => (fallen = resolve)));
  const invocation = atLine(lab.invocation({ ...PLAIN, seconds: 60 }), /^the fence is raised$/, () => fallen(lab.green.freeze()));
  const ending = cutover(invocation, reverse);
  ending.catch(() => {}); // thrown where it is awaited
  return { thaw: await Promise.race([silent, ending.then(() => assert.fail('it has ended'))]), ending };
}

test('green falls silent in the middle of a cutover: blue goes on taking the writes, and the answer comes within seconds', { timeout: 120_000 }, async () => {
  const lab = await prepared('forth');
  await lab.onBlue(`INSERT INTO t SELECT i, 'blue' FROM generate_series(1001, ${1000 + ROWS}) i`);
  const { thaw, ending } = await falling(lab, false);
  const pulse = new Pulse(lab.blue);
  try {
    await assert.rejects(ending, { message: /** @type {any} */ (/^green: /) });
    const took = await pulse.stop();
    assert.ok(took < WAITED_MS + 2 * REST_MS, `${took.toFixed(0)} ms`);
    await lab.onBlue("INSERT INTO t VALUES (50, 'after')");
  } finally {
    thaw();
  }
  await lab.untilSynced(PLAIN);
  assert.equal((await lab.verify(PLAIN)).verdict, 'equal');
  assert.equal((await lab.cutover(PLAIN)).writer, 'green');
});

test('a green that refuses a connection is there; one that refuses because it starts or ends is not', () => {
  const refused = (/** @type {string | undefined} */ sqlstate, /** @type {string} */ code, side = 'green') => new TransientError(code, `${side}: refused`, { sqlstate });
  for (const sqlstate of ['57P01', '57P02', '57P03']) assert.ok(isSilence(refused(sqlstate, 'DATABASE_TRANSIENT')), sqlstate);
  for (const code of ['ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND', 'CONNECTION_LOST']) assert.ok(isSilence(refused(undefined, code)), code);
  for (const sqlstate of ['53300', '40001']) assert.ok(!isSilence(refused(sqlstate, 'DATABASE_TRANSIENT')), sqlstate);
  assert.ok(!isSilence(refused('28P01', 'DATABASE_REFUSED')));
  assert.ok(!isSilence(refused(undefined, 'AWS_TRANSIENT')) && !isSilence(new Error('x')) && !isSilence(refused(undefined, 'CONNECTION_LOST', 'blue')));
});
