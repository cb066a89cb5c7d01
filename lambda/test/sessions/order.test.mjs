/** Who wins: blue's stream in its own order (kinds of fault S1, S2, S3, S5), until green's application writes too. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { DONE, Lab, record, session } from '../support/sessions-lab.mjs';

/** @type {Lab} */
let lab;
/** @type {import('../support/sessions-lab.mjs').Pair} */
let pair;
before(async () => void (lab = await Lab.start()));
after(() => lab?.moto.stop());
beforeEach(async () => void (pair = await lab.tables()));

const FIRST = { expires_at: { N: '9000000000' } };

test('green follows blue through writes whose attributes go back or change', async () => {
  /** @type {[string, (Record<string, any> | undefined)[]][]} */
  const cases = [
    ['a new session over one that had expired: versions begin again', [session(7, 1000), session(1, 2000)]],
    ['login after logout on a node whose clock is behind', [session(5, 1000), undefined, session(1, 999)]],
    ['login after logout with version and time behind', [session(5, 1000), undefined, session(4, 500)]],
    ['two lives within one second', [session(5, 1000), undefined, session(5, 1000), undefined, session(1, 1000)]],
    ['an old node writes without version', [session(3, 1000), session(undefined, 1010)]],
    ['and without both', [session(3, 1000), session(undefined, undefined)]],
    ['and a new one with version again', [session(3, 1000), session(undefined, 990), session(1, 980)]],
    ['the time becomes a text', [session(undefined, 1767323045), session(undefined, '2026-01-02T03:04:05Z')]],
    ['and a number again', [session(undefined, '2026-01-02T03:04:05Z'), session(undefined, 1)]],
    ['the version becomes a text', [session(12, 5), session(undefined, 4, { version: { S: 'v2' } })]],
    ['version and time become maps and flags', [session(12, 5), session(undefined, undefined, { version: { M: {} }, updated_at: { BOOL: true } })]],
    ['none of the attributes at all', [session(undefined, undefined, { n: { N: '1' } }), session(undefined, undefined, { n: { N: '2' } }), undefined, session(undefined, undefined, { n: { N: '3' } })]],
    ['the expiry goes back', [session(1, 1, FIRST), session(1, 1, { expires_at: { N: '8000000000' } })]],
    ['deleted with an older version than green has seen', [session(9, 9), session(1, 1), undefined]],
    ['attributes go', [session(1, 1, { cart: { L: [{ M: { n: { N: '1' } } }] }, tags: { SS: ['b', 'a'] } }), session(1, 1)]],
  ];
  for (const [what, states] of cases) {
    for (const inOneBatch of [true, false]) {
      pair = await lab.tables();
      for (const state of states) {
        await (state === undefined ? pair.remove() : pair.put(state));
        if (!inOneBatch) assert.deepEqual(await pair.replicate(), DONE, what);
      }
      assert.deepEqual(await pair.replicate(), DONE, what);
      assert.deepEqual(await pair.get(), await pair.get(undefined, pair.blue), what);
      const records = inOneBatch ? await pair.records() : [];
      for (const again of [records, ...records.map((one) => [one])]) assert.deepEqual(await pair.run(again), DONE, what);
      assert.deepEqual(await pair.get(), await pair.get(undefined, pair.blue), `${what}, and all again`);
    }
  }
});

test('an attribute that is both time and TTL, after a logout', async () => {
  const environment = { TIME_ATTRIBUTE: 'expires_at', TTL_ATTRIBUTE: 'expires_at' };
  const now = Math.floor(Date.now() / 1000);
  const at = (/** @type {number} */ seconds) => session(undefined, undefined, { expires_at: { N: String(now + seconds) } });
  for (const [i, state] of [at(1800), undefined, at(1860), undefined, at(60)].entries()) {
    await (state === undefined ? pair.remove() : pair.put(state));
    assert.deepEqual(await pair.run((await pair.records()).slice(i), { environment }), DONE);
    assert.deepEqual(await pair.get(), state);
  }
});

test('a record that was discarded and is replayed does no harm', async () => {
  const [one, two] = [session(5, 1000), session(1, 1100)];
  const records = [record('INSERT', 1, undefined, one), record('REMOVE', 2, one, undefined), record('INSERT', 3, undefined, two)];
  for (const order of [[0, 2, 1], [0, 2, 0, 1], [2, 1, 0], [2, 0, 1], [1, 0, 2], [1, 2, 0]]) {
    pair = await lab.tables();
    for (const i of order) assert.deepEqual(await pair.run([records[i]]), DONE);
    assert.deepEqual(await pair.get(), two, order.join());
  }
  // A put that was discarded: the next change carries the whole session.
  pair = await lab.tables();
  const three = session(2, 1200);
  for (const one of [records[0], records[1], record('MODIFY', 4, two, three), records[2]]) assert.deepEqual(await pair.run([one]), DONE);
  assert.deepEqual(await pair.get(), three);
  // A deletion that was discarded and comes again after the next life has ended too.
  for (const one of [record('REMOVE', 5, three, undefined), records[1], record('MODIFY', 4, two, three)]) assert.deepEqual(await pair.run([one]), DONE);
  assert.equal(await pair.get(), undefined);
});

