import { compareDecimals, parseDecimal } from '../mapping/decimal.mjs';

/**
 * Which of two states of a session is the later one, by its own attributes: the higher version; with equal versions, or where one
 * has none, the later time; then the later expiry. It is asked only where the stream does not show the order: green's application
 * has written too.
 *
 * @typedef {import('./item.mjs').Item} Item
 * @typedef {import('./item.mjs').AttributeValue} AttributeValue
 * @typedef {import('../lib/config.mjs').Attributes} Attributes
 * @typedef {{order: 'earlier' | 'same' | 'later'} | {order: 'unknown', why: string}} Order of the one (green's) against the other (blue's)
 */

/** @param {Item} one @param {Item} other @param {Attributes} attributes @returns {Order} */
export function orderOf(one, other, { version, time, expiry }) {
  let compared = false;
  /** @type {string | undefined} */
  let unlike;
  for (const [variable, name] of /** @type {const} */ ([['VERSION_ATTRIBUTE', version], ['TIME_ATTRIBUTE', time], ['TTL_ATTRIBUTE', expiry]])) {
    const [a, b] = [one[name], other[name]];
    if (a === undefined || b === undefined) continue;
    if (variable === 'TTL_ATTRIBUTE' && unlike !== undefined) break; // it says less than the others: what they leave open it does not decide
    const sign = compareValues(a, b);
    if (sign === undefined) unlike ??= `${shown(variable, name)} is ${kindOf(a)} on green and ${kindOf(b)} in blue's change`;
    else if (sign !== 0) return { order: sign < 0 ? 'earlier' : 'later' };
    else compared = true;
  }
  if (compared && unlike === undefined) return { order: 'same' };
  return { order: 'unknown', why: unlike ?? 'they have none of the attributes of VERSION_ATTRIBUTE, TIME_ATTRIBUTE and TTL_ATTRIBUTE in common' };
}

/** @param {AttributeValue} a @param {AttributeValue} b @returns {number | undefined} */
function compareValues(a, b) {
  if (a.N !== undefined && b.N !== undefined) return compareNumbers(a.N, b.N);
  if (a.S === undefined || b.S === undefined) return undefined;
  if (a.S === b.S) return 0;
  const [one, other] = [instant(a.S), instant(b.S)];
  if (one !== undefined && other !== undefined) return one.zoned === other.zoned ? compareNumbers(one.seconds, other.seconds) : undefined;
  return compareNumbers(a.S, b.S);
}

/** @param {string} a @param {string} b */
function compareNumbers(a, b) {
  const [one, other] = [parseDecimal(a), parseDecimal(b)];
  return one === undefined || other === undefined ? undefined : compareDecimals(one, other);
}

/** A date and time of ISO 8601 as exact seconds since 1970. @param {string} text */
function instant(text) {
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)?(Z|[+-]\d\d(?::?\d\d)?)?$/i.exec(text);
  if (parts === null) return undefined;
  const [, day, minutes, seconds = '00', fraction = '0', zone] = parts;
  const offset = zone === undefined || /z/i.test(zone) ? 'Z' : zone.length === 3 ? `${zone}:00` : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const at = Date.parse(`${day}T${minutes}:${seconds}${offset}`);
  if (Number.isNaN(at)) return undefined;
  return { zoned: zone !== undefined, seconds: String(BigInt(at / 1000) * 10n ** 18n + BigInt(fraction.padEnd(18, '0'))) };
}

/** @param {AttributeValue} value */
function kindOf(value) {
  if (value.N !== undefined) return 'a number';
  if (value.S === undefined) return 'neither a number nor a text';
  return instant(value.S) !== undefined ? (instant(value.S)?.zoned ? 'an ISO 8601 time' : 'an ISO 8601 time without a zone') : parseDecimal(value.S) !== undefined ? 'a number as text' : 'a text that is no ISO 8601 time';
}

/** The attribute's own name only where it can't be something else that was put into the variable. @param {string} variable @param {string} name */
const shown = (variable, name) => (['version', 'updated_at', 'expires_at'].includes(name) ? `the attribute ${name} (${variable})` : `the attribute of ${variable}`);
