import { PermanentError } from '../lib/errors.mjs';

/**
 * One record of the stream, understood.
 *
 * @typedef {import('@aws-sdk/client-dynamodb').AttributeValue} AttributeValue
 * @typedef {Record<string, AttributeValue>} Item
 *
 * @typedef {object} Change
 * @property {'put' | 'delete'} kind
 * @property {string} sequenceNumber
 * @property {Item} key
 * @property {Item} image the session as it was written, or as it was before it was deleted
 * @property {boolean} expired deleted by blue's TTL, not by a person
 * @property {number} at when blue wrote, in seconds since the epoch
 */

const VIEW_HINT = "blue's stream must have the view type NEW_AND_OLD_IMAGES";

/**
 * @param {unknown} raw a record of the event
 * @returns {Change}
 */
export function readChange(raw) {
  const record = /** @type {import('aws-lambda').DynamoDBRecord} */ (raw ?? {});
  const { Keys: key, SequenceNumber: sequenceNumber, NewImage, OldImage, ApproximateCreationDateTime } = record.dynamodb ?? {};
  if (key === undefined || sequenceNumber === undefined || !['INSERT', 'MODIFY', 'REMOVE'].includes(record.eventName ?? ''))
    throw new PermanentError('EVENT', 'a record is none of a DynamoDB stream', { hint: 'this function takes batches of a DynamoDB stream' });
  const kind = record.eventName === 'REMOVE' ? 'delete' : 'put';
  const image = kind === 'delete' ? OldImage : NewImage;
  if (image === undefined) throw new PermanentError('STREAM_VIEW', 'a record carries no image of the session', { hint: VIEW_HINT });
  const { userIdentity } = /** @type {{userIdentity?: {type?: string, principalId?: string}}} */ (record);
  return {
    kind,
    sequenceNumber,
    key: decode(/** @type {Item} */ (key)),
    image: decode(/** @type {Item} */ (image)),
    expired: userIdentity?.type === 'Service' && userIdentity.principalId === 'dynamodb.amazonaws.com',
    at: Number(ApproximateCreationDateTime ?? 0),
  };
}

/** Lambda's event is JSON, so binary values arrive as base64; the client takes bytes. @param {Item} item @returns {Item} */
const decode = (item) => Object.fromEntries(Object.entries(item).map(([name, value]) => [name, decodeValue(value)]));

/** @param {AttributeValue} value @returns {AttributeValue} */
function decodeValue(value) {
  if (value.B !== undefined) return { B: bytes(value.B) };
  if (value.BS) return { BS: value.BS.map(bytes) };
  if (value.L) return { L: value.L.map(decodeValue) };
  if (value.M) return { M: decode(value.M) };
  return value;
}

/** @param {unknown} value base64, or bytes already @returns {Uint8Array} */
const bytes = (value) => (typeof value === 'string' ? Buffer.from(value, 'base64') : /** @type {Uint8Array} */ (value));

/** When a session was written: its own time, or when blue's stream saw it. @param {Change} change @param {string} time */
export const timeOf = (change, time) => change.image[time] ?? { N: String(change.at) };

/**
 * A record's place in the stream, as a text that sorts: numbers of up to 40 digits, rising for every write to the same session.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
 * @param {Change} change
 */
export const placeOf = (change) => ({ S: change.sequenceNumber.padStart(40, '0') });
