import { contains } from '../../pg/types.mjs';
import { WORD, keyOfMap } from '../problems.mjs';
import { equality } from '../equality.mjs';
import { TEXT, sameText, shown, typeOf } from '../pgtypes.mjs';
import { Problem } from '../problem.mjs';
import { apply, textOf } from '../operand.mjs';
import { formOf, literal } from './constant.mjs';

/**
 * @typedef {import('../operand.mjs').Context} Context
 * @typedef {import('../operand.mjs').Expression} Expression
 * @typedef {import('../operand.mjs').Spec} Spec
 * @typedef {import('../pgtypes.mjs').PgType} PgType
 */

/**
 * A source column as it is: carried or renamed.
 * @param {Context} cx @param {string} name @param {string} path @returns {Expression | undefined}
 */
export function column(cx, name, path) {
  const known = cx.columns.get(name);
  if (known === undefined) {
    cx.problems.unknown(path, name, 'a column of the source table', cx.columns.keys());
    return undefined;
  }
  const slot = cx.slot(name);
  /** @type {Expression} */
  const expression = {
    type: typeOf(known, cx.sourceEnums, 'blue'),
    compute: (values) => values[slot],
    loose: false,
    nullable: !known.notNull,
    distinct: true,
    uses: [name],
    column: name,
  };
  return known.definition !== undefined && contains(known.definition, isByte) ? apply(expression, asByte) : expression;
}

/** A value of `"char"` is one byte, which PostgreSQL prints as it is: alone it may be no text in UTF-8 (charout in char.c), and is read as another one then. @param {import('../../pg/types.mjs').TypeDefinition} type */
const isByte = ({ kind, name }) => kind === 'builtin' && name === '"char"';
const NO_TEXT = new Problem('a byte of the type "char" that is no text in UTF-8');

/** @param {string} text */
const asByte = (text) => (text.includes('\uFFFD') ? NO_TEXT : text);

const NOT_MAPPED = new Problem('a value that the map does not have');

/**
 * One value for another (`map`). What is not on the list goes to quarantine, unless `otherwise` says "carry" or gives a value.
 * @param {Context} cx @param {Spec} spec @param {string} path @param {Expression} operand
 * @param {PgType} expected @returns {Expression | undefined}
 */
export function mapped(cx, spec, path, operand, expected) {
  const pairs = Object.entries(/** @type {Record<string, unknown>} */ (spec['map']));
  const otherwise = spec['otherwise'];
  checkLabels(cx, pairs.map(([key]) => key), `${path}.map`, operand, otherwise !== undefined);
  const carry = otherwise === 'carry';
  const kept = carry && !operand.loose && operand.type.family !== 'text' && sameText(operand.type, expected); // the value itself, not its text
  const read = carry && !kept ? TEXT : expected;
  const values = pairs.map(([key, value], i) => result(cx, value, `${path}.map.${keyOfMap(key, i)}`, read, expected));
  const fallback =
    typeof otherwise === 'object' && otherwise !== null
      ? result(cx, /** @type {Spec} */ (otherwise)['value'], `${path}.otherwise.value`, read, expected)
      : undefined;

  const one = equality(operand.type);
  const asPrinted = operand.type.family === 'json' || operand.type.family === 'jsonb'; // values of these are looked up as PostgreSQL prints them
  if (one === undefined && !asPrinted && otherwise !== undefined && otherwise !== 'quarantine')
    cx.problems.addValue(`${path}.otherwise`, otherwise, `it takes "quarantine" here: equal values of ${shown(operand.type)} have several forms, and one that is on the list in another form would be taken for one that is not`);
  const keyOf = one ?? ((/** @type {string} */ value) => value);
  const table = new Map(pairs.map(([key], i) => [mapKey(cx, key, `${path}.map.${keyOfMap(key, i)}`, operand.type, keyOf), values[i]]));
  const text = textOf(operand);
  return {
    ...text,
    type: read,
    loose: carry && !kept,
    nullable: operand.nullable || values.includes(null) || fallback === null,
    distinct: operand.distinct && !carry && fallback === undefined && new Set(values).size === values.length && !values.includes(null),
    column: null,
    compute: (row) => {
      const value = operand.compute(row);
      if (typeof value !== 'string') return value;
      const found = table.get(keyOf(value));
      if (found !== undefined) return found;
      return carry ? (kept ? value : text.compute(row)) : fallback === undefined ? NOT_MAPPED : fallback;
    },
  };
}

/**
 * A key of the map as the values are compared with it; one that is no value of the type meets none.
 * @param {Context} cx @param {string} key @param {string} path @param {PgType} type @param {(text: string) => string} keyOf
 */
function mapKey(cx, key, path, type, keyOf) {
  if (type.family === 'text' || type.family === 'bytea') return keyOf(key);
  const form = formOf(cx, key, type);
  if (typeof form === 'string') return keyOf(form);
  if (type.family === 'float' || type.family === 'other') cx.problems.addValue(path, key, `it takes a value of ${type.text}: ${form.reason}`);
  return key;
}

/**
 * A value of the map: checked against the type it is on its way to, though beside carried values it stays a text.
 * @param {Context} cx @param {unknown} value @param {string} path @param {PgType} type @param {PgType} expected
 */
function result(cx, value, path, type, expected) {
  const checked = literal(cx, value, path, expected);
  return type === expected ? checked : literal(cx, value, path, type);
}

/** An enum has known labels: all are mapped, and nothing else. @param {Context} cx @param {string[]} keys @param {string} path @param {Expression} operand @param {boolean} open */
function checkLabels(cx, keys, path, operand, open) {
  const { labels } = operand.type;
  if (labels === undefined) return;
  for (const [i, key] of keys.entries()) if (!labels.includes(key)) cx.problems.unknown(`${path}.${keyOfMap(key, i)}`, key, `a label of ${operand.type.text}`, labels, WORD);
  const missing = open ? [] : labels.filter((label) => !keys.includes(label));
  if (missing.length > 0) cx.problems.add(path, keys, `it takes every label of ${operand.type.text}, or "otherwise"; missing: ${missing.join(', ')}`);
}
