import { NEEDS_FULL_ROW, Problem } from '../problem.mjs';
import { textOf } from '../operand.mjs';
import { toMajorUnits, toMinorUnits } from '../currencies.mjs';
import { NUMERIC } from '../pgtypes.mjs';

const INEXACT = new Problem('an amount with more decimals than its currency has');
const NO_CURRENCY = new Problem('an amount without a currency');
const UNKNOWN_CURRENCY = new Problem('a currency that ISO 4217 does not list');
const NOT_AN_AMOUNT = new Problem('not a finite amount');
const NOT_WHOLE = new Problem('not a whole number of minor units');

/**
 * @typedef {import('../operand.mjs').Context} Context
 * @typedef {import('../operand.mjs').Spec} Spec
 */

/**
 * A decimal amount as whole minor units of its currency, exactly: 12.34 EUR is 1234, 12 JPY is 12, 1.234 BHD is 1234.
 * @param {Context} cx @param {Spec} spec @param {string} path
 */
export const minorUnits = (cx, spec, path) => converted(cx, spec, path, 'minorUnits', (decimal, exponent) => toMinorUnits(decimal, exponent) ?? (/^[+-]?\d/.test(decimal) ? INEXACT : NOT_AN_AMOUNT));

/**
 * The way back: whole minor units as a decimal amount.
 * @param {Context} cx @param {Spec} spec @param {string} path
 */
export const majorUnits = (cx, spec, path) => converted(cx, spec, path, 'majorUnits', (minor, exponent) => toMajorUnits(minor, exponent) ?? NOT_WHOLE);

/**
 * @param {Context} cx @param {Spec} spec @param {string} path @param {'minorUnits' | 'majorUnits'} name
 * @param {(amount: string, exponent: number) => string | Problem} convert
 * @returns {import('../operand.mjs').Expression | undefined}
 */
function converted(cx, spec, path, name, convert) {
  const amount = cx.compile(spec[name], `${path}.${name}`);
  if (spec['currency'] === undefined) cx.problems.add(`${path}.currency`, undefined, `${name} takes "currency"`);
  const compiled = spec['currency'] === undefined ? undefined : cx.compile(spec['currency'], `${path}.currency`);
  if (amount === undefined || compiled === undefined) return undefined;
  if (!['numeric', 'integer', 'text'].includes(amount.type.family)) {
    cx.problems.add(`${path}.${name}`, spec[name], `it takes a numeric or integer, not ${amount.type.text}: other numbers are not exact`);
    return undefined;
  }
  const currency = textOf(compiled);
  const { exponents } = cx;
  return {
    type: NUMERIC,
    loose: true,
    nullable: amount.nullable,
    distinct: false,
    uses: [...amount.uses, ...currency.uses],
    column: null,
    compute: (values) => {
      const decimal = amount.compute(values);
      if (decimal === null || decimal instanceof Problem) return decimal;
      const code = currency.compute(values);
      if (code instanceof Problem) return code;
      if (decimal === undefined) return code === undefined || currency.uses.length === 0 ? undefined : NEEDS_FULL_ROW;
      if (code === undefined) return NEEDS_FULL_ROW;
      if (code === null) return NO_CURRENCY;
      const exponent = exponents.get(code);
      if (exponent === undefined) return UNKNOWN_CURRENCY;
      return convert(decimal, exponent);
    },
  };
}
