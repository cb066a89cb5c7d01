import { PermanentError } from '../lib/errors.mjs';
import { hasExpired, isBehind } from './change.mjs';
import { sameItem } from './item.mjs';
import { orderOf } from './order.mjs';

/**
 * What a change of blue does to green: a pure function of the change, of green's item and of the checkpoint (what blue's stream
 * had last said about this session).
 *
 * As long as nobody but this function writes to a session on green, blue's stream alone tells the order. Only where green's
 * application has written too, the attributes decide.
 *
 * @typedef {import('./change.mjs').Change} Change
 * @typedef {import('./item.mjs').Item} Item
 * @typedef {import('../lib/config.mjs').Attributes} Attributes
 *
 * @typedef {object} Known
 * @property {Item | undefined} green the session on green
 * @property {string | undefined} fingerprint of it
 * @property {import('./checkpoints.mjs').Checkpoint | undefined} checkpoint
 *
 * @typedef {'put' | 'delete' | 'keep' | 'ignore'} Decision `keep`: green stays as it is and the checkpoint moves; `ignore`: neither changes
 */

/** @param {Change} change @param {Known} known @param {Attributes} attributes @param {number} now seconds since 1970 @returns {Decision} */
export function decide(change, known, attributes, now) {
  const { green, checkpoint } = known;
  const { kind, image, before } = change;
  if (checkpoint !== undefined) {
    if (!isBehind(change.place, checkpoint.place)) return 'ignore'; // it comes again, or late
    // The stream has no record of a write that changes nothing, and what blue had deleted was not there to be written over.
    if (kind === 'put' && before !== undefined && checkpoint.fingerprint === undefined && sameItem(before, image)) return 'ignore';
  }
  if (green === undefined) return kind === 'put' && !endedOnGreen(change, checkpoint, attributes, now) ? 'put' : 'keep';
  if (kind === 'put' && sameItem(green, image)) return 'keep';
  if (checkpoint !== undefined && checkpoint.fingerprint === known.fingerprint) return kind; // nobody wrote since
  if (sameItem(green, before)) return kind;
  return conflict(change, green, attributes);
}

/**
 * Green's application has ended a session (a logout) that blue goes on writing: it stays ended until blue begins a new one under the
 * key. A session that had expired may have been removed by green's TTL, which says nothing.
 * @param {Change} change @param {Known['checkpoint']} checkpoint @param {Attributes} attributes @param {number} now
 */
function endedOnGreen({ first, before, image }, checkpoint, attributes, now) {
  if (checkpoint?.fingerprint === undefined || first) return false;
  return before === undefined || !(hasExpired(before, attributes.expiry, now) || startsAgain(before, image, attributes));
}

/** A version that goes back is of a new session, written over the old one. @param {Item} before @param {Item} image @param {Attributes} attributes */
const startsAgain = (before, image, { version }) => {
  const [was, is] = [before[version], image[version]];
  return was !== undefined && is !== undefined && orderOf({ version: was }, { version: is }, { version: 'version', time: 'none', expiry: 'none' }).order === 'later';
};

/** Both sides have written. @param {Change} change @param {Item} green @param {Attributes} attributes @returns {Decision} */
function conflict({ kind, image, expired }, green, attributes) {
  const order = orderOf(green, image, attributes);
  if (order.order === 'later') return 'keep';
  if (expired) {
    // Green's own TTL ends its item; only one that green has not prolonged ends with blue's. One without a time of its own never ends by itself.
    const [theirs, ours] = [Number(image[attributes.expiry]?.N ?? NaN), Number(green[attributes.expiry]?.N ?? NaN)];
    return order.order === 'unknown' || !(ours <= theirs) ? 'keep' : 'delete';
  }
  if (order.order === 'unknown')
    throw new PermanentError('NOT_COMPARABLE', `green's application and blue have both written a session, and which is later can't be told: ${order.why}`, {
      hint: 'a version is a number, a time a number or an ISO 8601 text with its zone, the same kind on both sides: see README.md, sessions',
    });
  return kind;
}
