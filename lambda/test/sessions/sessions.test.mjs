/** `sessions` on moto: records from a real stream of blue's table, written to green's. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { CreateTableCommand, DeleteItemCommand, DescribeTimeToLiveCommand, DynamoDBClient, GetItemCommand, PutItemCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeStreamCommand, DynamoDBStreamsClient, GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-dynamodb-streams';
import { readSessionsConfig } from '../../src/lib/config.mjs';
import { Deadline } from '../../src/lib/deadline.mjs';
import { Logger } from '../../src/lib/log.mjs';
import { Metrics } from '../../src/lib/metrics.mjs';
import { replicate } from '../../src/sessions/replicate.mjs';
import { awsClient, startMoto } from '../support/moto.mjs';

/** @typedef {Record<string, any>} Item */

/** @type {Awaited<ReturnType<typeof startMoto>>} */
let moto;
/** @type {DynamoDBClient} */
let client;
/** @type {DynamoDBStreamsClient} */
let streams;
let count = 0;
let blue = '';
let green = '';
let streamArn = '';
/** @type {string[]} */
let lines = [];

before(async () => {
  moto = await startMoto();
  client = new DynamoDBClient(awsClient(moto.endpoint));
  streams = new DynamoDBStreamsClient(awsClient(moto.endpoint));
});
after(() => moto?.stop());

beforeEach(async () => {
  count += 1;
  [blue, green] = [`sessions-blue-${count}`, `sessions-green-${count}`];
  lines = [];
  for (const TableName of [blue, green]) {
    const table = await client.send(
      new CreateTableCommand({
        TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'session_id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'session_id', AttributeType: 'S' }],
        ...(TableName === blue && { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } }),
      }),
    );
    if (TableName === blue) streamArn = table.TableDescription?.LatestStreamArn ?? '';
  }
});

/** @param {string} id @param {number} version @param {number} updated_at @param {Item} [more] @returns {Item} */
const session = (id, version, updated_at, more = {}) => ({ session_id: { S: id }, version: { N: String(version) }, updated_at: { N: String(updated_at) }, ...more });

/** @param {Item} item */
const put = (item) => client.send(new PutItemCommand({ TableName: blue, Item: item }));
/** @param {string} id */
const remove = (id) => client.send(new DeleteItemCommand({ TableName: blue, Key: { session_id: { S: id } } }));

/** Everything in blue's stream, as Lambda would hand it over. @returns {Promise<any[]>} */
async function streamed() {
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn: streamArn }));
  const records = [];
  for (const { ShardId } of StreamDescription?.Shards ?? []) {
    const { ShardIterator } = await streams.send(new GetShardIteratorCommand({ StreamArn: streamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }));
    const { Records = [] } = await streams.send(new GetRecordsCommand({ ShardIterator }));
    records.push(...Records);
  }
  return records;
}

/** @param {unknown[]} records @param {Partial<Parameters<typeof replicate>[1]>} [more] */
function run(records, more = {}) {
  const write = (/** @type {string} */ line) => void lines.push(line);
  return replicate(records, {
    ...readSessionsConfig({ TARGET_TABLE: green }), log: new Logger({ write }), metrics: new Metrics({ write }),
    deadline: new Deadline(Date.now() + 20_000), client, ...more,
  });
}

/** Green's session, or undefined. @param {string} id @returns {Promise<Item | undefined>} */
const onGreen = async (id) => (await client.send(new GetItemCommand({ TableName: green, Key: { session_id: { S: id } } }))).Item;

/** All that is on green: nothing of the function's own is among the sessions. */
async function sessionsOnGreen() {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: green }));
  return Object.fromEntries(Items.map((item) => [item['session_id']?.S ?? '', item]));
}

const DONE = { batchItemFailures: [] };

test('puts, updates and deletes reach green as they are', async () => {
  const rich = { bytes: { B: Buffer.from([0, 255]) }, tags: { SS: ['a', 'ü'] }, cart: { L: [{ M: { n: { N: '1.50' }, x: { NULL: true } } }, { BOOL: true }] }, empty: { S: '' } };
  await put(session('a', 1, 100, rich));
  await put(session('b', 1, 100));
  await client.send(new UpdateItemCommand({ TableName: blue, Key: { session_id: { S: 'a' } }, UpdateExpression: 'SET version = :v, updated_at = :t', ExpressionAttributeValues: { ':v': { N: '2' }, ':t': { N: '101' } } }));
  await remove('b');
  assert.deepEqual(await run(await streamed()), DONE);
  const { Items = [] } = await client.send(new ScanCommand({ TableName: blue }));
  assert.deepEqual(Object.values(await sessionsOnGreen()), Items);
  assert.equal((await onGreen('a'))?.['version'].N, '2');
});

