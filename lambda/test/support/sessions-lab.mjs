/** Tables, streams and runs of the sessions function on moto. */
import { CreateTableCommand, DeleteItemCommand, DynamoDBClient, GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { DescribeStreamCommand, DynamoDBStreamsClient, GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-dynamodb-streams';
import { readSessionsConfig } from '../../src/lib/config.mjs';
import { Deadline } from '../../src/lib/deadline.mjs';
import { Logger } from '../../src/lib/log.mjs';
import { Metrics } from '../../src/lib/metrics.mjs';
import { replicate } from '../../src/sessions/replicate.mjs';
import { awsClient, startMoto } from './moto.mjs';

/** @typedef {Record<string, any>} Item */

export const DONE = { batchItemFailures: [] };

/** An item with version and time, each left out when undefined. @param {number | undefined} version @param {number | string | undefined} time @param {Item} [more] @returns {Item} */
export const session = (version, time, more = {}) => ({
  session_id: { S: 'a' },
  ...(version !== undefined && { version: { N: String(version) } }),
  ...(time !== undefined && { updated_at: typeof time === 'number' ? { N: String(time) } : { S: time } }),
  ...more,
});

/** A pair of tables of its own for each test. */
export class Lab {
  /** @param {Awaited<ReturnType<typeof startMoto>>} moto */
  constructor(moto) {
    this.moto = moto;
    this.client = new DynamoDBClient(awsClient(moto.endpoint));
    this.streams = new DynamoDBStreamsClient(awsClient(moto.endpoint));
    this.count = 0;
  }

  static async start() {
    return new Lab(await startMoto());
  }

  /** @param {Record<string, string>} [key] name and type of each part @param {Item} [more] of green's table */
  async tables(key = { session_id: 'S' }, more = {}) {
    this.count += 1;
    const [blue, green] = [`blue-${this.count}`, `green-${this.count}`];
    const shape = {
      BillingMode: /** @type {const} */ ('PAY_PER_REQUEST'),
      KeySchema: Object.keys(key).map((AttributeName, i) => ({ AttributeName, KeyType: /** @type {const} */ (['HASH', 'RANGE'])[i] })),
      AttributeDefinitions: Object.entries(key).map(([AttributeName, type]) => ({ AttributeName, AttributeType: /** @type {'S'} */ (type) })),
    };
    const made = await this.client.send(new CreateTableCommand({ TableName: blue, ...shape, StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } }));
    await this.client.send(new CreateTableCommand({ TableName: green, ...shape, ...more }));
    return new Pair(this, blue, green, made.TableDescription?.LatestStreamArn ?? '');
  }
}

export class Pair {
  /** @param {Lab} lab @param {string} blue @param {string} green @param {string} streamArn */
  constructor(lab, blue, green, streamArn) {
    Object.assign(this, { lab, blue, green, streamArn });
    this.lab = lab;
    this.blue = blue;
    this.green = green;
    this.streamArn = streamArn;
    /** What has been read of blue's stream. @type {any[]} */
    this.stream = [];
    /** Where each shard is read on. @type {(string | undefined)[] | undefined} */
    this.iterators = undefined;
    /** Records that were handed over. */
    this.read = 0;
    /** @type {string[]} */
    this.lines = [];
  }

  /** @param {Item} item */
  put(item, table = this.blue) {
    return this.lab.client.send(new PutItemCommand({ TableName: table, Item: item }));
  }

  /** @param {Item} key */
  remove(key = { session_id: { S: 'a' } }, table = this.blue) {
    return this.lab.client.send(new DeleteItemCommand({ TableName: table, Key: key }));
  }

  /** @param {Item} key @returns {Promise<Item | undefined>} */
  async get(key = { session_id: { S: 'a' } }, table = this.green) {
    return (await this.lab.client.send(new GetItemCommand({ TableName: table, Key: key }))).Item;
  }

  /** @returns {Promise<Item[]>} */
  async all(table = this.green) {
    return (await this.lab.client.send(new ScanCommand({ TableName: table }))).Items ?? [];
  }

  /** Blue's whole stream, as Lambda would hand it over. @returns {Promise<any[]>} */
  async records() {
    if (this.iterators === undefined) {
      const { StreamDescription } = await this.lab.streams.send(new DescribeStreamCommand({ StreamArn: this.streamArn }));
      this.iterators = await Promise.all((StreamDescription?.Shards ?? []).map(async ({ ShardId }) =>
        (await this.lab.streams.send(new GetShardIteratorCommand({ StreamArn: this.streamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }))).ShardIterator));
    }
    for (const [i, ShardIterator] of this.iterators.entries()) {
      const { Records = [], NextShardIterator } = await this.lab.streams.send(new GetRecordsCommand({ ShardIterator }));
      this.stream.push(...Records.map((record) => ({ ...record, eventSourceARN: this.streamArn })));
      this.iterators[i] = NextShardIterator;
    }
    return [...this.stream];
  }

  /** What is new in blue's stream goes to green. */
  async replicate() {
    const fresh = (await this.records()).slice(this.read);
    const answer = await this.run(fresh);
    const [failed] = answer.batchItemFailures;
    this.read += failed === undefined ? fresh.length : fresh.findIndex(({ dynamodb }) => dynamodb.SequenceNumber === failed.itemIdentifier);
    return answer;
  }

  /** @param {unknown[]} records @param {{environment?: Record<string, string>} & Partial<Parameters<typeof replicate>[1]>} [more] */
  run(records, { environment = {}, ...more } = {}) {
    const write = (/** @type {string} */ line) => void this.lines.push(line);
    return replicate(records, {
      ...readSessionsConfig({ TARGET_TABLE: this.green, ...environment }), log: new Logger({ write }), metrics: new Metrics({ write }),
      deadline: new Deadline(Date.now() + 20_000), client: this.lab.client, ...more,
    });
  }
}

/** A record by hand. @param {string} eventName @param {number | string} sequence @param {Item | undefined} OldImage @param {Item | undefined} NewImage @param {Item} [more] */
export const record = (eventName, sequence, OldImage, NewImage, more = {}) => ({
  eventName, ...more, dynamodb: { Keys: { session_id: (NewImage ?? OldImage)?.['session_id'] }, SequenceNumber: String(sequence), OldImage, NewImage },
});
