import { converter, goesInto, keepsApart } from './convert.mjs';
import { CASTABLE, TEXT, carriesOrder, difference, parseType, shown, typeOf } from './pgtypes.mjs';
import { apply } from './operand.mjs';
import { Problem } from './problem.mjs';
import { column, mapped } from './operations/column.mjs';
import { constant, literal } from './operations/constant.mjs';
import { concat, merge, split } from './operations/text.mjs';
import { hash, mask } from './operations/card.mjs';
import { majorUnits, minorUnits } from './operations/money.mjs';

/**
 * @typedef {import('./pgtypes.mjs').PgType} PgType
 * @typedef {import('./types.mjs').Column} Column
 * @typedef {import('./operand.mjs').Context} Context
 * @typedef {import('./operand.mjs').Expression} Expression
 * @typedef {import('./operand.mjs').Spec} Spec
 *
 * @typedef {object} Operation
 * @property {string[]} options the keys it takes besides its own
 * @property {(cx: Context, spec: Spec, path: string, expected: PgType) => Expression | undefined} compile
 */

/** @type {Record<string, Operation>} */
export const OPERATIONS = {
  from: { options: ['map', 'otherwise', 'ifNull', 'cast'], compile: from },
  constant: { options: [], compile: constant },
  concat: { options: ['ifNull', 'cast'], compile: concat },
  merge: { options: ['separator', 'ifNull', 'cast'], compile: merge },
  split: { options: ['separator', 'part', 'rest', 'ifNull', 'cast'], compile: split },
  minorUnits: { options: ['currency', 'ifNull', 'cast'], compile: minorUnits },
  majorUnits: { options: ['currency', 'ifNull', 'cast'], compile: majorUnits },
  mask: { options: ['fill', 'ifNull'], compile: mask },
  hash: { options: ['normalize', 'ifNull'], compile: hash },
};

/**
 * @param {Context} cx
 * @param {unknown} spec a source column's name, or an object with one operation
 * @param {string} path
 * @param {PgType} [expected] the type it is on its way to
 * @returns {Expression | undefined} `undefined`: what is wrong has been noted
 */
export function compileExpression(cx, spec, path, expected = TEXT) {
  if (typeof spec === 'string') return column(cx, spec, path);
  const object = /** @type {Spec} */ (spec);
  const [name, ...more] = Object.keys(object).filter((key) => Object.hasOwn(OPERATIONS, key));
  const operation = name === undefined ? undefined : OPERATIONS[name];
  if (name === undefined || operation === undefined || more.length > 0) {
    cx.problems.add(path, object, `it takes one operation (${Object.keys(OPERATIONS).join(', ')})`);
    return undefined;
  }
  for (const key of Object.keys(object))
    if (key !== name && !operation.options.includes(key))
      cx.problems.unknown(`${path}.${key}`, key, `the options of ${name}`, operation.options);
  const computed = operation.compile(cx, object, path, object['cast'] === undefined ? expected : TEXT);
  return computed && withCast(cx, object, path, withDefault(cx, object, path, computed));
}

/** @param {Context} cx @param {Spec} spec @param {string} path @param {PgType} expected */
function from(cx, spec, path, expected) {
  if (spec['map'] === undefined) return compileExpression(cx, spec['from'], `${path}.from`, expected);
  const operand = compileExpression(cx, spec['from'], `${path}.from`);
  return operand && mapped(cx, spec, path, operand, expected);
}

/** @param {Context} cx @param {Spec} spec @param {string} path @param {Expression} operand @returns {Expression} */
function withDefault(cx, spec, path, operand) {
  if (spec['ifNull'] === undefined) return operand;
  const text = literal(cx, spec['ifNull'], `${path}.ifNull`, operand.type);
  const { compute } = operand;
  return {
    ...operand,
    nullable: false,
    distinct: false,
    column: null,
    compute: (values) => {
      const value = compute(values);
      return value === null ? text : value;
    },
  };
}

/** @param {Context} cx @param {Spec} spec @param {string} path @param {Expression} operand @returns {Expression | undefined} */
function withCast(cx, spec, path, operand) {
  if (spec['cast'] === undefined) return operand;
  const type = parseType(enumNamed(cx.targetEnums, String(spec['cast'])), cx.targetEnums);
  if (type.family === 'other' || type.family === 'float') {
    cx.problems.unknown(`${path}.cast`, String(spec['cast']), 'a type', [...CASTABLE, ...Object.keys(cx.targetEnums)]);
    return undefined;
  }
  return convertTo(cx, operand, type, `${path}.cast`);
}

/** An enum may be named without its schema. @param {Record<string, string[]>} enums @param {string} name */
const enumNamed = (enums, name) => Object.keys(enums).find((known) => known === name || known.endsWith(`.${name}`)) ?? name;

/** @param {Context} cx @param {Expression} operand @param {PgType} type @param {string} path @returns {Expression | undefined} */
function convertTo(cx, operand, type, path) {
  const convert = converter(operand.type, type, { strict: operand.loose });
  if (convert !== undefined && operand.loose && (type.family === 'float' || type.family === 'other')) {
    cx.problems.add(path, type.text, "a text that was put together can't be brought into the form in which PostgreSQL writes this type");
    return undefined;
  }
  if (convert === undefined) {
    cx.problems.add(path, type.text, `${operand.type.text} can't be converted to it without loss`);
    return undefined;
  }
  const distinct = operand.distinct && keepsApart(operand.type, type) && (!operand.loose || type.family === 'text');
  return { ...apply(operand, convert), type, distinct, loose: false };
}

const IS_NULL = new Problem('NULL, which the target column does not take');

/**
 * An expression on its way into a column of the target.
 * @param {Context} cx
 * @param {unknown} spec
 * @param {string} path
 * @param {Column} target
 * @returns {(Expression & {carried: string | null, raw: boolean}) | undefined} `raw`: the text of a source column, unchanged and
 *   unchecked; `carried`: the same, and sorted alike too
 */
export function compileColumn(cx, spec, path, target) {
  const type = typeOf(target, cx.targetEnums, 'green');
  const computed = compileExpression(cx, spec, path, type);
  if (computed === undefined) return undefined;
  if (!computed.loose && !goesInto(computed.type, type)) {
    cx.problems.add(path, spec, `it is ${shown(computed.type)}, the target column is ${shown(type)}: ${advice(computed.type, type)}`);
    return undefined;
  }
  const converted = convertTo(cx, computed, type, path);
  if (converted === undefined) return undefined;
  const raw = converted.column !== null;
  const carried = raw && carriesOrder(computed.type, type) ? converted.column : null;
  if (!(target.notNull || target.domainNotNull) || !converted.nullable) return { ...converted, carried, raw };
  const { compute } = converted;
  return {
    ...converted,
    carried,
    raw: false,
    compute: (values) => {
      const value = compute(values);
      return value === null ? IS_NULL : value;
    },
  };
}

/** @param {PgType} from @param {PgType} to */
function advice(from, to) {
  const told = difference(from, to);
  if (told !== undefined) return told;
  return to.family === 'other' || converter(from, to) === undefined
    ? 'there is no lossless conversion'
    : `say so with "cast": ${JSON.stringify(to.text)}`;
}
