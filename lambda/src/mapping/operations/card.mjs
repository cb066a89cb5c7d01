import { createHmac } from 'node:crypto';
import { BYTEA, TEXT } from '../pgtypes.mjs';
import { Problem } from '../problem.mjs';
import { textOf } from '../operand.mjs';

/**
 * What PCI DSS asks for: a card number that can't be read, and one that can still be compared.
 *
 * @typedef {import('../operand.mjs').Context} Context
 * @typedef {import('../operand.mjs').Expression} Expression
 * @typedef {import('../operand.mjs').Spec} Spec
 */

const SHOWN = 4;
/** Of a shorter text the last four would be half or more. */
const SHORTEST = 8;
const TOO_SHORT = new Problem(`too short to be masked: fewer than ${SHORTEST} letters and digits`);

/**
 * The last four letters or digits; the others become `fill` ("*"; "" leaves them out). Blanks and dashes are taken out first.
 * @param {Context} cx @param {Spec} spec @param {string} path @returns {Expression | undefined}
 */
export function mask(cx, spec, path) {
  const compiled = cx.compile(spec['mask'], `${path}.mask`);
  if (compiled === undefined) return undefined;
  const operand = textOf(compiled);
  const fill = String(spec['fill'] ?? '*');
  return {
    ...operand,
    distinct: false,
    column: null,
    compute: (values) => {
      const value = operand.compute(values);
      if (typeof value !== 'string') return value;
      const letters = alphanumeric(value);
      if (letters.length < SHORTEST) return TOO_SHORT;
      return fill.repeat(letters.length - SHOWN) + letters.slice(-SHOWN);
    },
  };
}

/**
 * HMAC-SHA-256 of the text's UTF-8 under the key from Secrets Manager: bytes in a bytea column, else hex. Equal values stay
 * equal across tables, and nobody without the key can try out all card numbers.
 * @param {Context} cx @param {Spec} spec @param {string} path @param {import('../pgtypes.mjs').PgType} expected
 * @returns {Expression | undefined}
 */
export function hash(cx, spec, path, expected) {
  const compiled = cx.compile(spec['hash'], `${path}.hash`);
  const key = cx.hashKey;
  if (key === null) cx.problems.add(`${path}.hash`, spec['hash'], 'a hash takes a key: set HASH_KEY_SECRET_ARN');
  if (compiled === undefined || key === null) return undefined;
  const operand = textOf(compiled);
  const bytes = expected.family === 'bytea';
  const prefix = bytes ? '\\x' : '';
  const normalize = spec['normalize'] === 'alphanumeric';
  return {
    ...operand,
    type: bytes ? BYTEA : TEXT,
    loose: !bytes,
    distinct: operand.distinct && !normalize,
    column: null,
    compute: (values) => {
      const value = operand.compute(values);
      if (typeof value !== 'string') return value;
      const text = normalize ? alphanumeric(value).toUpperCase() : value;
      return prefix + createHmac('sha256', key).update(text).digest('hex');
    },
  };
}

/** @param {string} text */
const alphanumeric = (text) => text.replace(/[^0-9A-Za-z]/g, '');
