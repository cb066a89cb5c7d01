/** How much is read of blue at once follows from how long it took before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reading } from '../../src/sync/pace.mjs';
import { TUNING } from '../../src/sync/tuning.mjs';

test('no more changes are asked for than can be taken in the time of a reading, whatever one takes', () => {
  for (const perSecond of [200, 1_500, 10_000, 40_000, 70_000, 200_000]) {
    const reading = new Reading(TUNING);
    for (let i = 0; i < 4; i += 1) {
      const { changes } = reading;
      const ms = (changes / perSecond) * 1_000;
      const taken = Math.min(changes, (perSecond * TUNING.readMs) / 1_000);
      if (i > 0) assert.ok(ms <= TUNING.readMs || changes <= 5_000, `${perSecond} per second: ${changes} asked for`);
      reading.adapt(taken, Math.min(ms, TUNING.readMs));
    }
    const { changes } = reading;
    assert.ok(changes >= Math.min(TUNING.peekChanges, perSecond * 5) && changes <= TUNING.peekChanges, `${perSecond} per second: ${changes} asked for`);
  }
});

test('a small bound is kept, and a time that has passed already asks for few', () => {
  const small = new Reading({ peekChanges: 500, readMs: 10_000 });
  assert.equal(small.changes, 500);
  small.adapt(500, 1);
  assert.equal(small.changes, 500);
  const late = new Reading({ ...TUNING, readMs: -1 });
  late.adapt(50_000, 0);
  assert.equal(late.changes, 5_000);
});
