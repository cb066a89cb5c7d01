/** The table of the function's own (kind of fault S4), keys of every kind, short timeouts (S6), names that the client loses (S7), and copy (S8). */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { CreateTableCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { readSessionsConfig } from '../../src/lib/config.mjs';
import { Deadline } from '../../src/lib/deadline.mjs';
import { Logger } from '../../src/lib/log.mjs';
import { Metrics } from '../../src/lib/metrics.mjs';
import { Checkpoints } from '../../src/sessions/checkpoints.mjs';
import { copySegment } from '../../src/sessions/copy.mjs';
import { canonical } from '../../src/sessions/item.mjs';
import { unchangedSince } from '../../src/sessions/write.mjs';
import { DONE, Lab, record, session } from '../support/sessions-lab.mjs';

/** @type {Lab} */
let lab;
/** @type {import('../support/sessions-lab.mjs').Pair} */
let pair;
before(async () => void (lab = await Lab.start()));
after(() => lab?.moto.stop());
beforeEach(async () => void (pair = await lab.tables()));

/** AWS refuses calls of one kind. @param {string} name of the command @param {string} error @param {(input: any) => boolean} [of] */
const refusing = (name, error, of = () => true) =>
  /** @type {any} */ ({
    send: (/** @type {any} */ command) =>
      command.constructor.name === `${name}Command` && of(command.input)
        ? Promise.reject(Object.assign(new Error('4111111111111111'), { name: error, $metadata: { httpStatusCode: 400 } }))
        : lab.client.send(command),
  });

test('keys of every type and length are written and deleted, and nothing but sessions is on green', async () => {
  /** @type {[Record<string, string>, Record<string, any>][]} */
  const keys = [
    [{ session_id: 'S' }, { session_id: { S: 'k'.repeat(2040) } }],
    [{ session_id: 'S' }, { session_id: { S: 'ü'.repeat(1024) } }],
    [{ session_id: 'N' }, { session_id: { N: '42' } }],
    [{ session_id: 'B' }, { session_id: { B: Buffer.from([0, 255, 7]) } }],
    [{ user: 'N', session_id: 'S' }, { user: { N: '5' }, session_id: { S: 'k'.repeat(1024) } }],
    [{ user: 'S', at: 'N' }, { user: { S: 'u' }, at: { N: '-1.5' } }],
    [{ user: 'B', at: 'B' }, { user: { B: Buffer.from([1]) }, at: { B: Buffer.from([2]) } }],
  ];
  for (const [shape, key] of keys) {
    pair = await lab.tables(shape);
    const image = { ...key, version: { N: '1' } };
    const change = (/** @type {string} */ eventName, /** @type {object} */ images) => ({ eventName, dynamodb: { Keys: key, SequenceNumber: eventName === 'INSERT' ? '1' : '2', ...images } });
    assert.deepEqual(await pair.run([change('INSERT', { NewImage: image })]), DONE, JSON.stringify(shape));
    assert.deepEqual((await pair.all()).map(canonical), [canonical(image)]);
    assert.deepEqual(await pair.run([change('REMOVE', { OldImage: image })]), DONE, JSON.stringify(shape));
    assert.deepEqual(await pair.all(), []);
  }
});

test("an application that lists a user's sessions, also by an index, sees sessions only", async () => {
  const key = (/** @type {string} */ id) => ({ user: { N: '5' }, session_id: { S: id } });
  pair = await lab.tables({ user: 'N', session_id: 'S' });
  for (const id of ['a', 'b']) await pair.put({ ...key(id), version: { N: '1' } });
  await pair.remove(key('a'));
  assert.deepEqual(await pair.replicate(), DONE);
  const query = { KeyConditionExpression: '#u = :u', ExpressionAttributeNames: { '#u': 'user' }, ExpressionAttributeValues: { ':u': { N: '5' } } };
  const { Items } = await lab.client.send(new QueryCommand({ TableName: pair.green, ...query }));
  assert.deepEqual(Items?.map((item) => item['session_id']?.S), ['b']);
});

test("green's index on a text that blue's sessions do not have takes their deletion", async () => {
  pair = await lab.tables();
  const green = `${pair.green}-indexed`;
  await lab.client.send(new CreateTableCommand({
    TableName: green, BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'session_id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'session_id', AttributeType: 'S' }, { AttributeName: 'updated_at', AttributeType: 'S' }],
    GlobalSecondaryIndexes: [{ IndexName: 'by-time', KeySchema: [{ AttributeName: 'updated_at', KeyType: 'HASH' }], Projection: { ProjectionType: 'ALL' } }],
  }));
  await pair.put(session(1, undefined));
  await pair.remove();
  assert.deepEqual(await pair.run(await pair.records(), { environment: { TARGET_TABLE: green } }), DONE);
  assert.deepEqual(await pair.all(green), []);
});

test('the table of its own is made once, by whoever comes first, and named when the role may not', async () => {
  const records = [record('INSERT', 1, undefined, session(1, 1))];
  await assert.doesNotReject(pair.run(records, { client: refusing('UpdateTimeToLive', 'AccessDeniedException') })); // TTL is on already
  pair = await lab.tables();
  assert.deepEqual(await pair.run(records, { client: refusing('CreateTable', 'AccessDeniedException') }), { batchItemFailures: [{ itemIdentifier: '1' }] });
  assert.match(pair.lines.join('\n'), /"code":"STATE_TABLE","message":"the table that STATE_TABLE names does not exist","hint":"create it with the partition key .*TTL on/);
  assert.equal(await pair.get(), undefined);
  const others = ['b', 'c', 'd'].map((id) => [{ eventName: 'INSERT', dynamodb: { Keys: { session_id: { S: id } }, SequenceNumber: '1', NewImage: { session_id: { S: id } } } }]);
  const answers = await Promise.all([records, ...others].map((batch) => pair.run(batch)));
  assert.deepEqual(answers, [DONE, DONE, DONE, DONE]);
  assert.equal((await pair.all(`${pair.green}-migration`)).length, 5); // one key for all of them
  await pair.run(others[0] ?? [], {});
  assert.equal((await pair.all(`${pair.green}-migration`)).length, 5);
});

test('a misspelt TARGET_TABLE makes no table', async () => {
  const more = { targetTable: 'nowhere', stateTable: 'nowhere-migration' };
  assert.deepEqual(await pair.run([record('INSERT', 1, undefined, session(1, 1))], more), { batchItemFailures: [{ itemIdentifier: '1' }] });
  assert.match(pair.lines.join('\n'), /ResourceNotFoundException.*TARGET_TABLE/);
  await assert.rejects(pair.all('nowhere-migration'), /ResourceNotFoundException|not found/);
});

test('the hash key of the secret is used, and another key than the first is refused', async () => {
  const stateTable = `${pair.green}-state`;
  const open = (/** @type {Buffer | undefined} */ secret) => new Checkpoints(lab.client, stateTable, secret);
  const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  assert.deepEqual(await pair.run([record('INSERT', 1, undefined, session(1, 1))], { checkpoints: open(one) }), DONE);
  assert.ok(!JSON.stringify(await pair.all(stateTable)).includes(one.toString('base64')));
  assert.deepEqual((await open(one).read({ session_id: { S: 'a' } }))?.place, { stream: '', sequence: '1' });
  for (const wrong of [other, undefined]) await assert.rejects(open(wrong).key(), { code: 'STATE_KEY' });
  pair = await lab.tables();
  await pair.run([record('INSERT', 1, undefined, session(1, 1))]);
  await assert.rejects(new Checkpoints(lab.client, `${pair.green}-migration`, one).key(), { code: 'STATE_KEY' });
});

test('a write of green between reading and writing is seen, whatever it changes', async () => {
  for (const greens of [session(9, 1500), session(1, 1000, { more: { S: 'x' }, version: { N: '1' }, updated_at: { N: '1001' } }), undefined]) {
    pair = await lab.tables();
    await pair.run([record('INSERT', 1, undefined, session(1, 1000))]);
    let meddled = false;
    const meddling = /** @type {any} */ ({
      send: async (/** @type {any} */ command) => {
        if (command.input.TransactItems !== undefined && !meddled) {
          meddled = true;
          await (greens === undefined ? pair.remove(undefined, pair.green) : pair.put(greens, pair.green));
        }
        return lab.client.send(command);
      },
    });
    assert.deepEqual(await pair.run([record('MODIFY', 2, session(1, 1000), session(1, 1001, { by: { S: 'blue' } }))], { client: meddling }), DONE);
    assert.match(pair.lines.join('\n'), /retrying a session/);
    assert.deepEqual((await pair.get())?.['version']?.N, greens === undefined ? undefined : greens['version'].N);
  }
});

test('the condition on what was read fits into an expression, and compares what tells first', () => {
  const wide = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`a${i}`, { N: String(i) }]));
  const { ConditionExpression, ExpressionAttributeNames } = unchangedSince({ a1: { N: '1' } }, { ...wide, ver: { N: '1' } }, { version: 'ver', time: 'x', expiry: 'y' });
  assert.ok(ConditionExpression.length < 4096);
  assert.equal(Object.entries(ExpressionAttributeNames)[0]?.[1], 'ver');
});

