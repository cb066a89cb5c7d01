import { NEEDS_FULL_ROW, Problem } from '../problem.mjs';
import { textOf } from '../operand.mjs';
import { TEXT } from '../pgtypes.mjs';

/**
 * @typedef {import('../operand.mjs').Context} Context
 * @typedef {import('../operand.mjs').Expression} Expression
 * @typedef {import('../operand.mjs').Spec} Spec
 */

/**
 * Compiles a list of operands. @param {Context} cx @param {unknown} list @param {string} path
 * @returns {Expression[] | undefined}
 */
function operands(cx, list, path) {
  const compiled = /** @type {unknown[]} */ (list).map((spec, i) => cx.compile(spec, `${path}[${i}]`));
  if (compiled.includes(undefined)) return undefined;
  return /** @type {Expression[]} */ (compiled).map((operand) => textOf(operand));
}

/**
 * One text after the other, like `||`: NULL when any is NULL.
 * @param {Context} cx @param {Spec} spec @param {string} path @returns {Expression | undefined}
 */
export function concat(cx, spec, path) {
  const parts = operands(cx, spec['concat'], `${path}.concat`);
  if (parts === undefined) return undefined;
  const read = parts.filter((part) => part.uses.length > 0);
  return {
    type: TEXT,
    loose: true,
    nullable: parts.some((part) => part.nullable),
    distinct: read.length === 1 && read.every((part) => part.distinct),
    uses: parts.flatMap((part) => part.uses),
    column: null,
    compute: (values) => {
      let text = '';
      let unchanged = 0;
      let isNull = false;
      for (const part of parts) {
        const value = part.compute(values);
        if (typeof value === 'string') text += value;
        else if (value instanceof Problem) return value;
        else if (value === null) isNull = true;
        else unchanged += 1;
      }
      if (isNull) return null;
      return unchanged === 0 ? text : unchanged === read.length ? undefined : NEEDS_FULL_ROW;
    },
  };
}

/**
 * Several columns as one, with a separator, like `concat_ws`: what is NULL is left out; NULL when all are.
 * @param {Context} cx @param {Spec} spec @param {string} path @returns {Expression | undefined}
 */
export function merge(cx, spec, path) {
  const parts = operands(cx, spec['merge'], `${path}.merge`);
  if (parts === undefined) return undefined;
  const separator = String(spec['separator'] ?? ' ');
  const read = parts.filter((part) => part.uses.length > 0).length;
  return {
    type: TEXT,
    loose: true,
    nullable: parts.every((part) => part.nullable),
    distinct: false,
    uses: parts.flatMap((part) => part.uses),
    column: null,
    compute: (values) => {
      /** @type {string | null} */
      let text = null;
      let unchanged = 0;
      for (const part of parts) {
        const value = part.compute(values);
        if (typeof value === 'string') text = text === null ? value : text + separator + value;
        else if (value instanceof Problem) return value;
        else if (value === undefined) unchanged += 1;
      }
      return unchanged === 0 ? text : unchanged === read ? undefined : NEEDS_FULL_ROW;
    },
  };
}

/**
 * One part of a text: the nth between separators, from the end when negative; with `rest` also all that follows, so that
 * nothing is lost. NULL when there is no such part.
 * @param {Context} cx @param {Spec} spec @param {string} path @returns {Expression | undefined}
 */
export function split(cx, spec, path) {
  const compiled = cx.compile(spec['split'], `${path}.split`);
  for (const key of ['separator', 'part']) if (spec[key] === undefined) cx.problems.add(`${path}.${key}`, undefined, `split takes "${key}"`);
  const part = Number(spec['part']);
  if (part === 0 || (part < 0 && spec['rest'] === true)) cx.problems.add(`${path}.part`, part, 'it takes 1, 2, ... or, without "rest", -1, -2, ...');
  if (compiled === undefined) return undefined;
  const operand = textOf(compiled);
  const separator = String(spec['separator']);
  const rest = spec['rest'] === true;
  return {
    ...operand,
    nullable: operand.nullable || part !== 1,
    distinct: false,
    column: null,
    compute: (values) => {
      const text = operand.compute(values);
      if (typeof text !== 'string') return text;
      const pieces = text.split(separator);
      if (rest) return pieces.length < part ? null : pieces.slice(part - 1).join(separator);
      return pieces[part > 0 ? part - 1 : pieces.length + part] ?? null;
    },
  };
}
