import { GetItemCommand, PutItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { PermanentError, TransientError } from '../lib/errors.mjs';
import { decide } from './decide.mjs';

/**
 * Reads what green has, decides, and writes session and checkpoint in one transaction, which fails when either has changed since
 * it was read.
 *
 * @typedef {import('./change.mjs').Change} Change
 * @typedef {import('./item.mjs').Item} Item
 * @typedef {import('@aws-sdk/client-dynamodb').TransactWriteItem} TransactWriteItem
 *
 * @typedef {object} Target
 * @property {import('./checkpoints.mjs').Client} client
 * @property {string} targetTable
 * @property {import('./checkpoints.mjs').Checkpoints} checkpoints
 * @property {import('../lib/config.mjs').Attributes} attributes
 */

/** An expression takes 4 kB; an application that writes changes its version, time or expiry in any case. */
const COMPARED_ATTRIBUTES = 100;

/** @param {Target} target @param {Change} change @param {() => number} now @returns {Promise<'written' | 'stale'>} */
export async function write(target, change, now = Date.now) {
  try {
    return await attempt(target, change, now());
  } catch (error) {
    return meaningOf(error);
  }
}

/** @param {Target} target @param {Change} change @param {number} now @returns {Promise<'written' | 'stale'>} */
async function attempt({ client, targetTable: table, checkpoints, attributes }, change, now) {
  const green = (await client.send(new GetItemCommand({ TableName: table, Key: change.key, ConsistentRead: true }))).Item;
  const [checkpoint, fingerprint] = [await checkpoints.read(change.key), await checkpoints.fingerprint(green)];
  const decision = decide(change, { green, fingerprint, checkpoint }, attributes, now / 1000);
  if (decision === 'ignore') return 'stale';
  const blue = change.kind === 'put' ? await checkpoints.fingerprint(change.image) : undefined;
  const move = await checkpoints.move(change.key, checkpoint, { place: change.place, fingerprint: blue }, now);
  if (decision === 'keep') {
    await client.send(new PutItemCommand(move));
    return blue === fingerprint ? 'written' : 'stale';
  }
  const unchanged = unchangedSince(change.key, green, attributes);
  const written = decision === 'put' ? { Put: { TableName: table, Item: change.image, ...unchanged } } : { Delete: { TableName: table, Key: change.key, ...unchanged } };
  await client.send(new TransactWriteItemsCommand({ TransactItems: [written, { Put: move }] }));
  return 'written';
}

/** Green's item is still the one that was read. @param {Item} key @param {Item | undefined} green @param {import('../lib/config.mjs').Attributes} attributes */
export function unchangedSince(key, green, { version, time, expiry }) {
  if (green === undefined) return { ConditionExpression: 'attribute_not_exists(#k)', ExpressionAttributeNames: { '#k': /** @type {string} */ (Object.keys(key)[0]) } };
  const telling = [version, time, expiry];
  const names = Object.keys(green)
    .sort((a, b) => Number(telling.includes(b)) - Number(telling.includes(a)))
    .slice(0, COMPARED_ATTRIBUTES);
  return {
    ConditionExpression: names.map((_, i) => `#${i} = :${i}`).join(' AND '),
    ExpressionAttributeNames: Object.fromEntries(names.map((name, i) => [`#${i}`, name])),
    ExpressionAttributeValues: Object.fromEntries(names.map((name, i) => [`:${i}`, /** @type {import('./item.mjs').AttributeValue} */ (green[name])])),
  };
}

/** What an error means: a condition does not hold, or somebody else is writing: then it is read and decided again. @param {unknown} error @returns {never} */
export function meaningOf(error) {
  const { name, CancellationReasons: reasons } = /** @type {{name?: string, CancellationReasons?: {Code?: string}[]}} */ (error);
  const codes = (reasons ?? []).map(({ Code }) => Code ?? 'None').filter((code) => code !== 'None');
  const passing = ['ConditionalCheckFailed', 'TransactionConflict', 'ProvisionedThroughputExceeded', 'ThrottlingError'];
  if (name === 'ConditionalCheckFailedException' || codes.some((code) => passing.includes(code)))
    throw new TransientError('AWS_TRANSIENT', 'another write to the session was under way, or the table was throttled', { cause: error });
  if (name !== 'TransactionCanceledException' || reasons === undefined) throw error;
  throw new PermanentError('AWS_REFUSED', `DynamoDB refused the session (${codes.filter((code) => /^[A-Za-z]+$/.test(code)).join(', ')})`, {
    cause: error,
    hint: "green's table must have blue's key, and an item stays under 400 kB",
  });
}