test('the base64 of an event is bytes again on green', async () => {
  const [record] = [{ eventName: 'INSERT', dynamodb: { Keys: { session_id: { S: 'a' } }, SequenceNumber: '1', NewImage: session('a', 1, 1, { bytes: { B: 'AP8=' }, many: { BS: ['AQ=='] }, deep: { M: { l: { L: [{ B: 'Ag==' }] } } } }) } }];
  assert.deepEqual(await run([record]), DONE);
  const item = await onGreen('a');
  assert.deepEqual([...item?.['bytes'].B], [0, 255]);
  assert.deepEqual([...item?.['many'].BS[0]], [1]);
  assert.deepEqual([...item?.['deep'].M.l.L[0].B], [2]);
});

test('the last writer wins: what green knows better stays', async () => {
  await client.send(new PutItemCommand({ TableName: green, Item: session('newer', 5, 100) }));
  await client.send(new PutItemCommand({ TableName: green, Item: session('same version, later', 1, 200) }));
  await client.send(new PutItemCommand({ TableName: green, Item: session('older', 1, 300) }));
  for (const id of ['newer', 'same version, later', 'older']) await put(session(id, id === 'older' ? 2 : 1, 150, { from: { S: 'blue' } }));
  assert.deepEqual(await run(await streamed()), DONE);
  const from = Object.fromEntries(Object.entries(await sessionsOnGreen()).map(([id, item]) => [id, item['from']?.S]));
  assert.deepEqual(from, { newer: undefined, 'same version, later': undefined, older: 'blue' });
  assert.ok(lines.some((line) => line.includes('"written":1,"stale":2')), lines.join('\n'));
});

test('a session that green has renewed survives its deletion on blue', async () => {
  await put(session('a', 1, 100));
  await run(await streamed());
  await client.send(new PutItemCommand({ TableName: green, Item: session('a', 2, 150) }));
  await remove('a');
  assert.deepEqual(await run((await streamed()).slice(1)), DONE);
  assert.equal((await onGreen('a'))?.['version'].N, '2');
});

test('an older put that comes after the deletion does not bring the session back', async () => {
  await put(session('a', 1, 100));
  await put(session('a', 2, 101));
  await remove('a');
  const records = await streamed();
  assert.deepEqual(await run(records), DONE);
  assert.equal(await onGreen('a'), undefined);
  for (const again of [records.slice(0, 1), records.slice(1, 2), records.slice(0, 2)]) {
    assert.deepEqual(await run(again), DONE);
    assert.equal(await onGreen('a'), undefined);
  }
  const { dynamodb, ...rest } = records[1];
  await run([{ ...rest, dynamodb: { ...dynamodb, SequenceNumber: '99999', NewImage: session('a', 1, 100) } }]); // a change that changes nothing
  assert.equal(await onGreen('a'), undefined);
});

test('a new session under an old key is written, though its versions begin at 1 again', async () => {
  await put(session('a', 5, 100));
  await remove('a');
  await put(session('a', 1, 110));
  const records = await streamed();
  assert.deepEqual(await run(records), DONE);
  assert.equal((await onGreen('a'))?.['version'].N, '1');
  for (const record of records.slice(0, 2)) await run([record]); // the first life again: neither its put nor its end touch the second
  assert.equal((await onGreen('a'))?.['version'].N, '1');
  await remove('a');
  const all = await streamed();
  assert.deepEqual(await run(all.slice(3)), DONE);
  for (const record of all) {
    await run([record]); // any of them again, in any life: nothing comes back
    if (record !== all[2]) assert.equal(await onGreen('a'), undefined);
  }
  assert.equal(await onGreen('a'), undefined);
});

test('sessions without version and time follow the order of the stream', async () => {
  await put({ session_id: { S: 'a' }, n: { N: '1' } });
  await put({ session_id: { S: 'a' }, n: { N: '2' } });
  await remove('a');
  await put({ session_id: { S: 'a' }, n: { N: '3' } });
  const records = await streamed();
  assert.deepEqual(await run(records), DONE);
  assert.equal((await onGreen('a'))?.['n'].N, '3');
});