test('an invocation with one or two seconds, or none, still gets on', async () => {
  for (const left of [3000, 1000, 500, 10]) {
    pair = await lab.tables();
    await pair.run([]);
    const records = ['a', 'b', 'c'].map((id, i) => ({ eventName: 'INSERT', dynamodb: { Keys: { session_id: { S: id } }, SequenceNumber: String(i + 1), NewImage: { session_id: { S: id } } } }));
    let rest = records;
    for (let rounds = 0; rest.length > 0; rounds += 1) {
      assert.ok(rounds < 3, `${left} ms`);
      const { batchItemFailures } = await pair.run(rest, { deadline: Deadline.of({ getRemainingTimeInMillis: () => left }, { reserveMs: 300 }) });
      rest = batchItemFailures.length === 0 ? [] : rest.filter(({ dynamodb }) => Number(dynamodb.SequenceNumber) >= Number(batchItemFailures[0]?.itemIdentifier));
    }
    assert.equal((await pair.all()).length, 3);
    assert.doesNotMatch(pair.lines.join('\n'), /"level":"error"|"Failures"/);
  }
});

test('a name that the AWS client loses is refused, at the top and within; other odd names are carried', async () => {
  const odd = JSON.parse('{"constructor":{"S":"c"},"toString":{"N":"1"},"hasOwnProperty":{"NULL":true},"a.b c":{"S":""},"m":{"M":{"length":{"S":"z"},"$unknown":{"S":"q"},"S":{"S":"t"},"prototype":{"B":"AP8="}}}}');
  assert.deepEqual(await pair.run([record('INSERT', 1, undefined, { ...session(1, 1), ...odd })]), DONE);
  const item = await pair.get();
  assert.deepEqual(Object.keys(item?.['m'].M).sort(), ['$unknown', 'S', 'length', 'prototype']);
  assert.deepEqual([item?.['constructor'], item?.['toString'], item?.['hasOwnProperty'], item?.['a.b c']], [{ S: 'c' }, { N: '1' }, { NULL: true }, { S: '' }]);
  for (const image of ['{"session_id":{"S":"b"},"__proto__":{"S":"x"}}', '{"session_id":{"S":"b"},"l":{"L":[{"M":{"__proto__":{"S":"x"}}}]}}']) {
    assert.deepEqual(await pair.run([record('INSERT', 2, undefined, JSON.parse(image))]), { batchItemFailures: [{ itemIdentifier: '2' }] });
    assert.match(pair.lines.join('\n'), /"code":"ATTRIBUTE_NAME".*__proto__/);
    assert.equal(await pair.get({ session_id: { S: 'b' } }), undefined);
    assert.deepEqual(await pair.run([record('REMOVE', 3, JSON.parse(image), undefined)]), DONE); // its end is no trouble
  }
});

