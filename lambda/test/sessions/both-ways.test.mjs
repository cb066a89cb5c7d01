/** Sessions in both directions at once: sessions on blue's stream and sessions-reverse on green's. A change ends after one hop, and both tables end equal. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DONE, Lab, Pair, session } from '../support/sessions-lab.mjs';
import { randomFrom } from '../support/writers.mjs';

/** @type {Lab} */
let lab;
before(async () => void (lab = await Lab.start()));
after(() => lab.moto.stop());

/** Both functions on a pair of tables. */
async function bothWays() {
  const forward = await lab.tables({ session_id: 'S' }, { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } });
  const { Table } = await lab.client.send(new DescribeTableCommand({ TableName: forward.green }));
  return { forward, back: new Pair(lab, forward.green, forward.blue, Table?.LatestStreamArn ?? '') };
}

const byId = (/** @type {any[]} */ items) => Object.fromEntries(items.map((item) => [item['session_id'].S, item]));

/** Until neither stream has anything new. @param {{forward: Pair, back: Pair}} pair */
async function untilQuiet({ forward, back }) {
  for (let hops = 0; hops < 10; hops += 1) {
    const before = [forward.read, back.read];
    assert.deepEqual([await forward.replicate(), await back.replicate()], [DONE, DONE]);
    if (forward.read === before[0] && back.read === before[1]) return hops;
  }
  throw new Error('the changes go round for ever');
}

test('what one side writes, renews and ends is on the other side after one hop, and goes no further', async () => {
  const pair = await bothWays();
  const { forward, back } = pair;
  await forward.put(session(1, 100));
  assert.ok((await untilQuiet(pair)) <= 2);
  assert.deepEqual(await forward.all(), await back.all());
  await forward.put(session(2, 200), forward.green); // the user's next request went to green
  assert.ok((await untilQuiet(pair)) <= 2);
  assert.equal((await forward.get(undefined, forward.blue))?.['version'].N, '2');
  await forward.remove(undefined, forward.green); // a logout on green
  assert.ok((await untilQuiet(pair)) <= 2);
  assert.deepEqual([await forward.all(), await back.all()], [[], []]);
  await forward.put(session(1, 300)); // a new login on blue
  await untilQuiet(pair);
  assert.equal((await forward.get())?.['version'].N, '1');
  await forward.put(session(2, 310), forward.green);
  await untilQuiet(pair);
  assert.deepEqual(await forward.all(), await back.all());
});

test('both sides write the same session within the lag: the later one is on both', async () => {
  const pair = await bothWays();
  const { forward, back } = pair;
  await forward.put(session(1, 100));
  await untilQuiet(pair);
  await forward.put(session(2, 200, { from: { S: 'blue' } }));
  await forward.put(session(3, 190, { from: { S: 'green' } }), forward.green);
  await untilQuiet(pair);
  for (const table of [forward.blue, forward.green]) assert.equal((await forward.get(undefined, table))?.['from'].S, 'green');
  await forward.put(session(4, 400, { from: { S: 'blue' } }));
  await forward.put(session(4, 390, { from: { S: 'green' } }), forward.green);
  await untilQuiet(pair);
  for (const table of [forward.blue, forward.green]) assert.equal((await forward.get(undefined, table))?.['from'].S, 'blue');
  assert.deepEqual(await forward.all(), await back.all());
});

test('random writes on both sides, records that come twice, any pace: both tables end equal', async () => {
  const pair = await bothWays();
  const { forward, back } = pair;
  const random = randomFrom(20261128);
  let clock = 1_000;
  /** @type {Record<string, number>} */
  const versions = {};
  for (let step = 0; step < 80; step += 1) {
    const id = `s${random(4)}`;
    const table = random(2) === 0 ? forward.blue : forward.green;
    versions[id] = (versions[id] ?? 0) + 1; // an application gives versions that rise
    await forward.put(session(versions[id], (clock += 1 + random(5)), { session_id: { S: id }, n: { N: `${step}` } }), table);
    if (random(3) === 0) await forward.replicate();
    if (random(3) === 0) await back.replicate();
    if (random(5) === 0) for (const one of [forward, back]) await one.run((await one.records()).slice(Math.max(0, one.read - 3), one.read));
  }
  await untilQuiet(pair);
  const [blue, green] = [byId(await back.all()), byId(await forward.all())];
  assert.deepEqual(green, blue);
  for (const [id, version] of Object.entries(versions)) assert.equal(blue[id]?.['version'].N, `${version}`);
});
