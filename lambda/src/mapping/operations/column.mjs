import { parseType, TEXT } from '../pgtypes.mjs';
import { converter } from '../convert.mjs';
import { Problem } from '../problem.mjs';
import { textOf } from '../operand.mjs';
import { literal } from './constant.mjs';

/**
 * @typedef {import('../operand.mjs').Context} Context
 * @typedef {import('../operand.mjs').Expression} Expression
 * @typedef {import('../operand.mjs').Spec} Spec
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
  return {
    type: parseType(known.type, cx.sourceEnums),
    compute: (values) => values[slot],
    loose: false,
    nullable: !known.notNull,
    distinct: true,
    uses: [name],
    column: name,
  };
}

const NOT_MAPPED = new Problem('a value that the map does not have');

/**
 * One value for another (`map`). What is not on the list goes to quarantine, unless `otherwise` says "carry" or gives a value.
 * @param {Context} cx @param {Spec} spec @param {string} path @param {Expression} operand
 * @param {import('../pgtypes.mjs').PgType} expected @returns {Expression | undefined}
 */
export function mapped(cx, spec, path, operand, expected) {
  const pairs = Object.entries(/** @type {Record<string, unknown>} */ (spec['map']));
  const otherwise = spec['otherwise'];
  checkLabels(cx, pairs.map(([key]) => key), `${path}.map`, operand, otherwise !== undefined);
  const values = pairs.map(([key, value]) => literal(cx, value, `${path}.map.${key}`, TEXT));
  const fallback =
    typeof otherwise === 'object' && otherwise !== null
      ? literal(cx, /** @type {Spec} */ (otherwise)['value'], `${path}.otherwise.value`, TEXT)
      : undefined;
  checkResults(cx, [...values, ...(fallback === undefined ? [] : [fallback])], `${path}.map`, expected);

  const table = new Map(pairs.map(([key], i) => [key, values[i]]));
  const text = textOf(operand);
  const carry = otherwise === 'carry';
  return {
    ...text,
    nullable: operand.nullable || values.includes(null) || fallback === null,
    distinct: operand.distinct && otherwise !== 'carry' && fallback === undefined && new Set(values).size === values.length && !values.includes(null),
    column: null,
    compute: (row) => {
      const value = text.compute(row);
      if (typeof value !== 'string') return value;
      const found = table.get(value);
      if (found !== undefined) return found;
      return carry ? value : fallback === undefined ? NOT_MAPPED : fallback;
    },
  };
}

/** An enum has known labels: all are mapped, and nothing else. @param {Context} cx @param {string[]} keys @param {string} path @param {Expression} operand @param {boolean} open */
function checkLabels(cx, keys, path, operand, open) {
  const { labels } = operand.type;
  if (labels === undefined) return;
  for (const key of keys) if (!labels.includes(key)) cx.problems.unknown(`${path}.${key}`, key, `a label of ${operand.type.text}`, labels);
  const missing = open ? [] : labels.filter((label) => !keys.includes(label));
  if (missing.length > 0) cx.problems.add(path, keys, `it takes every label of ${operand.type.text}, or "otherwise"; missing: ${missing.join(', ')}`);
}

/** @param {Context} cx @param {(string | null)[]} values @param {string} path @param {import('../pgtypes.mjs').PgType} expected */
function checkResults(cx, values, path, expected) {
  const convert = converter(TEXT, expected, { strict: true });
  for (const value of values) {
    const fits = value === null || convert === undefined ? undefined : convert(value);
    if (!(fits instanceof Problem)) continue;
    if (expected.labels !== undefined) cx.problems.unknown(path, String(value), `a label of ${expected.text}`, expected.labels);
    else cx.problems.add(path, value, `it takes values of ${expected.text}: ${fits.reason}`);
  }
}
