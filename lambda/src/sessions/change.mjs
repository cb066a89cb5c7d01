import { PermanentError } from '../lib/errors.mjs';
import { canBeWritten, readItem } from './item.mjs';

/**
 * One record of the stream, checked and understood.
 *
 * @typedef {import('./item.mjs').Item} Item
 *
 * @typedef {object} Change
 * @property {'put' | 'delete'} kind
 * @property {boolean} first blue had no item under the key before (an INSERT)
 * @property {Place} place
 * @property {Item} key
 * @property {Item} image the session as it was written, or as it was before it was deleted
 * @property {Item | undefined} before the session as it was before the change
 * @property {boolean} expired deleted by TTL, not by a person
 * @property {number} at when blue wrote, in seconds since the epoch
 *
 * @typedef {object} Place where a change stands in the order of blue's writes to one item
 * @property {string} stream the label of the stream; empty when the event does not name it
 * @property {string} sequence
 */

const VIEW_HINT = "blue's stream must have the view type NEW_AND_OLD_IMAGES";

/** TTL leaves an item alone whose time is further back than this. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html */
const TTL_REACHES_BACK_SECONDS = 5 * 365 * 24 * 60 * 60;

/**
 * @param {unknown} raw a record of the event
 * @param {string} expiry the attribute of the table's TTL
 * @returns {Change}
 */
export function readChange(raw, expiry) {
  const record = /** @type {import('aws-lambda').DynamoDBRecord & {userIdentity?: {type?: string, principalId?: string}}} */ (raw ?? {});
  const { Keys, SequenceNumber: sequence, NewImage, OldImage, ApproximateCreationDateTime } = record.dynamodb ?? {};
  if (Keys === undefined || typeof sequence !== 'string' || !['INSERT', 'MODIFY', 'REMOVE'].includes(record.eventName ?? ''))
    throw new PermanentError('EVENT', 'a record is none of a DynamoDB stream', { hint: 'this function takes batches of a DynamoDB stream' });
  const kind = record.eventName === 'REMOVE' ? 'delete' : 'put';
  if ((kind === 'delete' ? OldImage : NewImage) === undefined)
    throw new PermanentError('STREAM_VIEW', 'a record carries no image of the session', { hint: VIEW_HINT });
  const before = OldImage === undefined ? undefined : readItem(OldImage);
  const image = kind === 'delete' ? /** @type {Item} */ (before) : readItem(NewImage);
  if (kind === 'put' && !canBeWritten(image))
    throw new PermanentError('ATTRIBUTE_NAME', 'a session has an attribute named __proto__, which the AWS client cannot write', { hint: 'rename the attribute in the application' });
  const at = secondsOf(ApproximateCreationDateTime);
  const { type, principalId } = record.userIdentity ?? {};
  const byTtl = type === 'Service' && principalId === 'dynamodb.amazonaws.com';
  return {
    kind,
    first: record.eventName === 'INSERT',
    place: { stream: /\/stream\/([0-9T:.-]{1,40})$/.exec(record.eventSourceARN ?? '')?.[1] ?? '', sequence },
    key: readItem(Keys),
    image,
    before,
    // A replica of a global table does not say so: there the item's own time tells.
    expired: kind === 'delete' && (byTtl || hasExpired(image, expiry, at)),
    at,
  };
}

/** In Lambda's event a number, in the stream's own client a date. @param {unknown} time */
const secondsOf = (time) => {
  const seconds = time instanceof Date ? time.getTime() / 1000 : Number(time ?? 0);
  return Number.isFinite(seconds) ? seconds : 0;
};

/** Could TTL have removed the item by that time? @param {Item} item @param {string} expiry @param {number} seconds */
export function hasExpired(item, expiry, seconds) {
  const time = Number(item[expiry]?.N ?? NaN);
  return time <= seconds && time > seconds - TTL_REACHES_BACK_SECONDS;
}

/**
 * Does a change stand behind a place? Sequence numbers rise with every write to one item; the number of a new stream may begin
 * lower, but its label is a later time.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
 * @param {Place} one @param {Place} other
 */
export function isBehind(one, other) {
  if (one.stream !== '' && other.stream !== '' && one.stream !== other.stream) return one.stream > other.stream;
  return padded(one) > padded(other);
}

/** Numbers have up to 40 digits. @param {Place} place */
const padded = ({ sequence }) => sequence.padStart(40, '0');
