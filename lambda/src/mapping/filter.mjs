import { converter } from './convert.mjs';
import { compareDecimals, parseDecimal } from './decimal.mjs';
import { equality } from './equality.mjs';
import { TEXT, shown, typeOf } from './pgtypes.mjs';
import { literal } from './operations/constant.mjs';
import { timeOrder } from './temporal.mjs';

/**
 * The row filter (`where`): which rows of a table belong on green. Two-valued: NULL equals nothing and is in no list or range.
 *
 * @typedef {import('./types.mjs').Value} Value
 * @typedef {import('./operand.mjs').Context} Context
 * @typedef {(values: Value[]) => boolean | undefined} Test `undefined`: it depends on a column that the stream left out
 * @typedef {Record<string, unknown>} Spec
 */

const COMPARISONS = ['equals', 'in', 'notIn', 'isNull', 'atLeast', 'below'];

/**
 * @param {Context} cx @param {Spec} spec @param {string} path
 * @returns {Test}
 */
export function compileFilter(cx, spec, path) {
  if (spec['all'] !== undefined) return every(list(cx, spec, path, 'all'));
  if (spec['any'] !== undefined) return negate(every(list(cx, spec, path, 'any').map(negate)));
  if (spec['not'] !== undefined) return negate(compileFilter(cx, only(cx, spec, path, 'not'), `${path}.not`));
  return comparison(cx, spec, path);
}

/** @param {Context} cx @param {Spec} spec @param {string} path @param {'all' | 'any'} key */
const list = (cx, spec, path, key) =>
  /** @type {Spec[]} */ (/** @type {unknown} */ (only(cx, spec, path, key))).map((part, i) => compileFilter(cx, part, `${path}.${key}[${i}]`));

/** @param {Context} cx @param {Spec} spec @param {string} path @param {string} key @returns {Spec} */
function only(cx, spec, path, key) {
  for (const other of Object.keys(spec)) if (other !== key) cx.problems.addValue(`${path}.${other}`, spec[other], `"${key}" stands alone`);
  return /** @type {Spec} */ (spec[key]);
}

/** @param {Test[]} tests @returns {Test} */
function every(tests) {
  return (values) => {
    let unknown = false;
    for (const test of tests) {
      const holds = test(values);
      if (holds === false) return false;
      if (holds === undefined) unknown = true;
    }
    return unknown ? undefined : true;
  };
}

/** @param {Test} test @returns {Test} */
const negate = (test) => (values) => {
  const holds = test(values);
  return holds === undefined ? undefined : !holds;
};

/** @param {Context} cx @param {Spec} spec @param {string} path @returns {Test} */
function comparison(cx, spec, path) {
  const name = String(spec['column'] ?? '');
  const column = cx.columns.get(name);
  const [kind, ...more] = COMPARISONS.filter((key) => spec[key] !== undefined);
  if (kind === undefined || more.length > 0 || spec['column'] === undefined) {
    cx.problems.add(path, spec, `it takes "column" with one of ${COMPARISONS.join(', ')}; or all, any, not`);
    return () => true;
  }
  if (column === undefined) {
    cx.problems.unknown(`${path}.column`, name, 'a column of the source table', cx.columns.keys());
    return () => true;
  }
  const slot = cx.slot(name);
  const holds = predicate(cx, kind, spec[kind], `${path}.${kind}`, typeOf(column, cx.sourceEnums, 'blue'));
  return (values) => {
    const value = values[slot];
    return value === undefined ? undefined : holds(value);
  };
}

/**
 * @param {Context} cx @param {string} kind @param {unknown} wanted @param {string} path @param {import('./pgtypes.mjs').PgType} type
 * @returns {(value: string | null) => boolean}
 */
function predicate(cx, kind, wanted, path, type) {
  if (kind === 'isNull') return (value) => (value === null) === wanted;
  if (kind === 'atLeast' || kind === 'below') return range(cx, kind, wanted, path, type);
  const many = kind === 'equals' ? [wanted] : /** @type {unknown[]} */ (wanted);
  const key = equality(type);
  if (key === undefined) {
    cx.problems.addValue(path, wanted, `${kind} takes a column of which equal values have one form; ${shown(type)} has several, or knows no equality`);
    return () => true;
  }
  const texts = many.map((one, i) => literal(cx, one, kind === 'equals' ? path : `${path}[${i}]`, type));
  const set = new Set(texts.map((text) => (text === null ? null : key(text))));
  const inside = kind !== 'notIn';
  return (value) => (value !== null && set.has(key(value))) === inside;
}

/**
 * @param {Context} cx @param {'atLeast' | 'below'} kind @param {unknown} wanted @param {string} path
 * @param {import('./pgtypes.mjs').PgType} type @returns {(value: string | null) => boolean}
 */
function range(cx, kind, wanted, path, type) {
  const limit = literal(cx, wanted, path, type.family === 'text' ? TEXT : type);
  const compare = ordering(type.family);
  if (compare === undefined || converter(TEXT, type, { strict: true }) === undefined) {
    cx.problems.addValue(path, wanted, `${kind} takes a column that is a number, a date or a time, not ${type.text}`);
    return () => true;
  }
  if (limit === null) return () => true;
  return kind === 'atLeast'
    ? (value) => value !== null && compare(value, limit) >= 0
    : (value) => value !== null && compare(value, limit) < 0;
}

/** @param {string} family @returns {((a: string, b: string) => number) | undefined} */
function ordering(family) {
  if (family === 'integer' || family === 'numeric') return compareNumbers;
  if (family !== 'date' && !family.startsWith('timestamp')) return undefined;
  return (a, b) => {
    const [left, right] = [timeOrder(a), timeOrder(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  };
}

/** As PostgreSQL orders them: -Infinity, numbers, Infinity, NaN. @param {string} a @param {string} b */
function compareNumbers(a, b) {
  const [left, right] = [parseDecimal(a), parseDecimal(b)];
  if (left !== undefined && right !== undefined) return compareDecimals(left, right);
  const rank = (/** @type {string} */ text) => (text === '-Infinity' ? -1 : text === 'Infinity' ? 1 : text === 'NaN' ? 2 : 0);
  return rank(a) - rank(b);
}