test('numbers of a new stream may be lower: the label of the stream tells', async () => {
  const stream = (/** @type {string} */ label) => ({ eventSourceARN: `arn:aws:dynamodb:eu-central-1:123456789012:table/blue/stream/${label}` });
  const [old, fresh] = [stream('2026-01-01T00:00:00.000'), stream('2026-01-02T00:00:00.000')];
  await pair.run([record('INSERT', 900, undefined, session(1, 1), old), record('REMOVE', 901, session(1, 1), undefined, old)]);
  assert.deepEqual(await pair.run([record('INSERT', 100, undefined, session(1, 2), fresh)]), DONE);
  assert.deepEqual(await pair.get(), session(1, 2));
  await pair.run([record('REMOVE', 902, session(1, 1), undefined, old), record('INSERT', 950, undefined, session(9, 9), old)]);
  assert.deepEqual(await pair.get(), session(1, 2));
});

test('what green has ended stays ended until blue begins a new session', async () => {
  await pair.put(session(1, 1000));
  await pair.replicate();
  await pair.put(session(2, 1001));
  await pair.put(session(9, 1500), pair.green);
  await pair.remove(undefined, pair.green);
  assert.deepEqual(await pair.replicate(), DONE); // the put of before the logout
  assert.equal(await pair.get(), undefined);
  await pair.put(session(10, 1600));
  await pair.run(await pair.records()); // and all of them again, with one more touch
  await pair.replicate();
  assert.equal(await pair.get(), undefined);
  await pair.remove();
  await pair.put(session(1, 1700));
  await pair.replicate();
  assert.deepEqual(await pair.get(), session(1, 1700));
});

test('a new session that blue writes over the old one comes to green, where the old one was ended', async () => {
  await pair.run([record('INSERT', 1, undefined, session(7, 1000))]);
  await pair.remove(undefined, pair.green);
  await pair.run([record('MODIFY', 2, session(7, 1000), session(8, 1001))]);
  assert.equal(await pair.get(), undefined);
  await pair.run([record('MODIFY', 3, session(8, 1001), session(1, 2000))]);
  assert.deepEqual(await pair.get(), session(1, 2000));
});

test('a batch that comes again does not bring back what green has ended', async () => {
  for (const more of [{}, { n: { N: '1' } }]) {
    pair = await lab.tables();
    const records = [record('INSERT', 1, undefined, session(undefined, undefined, more)), record('MODIFY', 2, session(undefined, undefined, more), session(2, undefined, more))];
    await pair.run(records);
    await pair.remove(undefined, pair.green);
    assert.deepEqual(await pair.run(records), DONE);
    assert.equal(await pair.get(), undefined);
  }
});

test("what green's TTL may have removed is no logout: a session that blue prolonged in time is written", async () => {
  const now = Math.floor(Date.now() / 1000);
  const until = (/** @type {number} */ version, /** @type {number} */ seconds) => session(version, 1, { expires_at: { N: String(now + seconds) } });
  for (const [was, comes] of /** @type {[number, boolean][]} */ ([[-60, true], [600, false], [-6 * 365 * 86_400, false]])) {
    pair = await lab.tables();
    await pair.run([record('INSERT', 1, undefined, until(1, was))]);
    await pair.remove(undefined, pair.green);
    await pair.run([record('MODIFY', 2, until(1, was), until(2, 1800))]);
    assert.equal((await pair.get()) !== undefined, comes, String(was));
  }
});

test("when green's application has written too, the later one stays", async () => {
  const iso = (/** @type {string} */ time) => session(undefined, time);
  /** green's, blue's, who stays @type {[Record<string, any>, Record<string, any>, 'green' | 'blue'][]} */
  const cases = [
    [session(5, 1), session(4, 9), 'green'], [session(4, 9), session(5, 1), 'blue'], [session(5, 8), session(5, 7), 'green'], [session(5, 7), session(5, 8), 'blue'],
    [session(5, 7, { by: { S: 'green' } }), session(5, 7), 'blue'],
    [session(10, 1), session(9, 2), 'green'],
    [session(5, 1500), session(undefined, 1400), 'green'], [session(5, 1500), session(undefined, 1600), 'blue'],
    [session(undefined, 1500), session(5, 1400), 'green'],
    [iso('2026-01-02T03:04:05Z'), iso('2026-01-02T04:04:04+01:00'), 'green'], [iso('2026-01-02T03:04:05Z'), iso('2026-01-02T02:04:06-01:00'), 'blue'],
    [iso('2026-01-02T03:04:05.1Z'), iso('2026-01-02T03:04:05.09Z'), 'green'], [iso('2026-01-02T03:04:05Z'), iso('2026-01-02T03:04:05.000001Z'), 'blue'],
    [iso('9'), iso('10'), 'blue'], [iso('10'), iso('9'), 'green'],
    [session(1, 1, { expires_at: { N: '9000000000' } }), session(1, 1, { expires_at: { N: '5000000000' } }), 'green'],
    [session(undefined, undefined, { expires_at: { N: '9000000000' } }), session(undefined, undefined, { expires_at: { N: '9000000001' } }), 'blue'],
    [{ ...session(undefined, 1), version: { N: '123456789012345678901234567890123456789e-1' } }, { ...session(undefined, 2), version: { N: '12345678901234567890123456789012345678.8' } }, 'green'],
  ];
  for (const [green, blue, stays] of cases) {
    for (const replicated of [true, false]) {
      pair = await lab.tables();
      if (replicated) await pair.run([record('INSERT', 1, undefined, session(0, 0))]);
      await pair.put(green, pair.green);
      const was = await pair.get();
      assert.deepEqual(await pair.run([record(replicated ? 'MODIFY' : 'INSERT', 2, replicated ? session(0, 0) : undefined, blue)]), DONE);
      assert.deepEqual(await pair.get(), stays === 'green' ? was : blue, JSON.stringify([green, blue]));
      // Blue's deletion of what is later on green leaves it; otherwise it ends.
      assert.deepEqual(await pair.run([record('REMOVE', 3, blue, undefined)]), DONE);
      assert.deepEqual(await pair.get(), stays === 'green' ? was : undefined, JSON.stringify([green, blue]));
    }
  }
});