test('malformed attributes are refused at once, and not repeated', async () => {
  const malformed = [{ S: 4929123456781234 }, { N: 'x4929123456781234' }, { B: '4929 1234' }, { BOOL: '4929123456781234' }, { NULL: false }, { SS: '4929123456781234' }, { NS: ['a'] }, { BS: [1] }, { L: {} }, { M: [] }, { S: 'a', N: '1' }, {}, null, '4929123456781234', { X: 'y' }];
  for (const value of malformed) {
    const lines = pair.lines.length;
    assert.deepEqual(await pair.run([record('INSERT', 1, undefined, session(1, 1, { value }))]), { batchItemFailures: [{ itemIdentifier: '1' }] });
    assert.doesNotMatch(pair.lines.slice(lines).join('\n'), /retrying/);
    assert.match(pair.lines.at(-2) ?? '', /"code":"EVENT"/, JSON.stringify(value));
    assert.doesNotMatch(pair.lines.join('\n'), /4929/);
  }
});

test("what DynamoDB adds to a replica's items is not carried, and is no change", async () => {
  const replica = (/** @type {number} */ time) => ({ 'aws:rep:updatetime': { N: String(time) }, 'aws:rep:updateregion': { S: 'eu-central-1' }, 'aws:rep:deleting': { BOOL: false } });
  await pair.run([record('INSERT', 1, undefined, session(1, 1)), record('MODIFY', 2, session(1, 1), session(1, 1, replica(1)))]);
  assert.deepEqual(await pair.get(), session(1, 1));
  await pair.put(session(1, 1, { by: { S: 'green' } }), pair.green);
  await pair.run([record('MODIFY', 3, session(1, 1, replica(1)), session(2, 2, replica(2)))]);
  assert.deepEqual(await pair.get(), session(2, 2));
});