test('the checkpoints end by themselves, and tell nothing of the sessions', async () => {
  await put(session('ada@example.com', 1, 100, { card: { S: '4929123456781234' } }));
  await put(session('gone@example.com', 1, 100));
  await remove('gone@example.com');
  const now = 1_800_000_000_000;
  await run(await streamed(), { clock: { now: () => now, sleep: async () => {}, random: () => 0 }, deadline: new Deadline(now + 20_000, { now: () => now, sleep: async () => {}, random: () => 0 }) });
  assert.deepEqual(Object.keys(await sessionsOnGreen()), ['ada@example.com']);
  const { Items = [] } = await client.send(new ScanCommand({ TableName: `${green}-migration` }));
  const checkpoints = Items.filter((item) => item['id']?.S !== 'hash-key');
  assert.equal(checkpoints.length, 2);
  for (const item of checkpoints) {
    assert.deepEqual(Object.keys(item).filter((name) => !['id', 'sequence', 'stream', 'fingerprint', 'expires_at'].includes(name)), []);
    assert.equal(item['expires_at']?.N, String(now / 1000 + 30 * 24 * 3600));
  }
  const written = JSON.stringify(Items);
  for (const value of ['ada@example.com', 'gone@example.com', '4929123456781234'])
    for (const shape of [value, ...['hex', 'base64', 'base64url'].map((form) => createHash('sha256').update(value).digest(/** @type {'hex'} */ (form)))]) assert.ok(!written.includes(shape));
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: `${green}-migration` }));
  assert.deepEqual([TimeToLiveDescription?.AttributeName, TimeToLiveDescription?.TimeToLiveStatus], ['expires_at', 'ENABLED']);
});

test("blue's TTL ends a session on green unless green has prolonged it", async () => {
  const ttl = { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } };
  for (const [id, greens] of /** @type {[string, string][]} */ ([['same', '500'], ['prolonged', '900']])) {
    await client.send(new PutItemCommand({ TableName: green, Item: session(id, 1, 100, { expires_at: { N: greens } }) }));
    const record = { eventName: 'REMOVE', ...ttl, dynamodb: { Keys: { session_id: { S: id } }, SequenceNumber: '7', OldImage: session(id, 1, 100, { expires_at: { N: '500' } }) } };
    assert.deepEqual(await run([record]), DONE);
  }
  assert.deepEqual(Object.keys(await sessionsOnGreen()), ['prolonged']);
});

test('a table with a sort key works too', async () => {
  const table = `${green}-sorted`;
  await client.send(new CreateTableCommand({ TableName: table, BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'user', KeyType: 'HASH' }, { AttributeName: 'at', KeyType: 'RANGE' }], AttributeDefinitions: [{ AttributeName: 'user', AttributeType: 'S' }, { AttributeName: 'at', AttributeType: 'N' }] }));
  const Keys = { user: { S: 'u' }, at: { N: '5' } };
  const image = { ...Keys, version: { N: '1' } };
  assert.deepEqual(await run([{ eventName: 'INSERT', dynamodb: { Keys, SequenceNumber: '1', NewImage: image } }, { eventName: 'REMOVE', dynamodb: { Keys, SequenceNumber: '2', OldImage: image } }], { targetTable: table }), DONE);
  const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
  assert.deepEqual(Items, []);
});

test('the first record that fails ends the batch and is reported; the batch resumes from there', async () => {
  for (let i = 0; i < 6; i += 1) await put(session(`s${i}`, 1, 100 + i));
  const records = await streamed();
  /** @type {string[]} */
  const sent = [];
  const failing = /** @type {any} */ ({
    send: (/** @type {any} */ command) => {
      const id = command.input.TransactItems?.[0].Put.Item.session_id.S;
      if (id !== undefined) sent.push(id);
      if (id === 's3') return Promise.reject(Object.assign(new Error('4111111111111111'), { name: 'ValidationException', $metadata: { httpStatusCode: 400 } }));
      return client.send(command);
    },
  });
  const answer = await run(records, { client: failing });
  assert.deepEqual(answer, { batchItemFailures: [{ itemIdentifier: records[3].dynamodb.SequenceNumber }] });
  assert.deepEqual(sent, ['s0', 's1', 's2', 's3']); // a permanent failure is not tried again, and nothing after it is begun
  assert.deepEqual(Object.keys(await sessionsOnGreen()).sort(), ['s0', 's1', 's2']);
  assert.doesNotMatch(lines.join('\n'), /4111/);
  assert.deepEqual(await run(records.slice(3)), DONE);
  assert.equal(Object.keys(await sessionsOnGreen()).length, 6);
});

