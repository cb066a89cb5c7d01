import { NEEDS_FULL_ROW, Problem } from '../problem.mjs';
import { textOf } from '../operand.mjs';
import { toMinorUnits } from '../currencies.mjs';
import { NUMERIC } from '../pgtypes.mjs';

const INEXACT = new Problem('an amount with more decimals than its currency has');
const NO_CURRENCY = new Problem('an amount without a currency');
const UNKNOWN_CURRENCY = new Problem('a currency that ISO 4217 does not list');
const NOT_AN_AMOUNT = new Problem('not a finite amount');

/**
 * A decimal amount as whole minor units of its currency, exactly: 12.34 EUR is 1234, 12 JPY is 12, 1.234 BHD is 1234.
 * @param {import('../operand.mjs').Context} cx @param {import('../operand.mjs').Spec} spec @param {string} path
 * @returns {import('../operand.mjs').Expression | undefined}
 */
export function minorUnits(cx, spec, path) {
  const amount = cx.compile(spec['minorUnits'], `${path}.minorUnits`);
  if (spec['currency'] === undefined) cx.problems.add(`${path}.currency`, undefined, 'minorUnits takes "currency"');
  const compiled = spec['currency'] === undefined ? undefined : cx.compile(spec['currency'], `${path}.currency`);
  if (amount === undefined || compiled === undefined) return undefined;
  if (!['numeric', 'integer', 'text'].includes(amount.type.family)) {
    cx.problems.add(`${path}.minorUnits`, spec['minorUnits'], `it takes a numeric or integer, not ${amount.type.text}: other numbers are not exact`);
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
      return toMinorUnits(decimal, exponent) ?? (/^[+-]?\d/.test(decimal) ? INEXACT : NOT_AN_AMOUNT);
    },
  };
}
