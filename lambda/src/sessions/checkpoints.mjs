import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, DescribeTableCommand, GetItemCommand, PutItemCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { PermanentError, TransientError } from '../lib/errors.mjs';
import { fingerprint } from './item.mjs';

/**
 * What this function keeps for itself, in a table of its own: for each session the place in blue's stream up to which green
 * follows, and a fingerprint of blue's item there. Sessions stand in it by a keyed hash of their key, items by a keyed hash of
 * their content, so that the table tells nothing of either.
 *
 * The hash key is that of `HASH_KEY_SECRET_ARN`; without it, 32 random bytes that are made with the table and stand in it.
 *
 * @typedef {import('./item.mjs').Item} Item
 * @typedef {import('./change.mjs').Place} Place
 * @typedef {Pick<import('@aws-sdk/client-dynamodb').DynamoDBClient, 'send'>} Client
 *
 * @typedef {object} Checkpoint
 * @property {Place} place
 * @property {string | undefined} fingerprint of blue's item at that place; none where blue had deleted it
 *
 * @typedef {import('@aws-sdk/client-dynamodb').Put} Put
 */

/** Longer than a record can wait anywhere: one day in the stream, then at most 14 in a queue of discarded ones. */
const KEPT_SECONDS = 30 * 24 * 60 * 60;

const KEY_ID = 'hash-key';
const EXPIRY = 'expires_at';

export class Checkpoints {
  /** @type {Promise<Buffer> | undefined} */
  #key;

  /** @param {Client} client @param {string} table @param {Buffer} [secret] */
  constructor(client, table, secret) {
    this.client = client;
    this.table = table;
    this.secret = secret;
  }

  /** The hash key, read or made once. */
  key() {
    const reading = (this.#key ??= this.#readKey());
    reading.catch(() => (this.#key = undefined));
    return reading;
  }

  /** @param {Item} key of a session @returns {Promise<Checkpoint | undefined>} */
  async read(key) {
    const item = await this.#get(await this.#id(key));
    if (item === undefined) return undefined;
    return { place: { stream: item['stream']?.S ?? '', sequence: item['sequence']?.S ?? '' }, fingerprint: item['fingerprint']?.S };
  }

  /**
   * The write that moves a checkpoint, unless another invocation has moved it since it was read.
   * @param {Item} key @param {Checkpoint | undefined} from @param {Checkpoint} to @param {number} now milliseconds @returns {Promise<Put>}
   */
  async move(key, from, { place, fingerprint: print }, now) {
    return {
      TableName: this.table,
      Item: {
        ...(await this.#id(key)),
        sequence: { S: place.sequence },
        ...(place.stream !== '' && { stream: { S: place.stream } }),
        ...(print !== undefined && { fingerprint: { S: print } }),
        [EXPIRY]: { N: String(Math.floor(now / 1000) + KEPT_SECONDS) },
      },
      ...(from === undefined
        ? { ConditionExpression: 'attribute_not_exists(id)' }
        : { ConditionExpression: '#s = :s', ExpressionAttributeNames: { '#s': 'sequence' }, ExpressionAttributeValues: { ':s': { S: from.place.sequence } } }),
    };
  }

  /** @param {Item | undefined} item */
  async fingerprint(item) {
    return item === undefined ? undefined : fingerprint(await this.key(), 'content', item);
  }

  /** @param {Item} key @returns {Promise<Item>} */
  async #id(key) {
    return { id: { S: fingerprint(await this.key(), 'session', key) } };
  }

  /** @param {Item} key @returns {Promise<Item | undefined>} */
  async #get(key) {
    return (await this.client.send(new GetItemCommand({ TableName: this.table, Key: key, ConsistentRead: true }))).Item;
  }

  async #readKey() {
    const id = { id: { S: KEY_ID } };
    const known = (await this.#get(id).catch((error) => this.#create(error))) ?? (await this.#writeKey(id));
    if (this.secret === undefined) {
      if (known['key']?.B === undefined) throw wrongKey('was made with HASH_KEY_SECRET_ARN, which is not set');
      return Buffer.from(known['key'].B);
    }
    if (known['check']?.S !== checkOf(this.secret)) throw wrongKey('was made with another hash key');
    return this.secret;
  }

  /** Whoever writes it first wins. @param {Item} id @returns {Promise<Item>} */
  async #writeKey(id) {
    const item = { ...id, ...(this.secret === undefined ? { key: { B: randomBytes(32) } } : { check: { S: checkOf(this.secret) } }) };
    try {
      await this.client.send(new PutItemCommand({ TableName: this.table, Item: item, ConditionExpression: 'attribute_not_exists(id)' }));
      // TTL may be on already, or not for this role to turn on: then the table keeps what is out of date, which does no harm.
      await this.client.send(new UpdateTimeToLiveCommand({ TableName: this.table, TimeToLiveSpecification: { Enabled: true, AttributeName: EXPIRY } })).catch(() => {});
      return item;
    } catch (error) {
      if (nameOf(error) !== 'ConditionalCheckFailedException') throw error;
      return (await this.#get(id)) ?? item;
    }
  }

  /** The table is missing: made here where the role allows it. @param {unknown} error @returns {Promise<undefined>} */
  async #create(error) {
    if (nameOf(error) !== 'ResourceNotFoundException') throw error;
    try {
      await this.client.send(
        new CreateTableCommand({
          TableName: this.table, BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        }),
      );
    } catch (refused) {
      if (nameOf(refused) === 'AccessDeniedException')
        throw new PermanentError('STATE_TABLE', 'the table that STATE_TABLE names does not exist', {
          cause: refused, hint: 'create it with the partition key "id" (a text) and TTL on "expires_at", or allow dynamodb:CreateTable: see README.md, sessions',
        });
      if (nameOf(refused) !== 'ResourceInUseException') throw refused; // in use: another invocation is making it
    }
    const { Table } = await this.client.send(new DescribeTableCommand({ TableName: this.table }));
    if (Table?.TableStatus !== 'ACTIVE') {
      await sleep(500);
      throw new TransientError('STATE_TABLE', 'the table that STATE_TABLE names is being made');
    }
    return undefined;
  }
}

/** Tells whether a key is the same without telling the key. @param {Buffer} key */
const checkOf = (key) => createHmac('sha256', key).update('payment migration: sessions').digest('base64url');

/** @param {string} what */
const wrongKey = (what) =>
  new PermanentError('STATE_KEY', `the table that STATE_TABLE names ${what}`, { hint: 'use the key that the replication began with, or begin it again with an empty table' });

/** @param {unknown} error */
const nameOf = (error) => (error instanceof Error ? error.name : undefined);
