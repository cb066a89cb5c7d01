import { converter } from '../convert.mjs';
import { TEXT } from '../pgtypes.mjs';
import { Problem } from '../problem.mjs';
import { WORD } from '../problems.mjs';

/**
 * @typedef {import('../operand.mjs').Context} Context
 * @typedef {import('../operand.mjs').Expression} Expression
 * @typedef {import('../pgtypes.mjs').PgType} PgType
 */

/** Types whose values are read by PostgreSQL alone, or (bytea) otherwise than a text is made one. */
const ASKED = new Set(['float', 'bytea', 'other']);

const NO_CONSTANT = new Problem('no constant can be written for this type');

/**
 * A value of JSON as PostgreSQL prints it in a type.
 * @param {Context} cx @param {unknown} value @param {string} path @param {PgType} type @returns {string | null}
 */
export function literal(cx, value, path, type) {
  if (value === null) return null;
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    cx.problems.addValue(path, value, 'it takes whole numbers up to 2^53; write others as text, so that no digit is lost');
    return null;
  }
  const text = String(value);
  const fits = formOf(cx, text, type);
  if (typeof fits === 'string') return fits;
  if (type.labels !== undefined) cx.problems.unknown(path, text, `a label of ${type.text}`, type.labels, WORD);
  else cx.problems.addValue(path, value, `it takes a value of ${type.text}: ${fits.reason}`);
  return null;
}

/** What PostgreSQL prints for a text of the mapping, or why there is no such value. @param {Context} cx @param {string} text @param {PgType} type */
export function formOf(cx, text, type) {
  const convert = converter(TEXT, type, { strict: true });
  if (convert === undefined) return NO_CONSTANT;
  return ASKED.has(type.family) ? cx.literals.form(type, text) : convert(text);
}

/**
 * The same value in every row.
 * @param {Context} cx @param {import('../operand.mjs').Spec} spec @param {string} path @param {PgType} expected @returns {Expression}
 */
export function constant(cx, spec, path, expected) {
  const text = literal(cx, spec['constant'], `${path}.constant`, expected);
  return { type: expected, compute: () => text, loose: false, nullable: text === null, distinct: true, uses: [], column: null };
}