test('throttling and conflicts are waited out', async () => {
  await put(session('a', 1, 100));
  const troubles = [
    Object.assign(new Error('slow down'), { name: 'ThrottlingException', $metadata: {} }),
    Object.assign(new Error('conflict'), { name: 'TransactionCanceledException', $metadata: {}, CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }] }),
    Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
  ];
  const flaky = /** @type {any} */ ({ send: (/** @type {any} */ command) => (troubles.length > 0 ? Promise.reject(troubles.shift()) : client.send(command)) });
  assert.deepEqual(await run(await streamed(), { client: flaky }), DONE);
  assert.ok(await onGreen('a'));
});

test('the end of the time is no failure: at least one record is written, the rest is left for the next invocation', async () => {
  for (const id of ['a', 'b', 'c']) await put(session(id, 1, 100));
  const records = await streamed();
  for (let done = 0; done < 2; done += 1) {
    lines = [];
    assert.deepEqual(await run(records.slice(done), { deadline: new Deadline(Date.now() - 1) }), { batchItemFailures: [{ itemIdentifier: records[done + 1].dynamodb.SequenceNumber }] });
    assert.equal(Object.keys(await sessionsOnGreen()).length, done + 1);
    assert.match(lines.join('\n'), /"level":"warn","message":"the function's timeout ends before the batch/);
    assert.doesNotMatch(lines.join('\n'), /"level":"error"|"Failures":1/);
  }
  assert.deepEqual(await run(records.slice(2), { deadline: new Deadline(Date.now() - 1) }), DONE);
});

test('a stream without images, a table that is missing and an event of another kind are clear errors', async () => {
  const keysOnly = { eventName: 'INSERT', dynamodb: { Keys: { session_id: { S: 'a' } }, SequenceNumber: '5' } };
  assert.deepEqual(await run([keysOnly]), { batchItemFailures: [{ itemIdentifier: '5' }] });
  assert.match(lines.join('\n'), /"code":"STREAM_VIEW".*NEW_AND_OLD_IMAGES/);
  const record = { ...keysOnly, dynamodb: { ...keysOnly.dynamodb, NewImage: session('a', 1, 1) } };
  assert.deepEqual(await run([record], { targetTable: 'nowhere' }), { batchItemFailures: [{ itemIdentifier: '5' }] });
  assert.match(lines.join('\n'), /ResourceNotFoundException.*TARGET_TABLE/);
  await assert.rejects(run([{ Sns: {} }]), /a record is none of a DynamoDB stream/);
});

test('whatever is lost, repeated or comes twice, green ends as blue is', async () => {
  const ids = ['a', 'b', 'c'];
  /** @type {Record<string, number>} */
  const versions = {};
  for (let at = 1; at <= 60; at += 1) {
    const id = ids[Math.floor(Math.random() * ids.length)] ?? 'a';
    const gone = Math.random() < 0.3;
    versions[id] = gone ? 0 : (versions[id] ?? 0) + 1; // a new session begins at 1 again
    await (gone ? remove(id) : put(session(id, versions[id] ?? 1, Math.floor(at / 2), { n: { N: String(at) } })));
  }
  const records = await streamed();
  const lossy = /** @type {any} */ ({
    send: async (/** @type {any} */ command) => {
      const luck = Math.random();
      if (luck < 0.05) throw Object.assign(new Error('before'), { name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
      const answer = await client.send(command);
      if (luck < 0.1) throw Object.assign(new Error('after'), { code: 'ECONNRESET' }); // written, but nobody heard of it
      return answer;
    },
  });
  const clock = { now: Date.now, sleep: async () => {}, random: () => 0 };
  for (let done = 0, rounds = 0; done < records.length; rounds += 1) {
    assert.ok(rounds < 500);
    const batch = records.slice(done, done + 8);
    const { batchItemFailures } = await run(batch, { client: lossy, clock });
    const [failed] = batchItemFailures;
    done += failed === undefined ? batch.length : batch.findIndex(({ dynamodb }) => dynamodb.SequenceNumber === failed.itemIdentifier);
    if (Math.random() < 0.3) await run(records.slice(Math.max(0, done - 5), done), { clock }); // an invocation that was thought dead
    if (done > 0) await run([records[Math.floor(Math.random() * done)]], { clock }); // or a part of one
  }
  const { Items = [] } = await client.send(new ScanCommand({ TableName: blue }));
  const wanted = Object.fromEntries(Items.map((item) => [item['session_id']?.S, item]));
  assert.deepEqual(await sessionsOnGreen(), wanted);
});