test('what cannot be compared is refused by name, and never taken for older', async () => {
  /** @type {[Record<string, any>, Record<string, any>, RegExp][]} */
  const cases = [
    [session(undefined, '2026-01-02T03:04:05Z'), session(undefined, 1767323045), /updated_at \(TIME_ATTRIBUTE\) is an ISO 8601 time on green and a number in blue's change/],
    [session(undefined, '2026-01-02T03:04:05'), session(undefined, '2026-01-02T03:04:05Z'), /an ISO 8601 time without a zone on green/],
    [session(undefined, 'Fri, 02 Jan 2026'), session(undefined, 'Thu, 01 Jan 2026'), /a text that is no ISO 8601 time/],
    [session(1, undefined), session(undefined, 2), /none of the attributes/],
    [session(undefined, undefined, { n: { N: '1' } }), session(undefined, undefined, { n: { N: '2' } }), /none of the attributes/],
    [{ ...session(undefined, undefined), version: { S: 'abc' } }, { ...session(undefined, undefined), version: { S: 'abd' } }, /version \(VERSION_ATTRIBUTE\) is a text/],
    [{ ...session(undefined, undefined, FIRST), version: { BOOL: true } }, { ...session(1, undefined), expires_at: { N: '1' } }, /neither a number nor a text on green and a number/],
  ];
  for (const [green, blue, why] of cases) {
    for (const [eventName, old, fresh] of /** @type {const} */ ([['INSERT', undefined, blue], ['REMOVE', blue, undefined]])) {
      pair = await lab.tables();
      await pair.put(green, pair.green);
      assert.deepEqual(await pair.run([record(eventName, 7, old, fresh)]), { batchItemFailures: [{ itemIdentifier: '7' }] });
      assert.match(pair.lines.join('\n'), /"code":"NOT_COMPARABLE"/);
      assert.match(pair.lines.join('\n'), why);
      assert.deepEqual(await pair.get(), green);
    }
  }
});

test("blue's TTL never ends what green has prolonged, also on a replica that does not say it was TTL, and never holds the stream", async () => {
  const now = Math.floor(Date.now() / 1000);
  const ttl = { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } };
  const until = (/** @type {number} */ seconds, /** @type {Record<string, any>} */ more = {}) => session(undefined, undefined, { expires_at: { N: String(now + seconds) }, ...more });
  /** @type {[Record<string, any>, Record<string, any>, boolean][]} */
  const cases = [
    [until(900), until(-5), true],
    [until(-5), until(-5), false],
    [session(1, 1, { expires_at: { N: String(now + 900) } }), session(2, 1, { expires_at: { N: String(now - 5) } }), true],
    [session(1, 1, { expires_at: { N: String(now - 9) } }), session(2, 1, { expires_at: { N: String(now - 5) } }), false],
    [session(1, undefined), session(undefined, 2, { expires_at: { N: String(now - 5) } }), true],
    [session(4, 9), session(4, 9, { expires_at: { N: String(now - 5) } }), true],
    [session(4, 9, { expires_at: { S: 'never' } }), session(4, 9, { expires_at: { N: String(now - 5) } }), true],
  ];
  for (const [green, blue, stays] of cases) {
    for (const more of [ttl, {}]) {
      pair = await lab.tables();
      await pair.put(green, pair.green);
      const removal = record('REMOVE', 7, blue, undefined, more);
      assert.deepEqual(await pair.run([{ ...removal, dynamodb: { ...removal.dynamodb, ApproximateCreationDateTime: now } }]), DONE);
      assert.equal((await pair.get()) !== undefined, stays, JSON.stringify([green, blue]));
    }
  }
});
