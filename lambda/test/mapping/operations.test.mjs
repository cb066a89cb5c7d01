import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { HASH_KEY, computeOut, held } from '../support/catalog.mjs';

/** @param {string} text */
const hmac = (text) => createHmac('sha256', HASH_KEY).update(text).digest('hex');

test('a column is carried as it is: NULL, the empty text, blanks, non-ASCII, control characters', () => {
  const out = computeOut({ a: 'text' }, 'text', 'a');
  for (const value of [null, '', ' ', 'Zürich 東京 🏦', 'a\tb\nc\\', '\u0001', 'NULL', '\\N', undefined]) assert.equal(out({ a: value }), value);
});

test('a constant is checked and written as PostgreSQL prints it', () => {
  assert.equal(computeOut({}, 'text', { constant: 'blue' })({}), 'blue');
  assert.equal(computeOut({}, 'text', { constant: null })({}), null);
  assert.equal(computeOut({}, 'boolean', { constant: true })({}), 't');
  assert.equal(computeOut({}, 'numeric(8,3)', { constant: '1.5' })({}), '1.500');
  assert.equal(computeOut({}, 'character(3)', { constant: 'a' })({}), 'a  ');
  assert.equal(computeOut({}, 'timestamp with time zone', { constant: '2026-01-02T03:04:05+01:00' })({}), '2026-01-02 02:04:05+00');
});

test('concat puts texts together, and is NULL when any is', () => {
  const out = computeOut({ a: 'text', b: 'character(4)' }, 'text', { concat: ['a', { constant: '-' }, 'b'] });
  assert.equal(out({ a: 'x', b: 'y   ' }), 'x-y');
  assert.equal(out({ a: '', b: 'y   ' }), '-y');
  assert.equal(out({ a: null, b: 'y' }), null);
});

test('merge puts columns together and leaves NULLs out', () => {
  const out = computeOut({ a: 'text', b: 'text', c: 'boolean' }, 'text', { merge: ['a', 'b', 'c'], separator: ', ' });
  assert.equal(out({ a: 'x', b: 'y', c: 't' }), 'x, y, true');
  assert.equal(out({ a: 'x', b: null, c: 'f' }), 'x, false');
  assert.equal(out({ a: '', b: '', c: null }), ', ');
  assert.equal(out({ a: null, b: null, c: null }), null);
});

test('split takes one part, from either end, or the rest', () => {
  /** @param {object} options */
  const out = (options) => computeOut({ a: 'text' }, 'text', { split: 'a', separator: ' ', ...options });
  assert.equal(out({ part: 1 })({ a: 'Ana María Lee' }), 'Ana');
  assert.equal(out({ part: 2, rest: true })({ a: 'Ana María Lee' }), 'María Lee');
  assert.equal(out({ part: -1 })({ a: 'Ana María Lee' }), 'Lee');
  assert.equal(out({ part: 2 })({ a: 'Ana' }), null);
  assert.equal(out({ part: 2, rest: true })({ a: 'Ana' }), null);
  assert.equal(out({ part: 1 })({ a: '' }), '');
  assert.equal(out({ part: 1 })({ a: null }), null);
});

test('a map takes one value for another; others go to quarantine, are carried or replaced', () => {
  const enums = { state: ['N', 'C'] };
  const targetEnums = { status: ['new', 'captured', 'unknown'] };
  const out = computeOut({ a: 'state' }, 'status', { from: 'a', map: { N: 'new', C: 'captured' } }, { enums, targetEnums });
  assert.deepEqual([out({ a: 'N' }), out({ a: 'C' }), out({ a: null })], ['new', 'captured', null]);
  const text = { from: 'a', map: { N: 'new' } };
  assert.deepEqual(computeOut({ a: 'text' }, 'text', text)({ a: 'X' }), held('a value that the map does not have'));
  assert.equal(computeOut({ a: 'text' }, 'text', { ...text, otherwise: 'carry' })({ a: 'X' }), 'X');
  assert.equal(computeOut({ a: 'text' }, 'text', { ...text, otherwise: { value: 'unknown' } })({ a: 'X' }), 'unknown');
  assert.equal(computeOut({ a: 'boolean' }, 'integer', { from: 'a', map: { true: 1, false: 0 } })({ a: 't' }), '1');
  assert.equal(computeOut({ a: 'text' }, 'text', { from: 'a', map: { constructor: 'x' } })({ a: 'constructor' }), 'x');
  assert.deepEqual(computeOut({ a: 'text' }, 'text', text)({ a: 'constructor' }), held('a value that the map does not have'));
});

test('minor units are exact for every exponent, sign and size', () => {
  const out = computeOut({ amount: 'numeric', currency: 'character(3)' }, 'numeric(40,0)', { minorUnits: 'amount', currency: 'currency' });
  const rows = [
    ['12.34', 'EUR', '1234'], ['12', 'EUR', '1200'], ['12.3', 'EUR', '1230'], ['0.05', 'USD', '5'], ['-0.05', 'USD', '-5'],
    ['12.3400', 'EUR', '1234'], ['0', 'EUR', '0'], ['-0.00', 'EUR', '0'], ['1234', 'JPY', '1234'], ['1234.000', 'JPY', '1234'],
    ['1.234', 'BHD', '1234'], ['1.2', 'KWD', '1200'], ['1.2345', 'CLF', '12345'], ['0.0001', 'UYW', '1'],
    ['99999999999999999999999999999.99', 'CHF', '9999999999999999999999999999999'],
  ];
  for (const [amount, currency, wanted] of rows) assert.equal(out({ amount, currency }), wanted, `${amount} ${currency}`);
  assert.equal(out({ amount: null, currency: 'EUR' }), null);
  assert.equal(out({ amount: null, currency: null }), null);
  assert.deepEqual(out({ amount: '1.005', currency: 'EUR' }), held('an amount with more decimals than its currency has'));
  assert.deepEqual(out({ amount: '1.5', currency: 'JPY' }), held('an amount with more decimals than its currency has'));
  assert.deepEqual(out({ amount: '1', currency: 'XXX' }), held('a currency that ISO 4217 does not list'));
  assert.deepEqual(out({ amount: '1', currency: null }), held('an amount without a currency'));
  for (const amount of ['NaN', 'Infinity', '-Infinity']) assert.deepEqual(out({ amount, currency: 'EUR' }), held('not a finite amount'));
});

