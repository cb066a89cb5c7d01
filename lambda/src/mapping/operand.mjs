import { asText, unchanged } from './convert.mjs';
import { TEXT } from './pgtypes.mjs';

/**
 * What expressions are made of, and what they are compiled against.
 *
 * @typedef {import('./pgtypes.mjs').PgType} PgType
 * @typedef {import('./problem.mjs').Compute} Compute
 * @typedef {import('./problem.mjs').Convert} Convert
 * @typedef {import('./types.mjs').Column} Column
 *
 * @typedef {object} Expression a part of the mapping, ready to run
 * @property {PgType} type of what it computes
 * @property {Compute} compute
 * @property {boolean} loose its text was put together and may be nothing that `type` prints: it is checked on its way
 * @property {boolean} nullable
 * @property {boolean} distinct different source values give different results: fit for a key
 * @property {string[]} uses the source columns it reads
 * @property {string | null} column set when it is a source column as it is
 *
 * @typedef {object} Context what the expressions of one table are compiled against
 * @property {ReadonlyMap<string, Column>} columns of the source
 * @property {(name: string) => number} slot where a source column stands among the values
 * @property {(spec: unknown, path: string, expected?: PgType) => Expression | undefined} compile an operand: a column's name or an
 *   expression in itself
 * @property {Record<string, string[]>} sourceEnums
 * @property {Record<string, string[]>} targetEnums
 * @property {ReadonlyMap<string, number>} exponents of currencies
 * @property {Buffer | null} hashKey
 * @property {import('./literals.mjs').Literals} literals
 * @property {import('./problems.mjs').Problems} problems
 *
 * @typedef {Record<string, unknown>} Spec the JSON of an expression; its shape was checked with the JSON Schema
 */

/** An operand whose values, where they are there, go through a function. @param {Expression} operand @param {Convert} convert @returns {Expression} */
export function apply(operand, convert) {
  if (convert === unchanged) return operand;
  const { compute } = operand;
  return {
    ...operand,
    column: null,
    compute: (values) => {
      const value = compute(values);
      return typeof value === 'string' ? convert(value) : value;
    },
  };
}

/** An operand as text, for operations that work on text. @param {Expression} operand @returns {Expression} */
export const textOf = (operand) => ({ ...apply(operand, asText(operand.type)), type: TEXT, loose: true });
