import { ident, literal } from './text.mjs';
import { withoutDomains } from './types.mjs';

/**
 * Comparisons of keys, with the operators of the key's own index. Types may live outside pg_catalog (citext, ltree): there `=` is either not
 * found or, worse, that of another type.
 *
 * @typedef {import('./catalog.mjs').Operators} Operators
 * @typedef {{type: string, nested?: boolean}} ValueType `type`: for casts that check nothing; `nested`: an array or a composite type, which `unnest` takes apart
 * @typedef {ValueType & {name: string, operators: Operators}} KeyColumn
 */

/** @param {import('./catalog.mjs').Table} table @returns {KeyColumn[]} */
export const primaryKey = (table) =>
  table.primaryKey.map((name, i) => ({ name, ...valueType(table, name), operators: /** @type {Operators} */ (table.keyOperators[i]) }));

/** @param {import('./catalog.mjs').Table} table @param {string} name of a column @returns {ValueType} */
export function valueType({ columns }, name) {
  const { baseType: type = 'text', definition } = columns.find((column) => column.name === name) ?? {};
  const kind = definition && withoutDomains({ text: type, definition }).definition.kind;
  return { type, nested: kind === 'array' || kind === 'composite' };
}

/** A value of the column, as SQL. @param {KeyColumn} column @param {string | null | undefined} value */
export const typedValue = ({ type }, value) => (value === null || value === undefined ? `NULL::${type}` : `${literal(value)}::${type}`);

/** @param {KeyColumn[]} key @param {(column: KeyColumn, i: number) => string} left @param {(column: KeyColumn, i: number) => string} right */
export const sameKey = (key, left, right) => key.map((column, i) => `${left(column, i)} ${column.operators.eq} ${right(column, i)}`).join(' AND ');

/** The same for two rows of one table by their aliases. @param {KeyColumn[]} key @param {string} left @param {string} right */
export const joinedBy = (key, left, right) => sameKey(key, ({ name }) => `${left}.${ident(name)}`, ({ name }) => `${right}.${ident(name)}`);

/** @param {KeyColumn[]} key @param {(string | null | undefined)[]} values */
export const isKey = (key, values) => sameKey(key, ({ name }) => ident(name), (column, i) => typedValue(column, values[i]));

/**
 * Keys after (or up to) this one in the order of the index.
 * @param {KeyColumn[]} key @param {string[]} values @param {'gt' | 'le'} how @param {(column: KeyColumn) => string} [left]
 */
export function beyond(key, values, how, left = ({ name }) => ident(name)) {
  const right = key.map((column, i) => typedValue(column, values[i]));
  const [first] = /** @type {[KeyColumn]} */ (key);
  const alike = key.every(({ operators }) => operators[how] === first.operators[how]);
  if (alike) return `(${key.map(left).join(', ')}) ${first.operators[how]} (${right.join(', ')})`;
  // Operators of several schemas: a row comparison takes only one name.
  const strict = how === 'gt' ? 'gt' : 'lt';
  const steps = key.map((column, i) => {
    const equal = key.slice(0, i).map((before, n) => `${left(before)} ${before.operators.eq} ${right[n]}`);
    const last = how === 'le' && i === key.length - 1 ? 'le' : strict;
    return `(${[...equal, `${left(column)} ${column.operators[last]} ${right[i]}`].join(' AND ')})`;
  });
  const bound = how === 'gt' ? 'ge' : 'le'; // what an index can use
  return `(${left(first)} ${first.operators[bound]} ${right[0]} AND (${steps.join(' OR ')}))`;
}

/**
 * Values as rows of a set named `w`, for FROM: one array for each column, since PostgreSQL takes some microseconds to read a literal of its own for each value. Each element is read by the input
 * function of its type, as a literal is. An array of arrays is something else, and of composite values each attribute would be a column of the set: those are carried as text.
 * @param {ValueType[]} columns @param {(string | null | undefined)[][]} rows
 * @returns {{set: string, value: (i: number) => string}} `value`: the column in a row of the set, as SQL; `w.n` numbers the rows from 1
 */
export function valueSet(columns, rows) {
  const arrays = columns.map(({ type, nested }, i) => `${literal(`{${rows.map((row) => element(row[i])).join(',')}}`)}::${nested === true ? 'text' : type}[]`);
  return {
    set: `unnest(${arrays.join(', ')}) WITH ORDINALITY AS w(${columns.map((_, i) => `v${i}`).join(', ')}, n)`,
    value: (i) => (columns[i]?.nested === true ? `w.v${i}::${columns[i]?.type}` : `w.v${i}`),
  };
}

/** @param {string | null | undefined} value */
const element = (value) => (value === null || value === undefined ? 'NULL' : PLAIN.test(value) ? `"${value}"` : `"${value.replace(/["\\]/g, '\\$&')}"`);
const PLAIN = /^[^"\\]*$/;

/**
 * FROM and WHERE for the rows with one of these keys.
 * @param {KeyColumn[]} key @param {string} from @param {(string | null | undefined)[][]} keys
 */
export function withKeys(key, from, keys) {
  const { set, value } = valueSet(key, keys);
  return `${set} JOIN ${from} AS t ON ${sameKey(key, ({ name }) => `t.${ident(name)}`, (_, i) => value(i))}`;
}

/** A query for the numbers (from 1) of those of these keys that no row has. @param {KeyColumn[]} key @param {string} from @param {(string | null | undefined)[][]} keys */
export function withoutKeys(key, from, keys) {
  const { set, value } = valueSet(key, keys);
  return `SELECT w.n FROM ${set} WHERE NOT EXISTS (SELECT FROM ${from} t WHERE ${sameKey(key, ({ name }) => `t.${ident(name)}`, (_, i) => value(i))})`;
}