/** @param {Record<string, unknown>} [event] @param {Record<string, any>} [more] */
function copy(event = {}, more = {}) {
  const write = (/** @type {string} */ line) => void pair.lines.push(line);
  const config = readSessionsConfig({ TARGET_TABLE: pair.green, SOURCE_TABLE: pair.blue });
  return copySegment({ segments: 4, ...event }, {
    ...config, log: new Logger({ write }), metrics: new Metrics({ write }), deadline: new Deadline(Date.now() + 60_000),
    client: lab.client, checkpoints: new Checkpoints(lab.client, config.stateTable), ...more,
  });
}

test('copy brings over what blue has, and nothing that the stream or green knows better', async () => {
  const item = (/** @type {string} */ id, /** @type {number} */ version, /** @type {Record<string, any>} */ more = {}) => ({ session_id: { S: id }, version: { N: String(version) }, ...more });
  for (let i = 0; i < 40; i += 1) await pair.put(item(`s${i}`, 1));
  await pair.put(item("green's", 1));
  await pair.put(item("green's", 5), pair.green);
  await pair.remove({ session_id: { S: 's0' } });
  await pair.put(item('s1', 2));
  const stream = await pair.records();
  const first = stream.findIndex(({ dynamodb }) => dynamodb.Keys.session_id.S === 's1' && dynamodb.OldImage !== undefined);
  await pair.run(stream.slice(0, 2)); // the stream is at its beginning: s0 and s1 as they were
  await pair.run(stream.slice(-1)); // and has spoken of the last change of s1
  assert.equal(first, stream.length - 1);
  await pair.remove({ session_id: { S: 's1' } }, pair.green);
  const answer = await copy();
  assert.deepEqual([answer.status, answer.segment, answer.segments, answer.copied, answer.present], ['done', 4, 4, 38, 2]);
  assert.equal(await pair.get({ session_id: { S: 's1' } }), undefined); // ended on green, as the stream's record knows
  assert.equal((await pair.get({ session_id: { S: "green's" } }))?.['version'].N, '5');
  const again = await copy();
  assert.deepEqual([again.copied, again.present], [0, 40]);
  // What the stream says of times before the copy, and of after it, ends as blue is.
  await pair.remove({ session_id: { S: 's2' } });
  await pair.put(item('s3', 1, { n: { N: '1' } }));
  assert.deepEqual(await pair.replicate(), DONE);
  const byId = (/** @type {Record<string, any>[]} */ items) => Object.fromEntries(items.map((one) => [one['session_id'].S, one]));
  const [blue, green] = [byId(await pair.all(pair.blue)), byId(await pair.all())];
  assert.deepEqual(Object.fromEntries(Object.entries(green).filter(([id]) => id !== "green's")), Object.fromEntries(Object.entries(blue).filter(([id]) => id !== 's1' && id !== "green's")));
});

test('a session that was copied and ended on green stays ended', async () => {
  await pair.put(session(1, 1000));
  assert.equal((await copy()).copied, 1);
  await pair.remove(undefined, pair.green);
  await pair.put(session(2, 1001));
  await pair.run((await pair.records()).slice(-1));
  assert.equal(await pair.get(), undefined);
});

test('copy goes on from a segment, asks for more of them when one takes too long, and says what it takes', async () => {
  for (let i = 0; i < 10; i += 1) await pair.put({ session_id: { S: `s${i}` } });
  assert.deepEqual(await copy({ segment: 4, segments: 5 }), { status: 'done', segment: 5, segments: 5, copied: (await pair.all()).length, present: 0 });
  await assert.rejects(copy({ segments: 1 }, { deadline: new Deadline(Date.now() - 1) }), { code: 'TIMEOUT' });
  await assert.rejects(copy({ segments: 0 }), { code: 'EVENT' });
  await assert.rejects(copy({ segment: 4, segments: 4 }), { code: 'EVENT' });
  await assert.rejects(copy({}, { sourceTable: undefined }), { code: 'CONFIG' });
  await assert.rejects(copy({}, { client: refusing('Scan', 'AccessDeniedException') }), /AWS answered AccessDeniedException/);
});

test('copy takes no more sessions in a second than the event says', async () => {
  for (let i = 0; i < 20; i += 1) await pair.put({ session_id: { S: `s${i}` } });
  let slept = 0;
  const clock = { now: () => 1_800_000_000_000 + slept, sleep: async (/** @type {number} */ ms) => void (slept += ms), random: () => 0 };
  const { copied } = await copy({ perSecond: 4 }, { clock });
  assert.deepEqual([copied, slept], [20, 5_000]);
  await assert.rejects(copy({ perSecond: 4 }, { clock, deadline: new Deadline(Date.now() + 200) }), { code: 'TIMEOUT' });
  await assert.rejects(copy({ perSecond: 0 }), { code: 'EVENT' });
});
