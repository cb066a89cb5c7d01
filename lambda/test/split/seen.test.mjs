import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeenStates } from '../../src/split/seen.mjs';

const message = (/** @type {number} */ n) => JSON.stringify([`row ${n}`, `digest ${n}`]);

test('a state is known while the rows of its batch may follow, and of a transaction of any size few are kept', () => {
  const batch = 100;
  const seen = new SeenStates(batch);
  seen.add(message(0));
  seen.add(JSON.stringify(['row 0', 'another digest']));
  for (let n = 1; n < batch; n += 1) seen.add(message(n));
  for (let n = 0; n < 4; n += 1) {
    seen.pass(batch);
    assert.deepEqual(seen.of('row 0'), ['digest 0', 'another digest'], `${n}`);
  }
  for (let n = 0; n < 1_000 * batch; n += 1) {
    seen.add(message(n));
    assert.deepEqual(seen.of(`row ${n}`).at(-1), `digest ${n}`);
    assert.ok(seen.recent.size + seen.older.size <= 10 * batch);
  }
  assert.deepEqual(seen.of('row 0'), []);
});
