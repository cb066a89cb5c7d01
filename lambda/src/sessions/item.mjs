import { createHmac } from 'node:crypto';
import { PermanentError } from '../lib/errors.mjs';
import { parseDecimal, printDecimal } from '../mapping/decimal.mjs';

/**
 * Items as DynamoDB's JSON: checked, compared by what they mean, and as a fingerprint that tells nothing about them.
 *
 * @typedef {import('@aws-sdk/client-dynamodb').AttributeValue} AttributeValue
 * @typedef {Record<string, AttributeValue>} Item
 */

/** DynamoDB itself adds such attributes to a replica of a global table (version 2017.11.29); they belong to that replica. */
const OF_REPLICAS = 'aws:rep:';

/** @param {unknown} raw of an event: JSON, so binary values are base64 @returns {Item} */
export const readItem = (raw) => Object.fromEntries(Object.entries(readMap(raw)).filter(([name]) => !name.startsWith(OF_REPLICAS)));

/** @param {unknown} raw @returns {Item} */
function readMap(raw) {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw malformed();
  return Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, readValue(value)]));
}

/** The AWS client writes items by plain assignment, which loses the name `__proto__` without an error. @param {Item} item @returns {boolean} */
export const canBeWritten = (item) => Object.entries(item).every(([name, value]) => name !== '__proto__' && partsOf(value).every(canBeWritten));

/** The maps within a value. @param {AttributeValue} value @returns {Item[]} */
const partsOf = (value) => (value.M !== undefined ? [value.M] : (value.L ?? []).flatMap(partsOf));

/** @type {Record<string, (content: any) => any>} */
const READ = {
  S: (text) => expect(typeof text === 'string', text),
  N: (text) => expect(typeof text === 'string' && parseDecimal(text) !== undefined, text),
  B: (content) => readBytes(content),
  BOOL: (flag) => expect(typeof flag === 'boolean', flag),
  NULL: (flag) => expect(flag === true, flag),
  SS: (texts) => readList(texts, READ['S']),
  NS: (texts) => readList(texts, READ['N']),
  BS: (list) => readList(list, readBytes),
  L: (list) => readList(list, readValue),
  M: (map) => readMap(map),
};

/** @param {unknown} raw @returns {AttributeValue} */
function readValue(raw) {
  const entries = typeof raw === 'object' && raw !== null ? Object.entries(raw).filter(([, content]) => content !== undefined) : [];
  const [[type, content] = ['', undefined]] = entries;
  if (entries.length !== 1 || !Object.hasOwn(READ, type)) throw malformed();
  return /** @type {AttributeValue} */ ({ [type]: READ[type]?.(content) });
}

/** @template T @param {boolean} holds @param {T} value @returns {T} */
function expect(holds, value) {
  if (!holds) throw malformed();
  return value;
}

/** @param {unknown} list @param {((content: any) => any) | undefined} read */
const readList = (list, read) => expect(Array.isArray(list), /** @type {any[]} */ (list)).map((content) => read?.(content));

/** @param {unknown} content base64, or bytes already */
function readBytes(content) {
  if (content instanceof Uint8Array) return content;
  return Buffer.from(expect(typeof content === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(content), /** @type {string} */ (content)), 'base64');
}

const malformed = () => new PermanentError('EVENT', 'a record holds an attribute that is none of DynamoDB', { hint: 'this function takes batches of a DynamoDB stream, unchanged' });

/** One text for all ways to write the same item: attributes and sets in order, numbers without needless digits. @param {Item} item @returns {string} */
export const canonical = (item) => JSON.stringify(canonicalMap(item));

/** @param {Item} map */
const canonicalMap = (map) =>
  Object.entries(map)
    .map(([name, value]) => [name, canonicalValue(value)])
    .sort(([a], [b]) => (/** @type {string} */ (a) < /** @type {string} */ (b) ? -1 : 1));

/** @param {AttributeValue} value @returns {unknown} */
function canonicalValue(value) {
  if (value.N !== undefined) return ['N', canonicalNumber(value.N)];
  if (value.B !== undefined) return ['B', base64(value.B)];
  if (value.SS !== undefined) return ['SS', [...value.SS].sort()];
  if (value.NS !== undefined) return ['NS', value.NS.map(canonicalNumber).sort()];
  if (value.BS !== undefined) return ['BS', value.BS.map(base64).sort()];
  if (value.L !== undefined) return ['L', value.L.map(canonicalValue)];
  if (value.M !== undefined) return ['M', canonicalMap(value.M)];
  return Object.entries(value).filter(([, content]) => content !== undefined);
}

/** @param {string} text */
function canonicalNumber(text) {
  const decimal = parseDecimal(text);
  return decimal === undefined ? text : printDecimal({ ...decimal, fraction: decimal.fraction.replace(/0+$/, '') });
}

/** @param {Uint8Array} content */
const base64 = (content) => Buffer.from(content).toString('base64');

/** @param {Item | undefined} one @param {Item | undefined} other */
export const sameItem = (one, other) => one === other || (one !== undefined && other !== undefined && canonical(one) === canonical(other));

/**
 * An item as a keyed hash: without the key nobody can try out what it may have been.
 * @param {Buffer} key @param {'session' | 'content'} what the item is taken for @param {Item} item
 */
export const fingerprint = (key, what, item) => createHmac('sha256', key).update(`${what}\n${canonical(item)}`).digest('base64url');
