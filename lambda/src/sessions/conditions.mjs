import { placeOf, timeOf } from './change.mjs';

/** The attribute of a tombstone that holds its place in blue's stream. */
export const PLACE = 'migration_place';

/**
 * Who is the last writer: the higher version; with equal versions, or without any, the later time. A change that is equal in
 * both is written again (it is the same one, or a later one within the clock's grain: the stream is in order).
 *
 * @typedef {import('./change.mjs').Change} Change
 * @typedef {import('../lib/config.mjs').Attributes} Attributes
 * @typedef {{ConditionExpression: string, ExpressionAttributeNames: Record<string, string>,
 *   ExpressionAttributeValues?: Record<string, import('./change.mjs').AttributeValue>}} Condition
 */
export class Conditions {
  /** @param {Attributes} attributes @param {Change} change */
  constructor(attributes, change) {
    this.attributes = attributes;
    this.change = change;
    this.pk = /** @type {string} */ (Object.keys(change.key)[0]);
  }

  /** Green's session is older than the change, equal or not there. A session whose life green has prolonged does not end by blue's TTL. @returns {Condition} */
  notOlderThanGreen() {
    const { version, time, expiry } = this.attributes;
    const { image } = this.change;
    const sameAge = image[time] === undefined ? 'attribute_not_exists(#t)' : '(attribute_not_exists(#t) OR #t <= :t)';
    const older =
      image[version] === undefined
        ? `(attribute_not_exists(#v) AND ${sameAge})`
        : `(#v < :v OR ((attribute_not_exists(#v) OR #v = :v) AND ${sameAge}))`;
    const ttl = this.change.kind === 'delete' && this.change.expired && image[expiry] !== undefined;
    const wins = ttl ? `(${older} AND (attribute_not_exists(#e) OR #e <= :e))` : older; // DynamoDB refuses double parentheses
    return this.#condition(`attribute_not_exists(#pk) OR ${wins}`, {
      ...(image[version] && { ':v': image[version] }),
      ...(image[time] && { ':t': image[time] }),
      ...(ttl && { ':e': image[expiry] }),
    });
  }

  /**
   * A put that follows the deletion in the stream and is not older than what was deleted: higher in version, or as late in time
   * (a new session under an old key starts its versions anew).
   * @returns {Condition}
   */
  laterThanTombstone() {
    const { version, time } = this.attributes;
    const { image } = this.change;
    const notOlder = image[version] === undefined ? '#t <= :t' : '(#t <= :t OR #v < :v)';
    return this.#condition(`attribute_not_exists(#pk) OR (#p <= :p AND ${notOlder})`, {
      ':p': placeOf(this.change),
      ':t': timeOf(this.change, time),
      ...(image[version] && { ':v': image[version] }),
    });
  }

  /** A tombstone only ever rises, so a deletion that comes again does not end a new session under its key. @returns {Condition} */
  tombstoneMayRise() {
    return this.#condition('attribute_not_exists(#pk) OR #p < :p', { ':p': placeOf(this.change) });
  }

  /** @param {string} expression @param {Record<string, import('./change.mjs').AttributeValue | undefined>} values @returns {Condition} */
  #condition(expression, values) {
    const { version, time, expiry } = this.attributes;
    const names = { '#pk': this.pk, '#v': version, '#t': time, '#e': expiry, '#p': PLACE };
    const used = Object.entries(names).filter(([name]) => new RegExp(`${name}\\b`).test(expression));
    const given = /** @type {[string, import('./change.mjs').AttributeValue][]} */ (
      Object.entries(values).filter(([name, value]) => value !== undefined && new RegExp(`${name}\\b`).test(expression))
    );
    return {
      ConditionExpression: expression,
      ExpressionAttributeNames: Object.fromEntries(used),
      ...(given.length > 0 && { ExpressionAttributeValues: Object.fromEntries(given) }),
    };
  }
}
