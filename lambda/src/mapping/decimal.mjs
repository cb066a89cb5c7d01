/** Exact decimal numbers as text; no floating point anywhere. */

/**
 * @typedef {object} Decimal
 * @property {boolean} negative
 * @property {string} whole digits, no leading zeros ('' for 0)
 * @property {string} fraction digits, as given
 */

/** An exponent beyond this would write out megabytes of zeros. */
const LARGEST_EXPONENT = 20_000;

/** @param {string} text @returns {Decimal | undefined} */
export function parseDecimal(text) {
  const parts = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?\s*$/.exec(text);
  if (parts === null || (!parts[2] && !parts[3])) return undefined;
  let whole = parts[2] ?? '';
  let fraction = parts[3] ?? '';
  const exponent = Number(parts[4] ?? 0);
  if (Math.abs(exponent) > LARGEST_EXPONENT) return undefined;
  if (exponent > 0) {
    const moved = fraction.slice(0, exponent).padEnd(exponent, '0');
    [whole, fraction] = [whole + moved, fraction.slice(exponent)];
  } else if (exponent < 0) {
    const padded = whole.padStart(-exponent, '0');
    [whole, fraction] = [padded.slice(0, padded.length + exponent), padded.slice(padded.length + exponent) + fraction];
  }
  whole = whole.replace(/^0+/, '');
  const zero = whole === '' && /^0*$/.test(fraction);
  return { negative: parts[1] === '-' && !zero, whole, fraction };
}

/** @param {Decimal} decimal */
export const printDecimal = ({ negative, whole, fraction }) =>
  `${negative ? '-' : ''}${whole || '0'}${fraction === '' ? '' : `.${fraction}`}`;

/**
 * The number with exactly `digits` after the point; `undefined` if that would lose any.
 * @param {Decimal} decimal @param {number} digits @returns {Decimal | undefined}
 */
export function withScale({ negative, whole, fraction }, digits) {
  if (!/^0*$/.test(fraction.slice(digits))) return undefined;
  return { negative, whole, fraction: fraction.slice(0, digits).padEnd(digits, '0') };
}

/** -1, 0 or 1. @param {Decimal} a @param {Decimal} b */
export function compareDecimals(a, b) {
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  const width = Math.max(a.fraction.length, b.fraction.length);
  const length = Math.max(a.whole.length, b.whole.length);
  const [left, right] = [a, b].map((d) => d.whole.padStart(length, '0') + d.fraction.padEnd(width, '0'));
  if (left === right) return 0;
  return /** @type {string} */ (left) < /** @type {string} */ (right) !== a.negative ? -1 : 1;
}
