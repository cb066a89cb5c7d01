import { TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { PermanentError, TransientError } from '../lib/errors.mjs';
import { placeOf, timeOf } from './change.mjs';
import { Conditions, PLACE } from './conditions.mjs';

/**
 * Writes one change to green's table, unless green knows a later one.
 *
 * A deleted session leaves a **tombstone**: an item of its own under the key `migration#deleted#<key>`, which the application
 * never asks for. It keeps the version and time that were deleted and the place in the stream, so that an older put that comes
 * later (a retry, a second invocation) does not bring the session back, while a new session under the old key does. Its expiry
 * removes it after two days; a stream keeps records for one.
 *
 * @typedef {import('./change.mjs').Change} Change
 * @typedef {import('./change.mjs').Item} Item
 * @typedef {import('../lib/config.mjs').Attributes} Attributes
 * @typedef {import('@aws-sdk/client-dynamodb').TransactWriteItem} TransactWriteItem
 */

const TOMBSTONE = 'migration#deleted#';
const TOMBSTONE_SECONDS = 2 * 24 * 60 * 60;

/**
 * @param {Pick<import('@aws-sdk/client-dynamodb').DynamoDBClient, 'send'>} client
 * @param {string} table
 * @param {Attributes} attributes
 * @param {Change} change
 * @param {() => number} now
 * @returns {Promise<'written' | 'stale'>}
 */
export async function write(client, table, attributes, change, now = Date.now) {
  const conditions = new Conditions(attributes, change);
  const grave = tombstoneKey(change.key);
  /** @type {TransactWriteItem[]} */
  const together =
    change.kind === 'put'
      ? [
          { Put: { TableName: table, Item: change.image, ...conditions.notOlderThanGreen() } },
          { ConditionCheck: { TableName: table, Key: grave, ...conditions.laterThanTombstone() } },
        ]
      : [
          { Delete: { TableName: table, Key: change.key, ...conditions.notOlderThanGreen() } },
          { Put: { TableName: table, Item: tombstone(grave, attributes, change, now()), ...conditions.tombstoneMayRise() } },
        ];
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems: together }));
    return 'written';
  } catch (error) {
    return settle(error);
  }
}

/** What a cancelled transaction means: a condition did not hold (green knows better), or somebody else was writing. @param {unknown} error @returns {'stale'} */
function settle(error) {
  const { name, CancellationReasons: reasons } = /** @type {{name?: string, CancellationReasons?: {Code?: string}[]}} */ (error);
  if (name !== 'TransactionCanceledException' || reasons === undefined) throw error;
  const codes = reasons.map(({ Code }) => Code ?? 'None').filter((code) => code !== 'None');
  if (codes.length > 0 && codes.every((code) => code === 'ConditionalCheckFailed')) return 'stale';
  if (codes.some((code) => ['TransactionConflict', 'ProvisionedThroughputExceeded', 'ThrottlingError'].includes(code)))
    throw new TransientError('AWS_TRANSIENT', 'another write to the session was under way, or the table was throttled', { cause: error });
  throw new PermanentError('AWS_REFUSED', `DynamoDB refused the session (${codes.filter((code) => /^[A-Za-z]+$/.test(code)).join(', ')})`, {
    cause: error,
    hint: "green's table must have blue's key, and an item stays under 400 kB",
  });
}

/** The partition key (a text) with the prefix; a sort key stays. @param {Item} key @returns {Item} */
function tombstoneKey(key) {
  const texts = Object.entries(key).filter(([, value]) => value.S !== undefined);
  const [marked] = texts;
  if (marked === undefined)
    throw new PermanentError('SESSION_KEY', 'a session has no text in its key', { hint: 'the key of the sessions table must hold a text (type S)' });
  return { ...key, [marked[0]]: { S: `${TOMBSTONE}${marked[1].S}` } };
}

/** @param {Item} grave @param {Attributes} attributes @param {Change} change @param {number} now @returns {Item} */
function tombstone(grave, attributes, change, now) {
  const { version, time, expiry } = attributes;
  return {
    ...grave,
    ...(change.image[version] && { [version]: change.image[version] }),
    [time]: timeOf(change, time),
    [PLACE]: placeOf(change),
    [expiry]: { N: String(Math.floor(now / 1000) + TOMBSTONE_SECONDS) },
  };
}