test('minor units beyond bigint go to quarantine; a mapping can name its own currencies', () => {
  const big = computeOut({ amount: 'numeric' }, 'bigint', { minorUnits: 'amount', currency: { constant: 'EUR' } });
  assert.equal(big({ amount: '92233720368547758.07' }), '9223372036854775807');
  assert.deepEqual(big({ amount: '92233720368547758.08' }), held('beyond the range of bigint'));
  const own = computeOut({ amount: 'numeric' }, 'bigint', { minorUnits: 'amount', currency: { constant: 'BTC' } }, { mapping: { currencies: { BTC: 8 } } });
  assert.equal(own({ amount: '0.00000001' }), '1');
});

test('a card number is masked to its last four, however it is written', () => {
  const out = computeOut({ pan: 'character varying(23)' }, 'text', { mask: 'pan' });
  assert.equal(out({ pan: '4111111111111111' }), '************1111');
  assert.equal(out({ pan: '4111 1111 1111 1234' }), '************1234');
  assert.equal(out({ pan: '3782-822463-10005' }), '***********0005');
  assert.equal(out({ pan: null }), null);
  assert.equal(computeOut({ pan: 'text' }, 'character(4)', { mask: 'pan', fill: '' })({ pan: '4111111111111111' }), '1111');
  for (const pan of ['', '1234', '1234567', '12 34-56 7']) assert.deepEqual(out({ pan }), held('too short to be masked: fewer than 8 letters and digits'));
});

test('a keyed hash is HMAC-SHA-256 of the UTF-8, as hex or as bytes', () => {
  const pan = '4111111111111111';
  assert.equal(computeOut({ a: 'text' }, 'text', { hash: 'a' })({ a: pan }), hmac(pan));
  assert.equal(computeOut({ a: 'text' }, 'bytea', { hash: 'a' })({ a: 'Zürich' }), `\\x${hmac('Zürich')}`);
  const normalized = computeOut({ a: 'text' }, 'text', { hash: 'a', normalize: 'alphanumeric' });
  assert.equal(normalized({ a: '4111 1111-1111 1111' }), hmac(pan));
  assert.equal(normalized({ a: 'de89 3704' }), hmac('DE893704'));
  assert.equal(normalized({ a: null }), null);
});

test('ifNull stands in for NULL, in the type of the operand', () => {
  assert.equal(computeOut({ a: 'text' }, 'text not null', { from: 'a', ifNull: '-' })({ a: null }), '-');
  assert.equal(computeOut({ a: 'numeric(6,2)' }, 'numeric(6,2) not null', { from: 'a', ifNull: 0 })({ a: null }), '0.00');
  assert.equal(computeOut({ a: 'text' }, 'text', { from: 'a', ifNull: '-' })({ a: '' }), '');
});

test('NULL for a column that takes none goes to quarantine', () => {
  assert.deepEqual(computeOut({ a: 'text' }, 'text not null', 'a')({ a: null }), held('NULL, which the target column does not take'));
});

test('expressions nest', () => {
  const out = computeOut({ a: 'text', b: 'text' }, 'smallint', { concat: [{ constant: '20' }, { split: 'a', separator: '/', part: 2 }] });
  assert.equal(out({ a: '03/29' }), '2029');
  assert.deepEqual(out({ a: '03/2X' }), held('not a whole number'));
  const hashOfParts = computeOut({ a: 'text', b: 'text' }, 'text', { hash: { merge: ['a', 'b'], separator: '|' } });
  assert.equal(hashOfParts({ a: 'x', b: 'y' }), hmac('x|y'));
});

test('a large unchanged column leaves what is computed from it unchanged, or asks for the whole row', () => {
  const full = { kind: 'needsFullRow' };
  const concat = computeOut({ a: 'text', b: 'text' }, 'text', { concat: ['a', { constant: '-' }, 'b'] });
  assert.equal(concat({ a: undefined, b: undefined }), undefined);
  assert.deepEqual(concat({ a: 'x', b: undefined }), full);
  assert.equal(concat({ a: null, b: undefined }), null);
  const merge = computeOut({ a: 'text', b: 'text' }, 'text', { merge: ['a', 'b'] });
  assert.deepEqual([merge({}), merge({ a: null }), merge({ a: 'x' })], [undefined, full, full]);
  const money = computeOut({ a: 'numeric', c: 'text' }, 'bigint', { minorUnits: 'a', currency: 'c' });
  assert.deepEqual([money({}), money({ c: 'EUR' }), money({ a: '1' })], [undefined, full, full]);
  for (const expression of [{ mask: 'a' }, { hash: 'a' }, { split: 'a', separator: ' ', part: 1 }, { from: 'a', map: { x: 'y' } }])
    assert.equal(computeOut({ a: 'text' }, 'text not null', expression)({ a: undefined }), undefined);
});
