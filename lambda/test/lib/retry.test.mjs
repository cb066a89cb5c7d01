import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from '../../src/lib/deadline.mjs';
import { PermanentError, TransientError } from '../../src/lib/errors.mjs';
import { retry } from '../../src/lib/retry.mjs';

/** A clock that only moves when somebody sleeps. @param {number[]} draws */
function fakeClock(draws = []) {
  const clock = {
    time: 1_000_000,
    /** @type {number[]} */
    pauses: [],
    now: () => clock.time,
    sleep: async (/** @type {number} */ ms) => {
      clock.pauses.push(ms);
      clock.time += ms;
    },
    random: () => draws.shift() ?? 1,
  };
  return clock;
}

const transient = () => new TransientError('CONNECTION_LOST', 'the connection was lost');

/** @param {ReturnType<typeof fakeClock>} clock @param {number} failures @param {object} [options] @param {number} [ms] the time that is left */
function failing(clock, failures, options = {}, ms = 600_000) {
  const counted = { attempts: 0 };
  const work = async () => {
    counted.attempts += 1;
    if (counted.attempts <= failures) throw transient();
    return 'done';
  };
  return { counted, result: retry(work, { deadline: new Deadline(clock.now() + ms, clock), clock, ...options }) };
}

test('pauses double up to the cap, and chance takes a part of each (full jitter)', async () => {
  const upper = fakeClock();
  assert.equal(await failing(upper, 8).result, 'done');
  assert.deepEqual(upper.pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  const lower = fakeClock([0, 0.5, 0.25]);
  await failing(lower, 3).result;
  assert.deepEqual(lower.pauses, [0, 100, 100]);
});

test('attempts end', async () => {
  const clock = fakeClock();
  const { counted, result } = failing(clock, Infinity, { attempts: 4 });
  await assert.rejects(result, TransientError);
  assert.equal(counted.attempts, 4);
});

test('no pause goes beyond the deadline: the total fits into the time of the invocation', async () => {
  for (const left of [0, 1, 250, 699, 701, 5_000]) {
    const clock = fakeClock();
    const started = clock.now();
    await assert.rejects(failing(clock, Infinity, { attempts: 100 }, left).result, TransientError);
    assert.ok(clock.now() - started <= left, `${left}`);
  }
  const clock = fakeClock();
  await assert.rejects(failing(clock, Infinity, { attempts: 100 }, 701).result);
  assert.deepEqual(clock.pauses, [100, 200, 400]);
});

test('an attempt that the end of the time has cut off says less than the one before it', async () => {
  for (const [code, told] of /** @type {const} */ ([['CONNECTION_LOST', 'READER'], ['TIME_ENDED', 'READER'], ['DATABASE_TRANSIENT', 'DATABASE_TRANSIENT']])) {
    const clock = fakeClock();
    const work = async (/** @type {number} */ attempt) => {
      if (attempt === 1) throw new TransientError('READER', 'the server takes no writes');
      clock.time += 10_000;
      throw new TransientError(code, 'no answer');
    };
    await assert.rejects(retry(work, { deadline: new Deadline(clock.now() + 5_000, clock), clock }), { code: told });
  }
});

test('a permanent error fails at once', async () => {
  const clock = fakeClock();
  let attempts = 0;
  const wrong = new PermanentError('MAPPING', 'no');
  await assert.rejects(retry(async () => { attempts += 1; throw wrong; }, { deadline: new Deadline(clock.now() + 1e6, clock), clock }), wrong);
  assert.equal(attempts, 1);
  assert.deepEqual(clock.pauses, []);
});

test('whatever is thrown leaves as one of our errors', async () => {
  const clock = fakeClock();
  await assert.rejects(retry(async () => { throw new TypeError('secret 4111111111111111'); }, { deadline: new Deadline(clock.now() + 1e6, clock), clock }), (/** @type {any} */ error) => error instanceof PermanentError && error.code === 'INTERNAL' && !error.message.includes('4111'));
});

test('each retry is told, with the pause', async () => {
  const clock = fakeClock();
  /** @type {unknown[]} */
  const told = [];
  await failing(clock, 2, { onRetry: (/** @type {any} */ error, /** @type {number} */ attempt, /** @type {number} */ pause) => told.push([error.code, attempt, pause]) }).result;
  assert.deepEqual(told, [['CONNECTION_LOST', 1, 100], ['CONNECTION_LOST', 2, 200]]);
});

test('the deadline comes from the context of the invocation, with a reserve', () => {
  const clock = fakeClock();
  const deadline = Deadline.of({ getRemainingTimeInMillis: () => 60_000 }, { reserveMs: 5_000, clock });
  assert.equal(deadline.remainingMs(), 55_000);
  clock.time += 54_000;
  assert.deepEqual([deadline.allows(1_000), deadline.allows(1_001)], [true, false]);
  clock.time += 10_000;
  assert.deepEqual([deadline.remainingMs(), deadline.allows()], [0, false]);
  assert.equal(Deadline.of({ getRemainingTimeInMillis: () => 3_000 }, { reserveMs: 5_000, clock }).remainingMs(), 1_500);
  assert.equal(Deadline.of(undefined, { reserveMs: 0, clock }).remainingMs(), 15 * 60_000);
});
