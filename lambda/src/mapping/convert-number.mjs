import { parseDecimal, printDecimal, withScale } from './decimal.mjs';
import { Problem } from './problem.mjs';
import { scale } from './pgtypes.mjs';

/**
 * @typedef {import('./pgtypes.mjs').PgType} PgType
 * @typedef {import('./problem.mjs').Convert} Convert
 */

/** @type {Record<string, [bigint, bigint, string]>} */
const RANGES = {
  int2: [-(2n ** 15n), 2n ** 15n - 1n, 'smallint'],
  int4: [-(2n ** 31n), 2n ** 31n - 1n, 'integer'],
  int8: [-(2n ** 63n), 2n ** 63n - 1n, 'bigint'],
};

/** @param {PgType} to @returns {Convert} */
export function toInteger(to) {
  const [least, most, name] = /** @type {[bigint, bigint, string]} */ (RANGES[to.name]);
  const notWhole = new Problem('not a whole number');
  const outOfRange = new Problem(`beyond the range of ${name}`);
  const short = String(most).length - 1; // so many digits fit whatever they are
  return (text) => {
    if (text.length <= short && /^(?:0|-?[1-9]\d*)$/.test(text)) return text;
    const decimal = parseDecimal(text);
    const whole = decimal && withScale(decimal, 0);
    if (whole === undefined) return notWhole;
    const digits = printDecimal(whole);
    if (digits.length > 24) return outOfRange;
    const value = BigInt(digits);
    return value < least || value > most ? outOfRange : digits;
  };
}

const WORDS = new Map(
  ['NaN', 'Infinity', '-Infinity'].map((word) => /** @type {[string, string]} */ ([word.toLowerCase(), word])),
);

/** @param {PgType} to @returns {Convert} */
export function toNumeric(to) {
  const notANumber = new Problem('not a number');
  const [precision] = to.args;
  if (precision === undefined) {
    return (text) => {
      const word = WORDS.get(text.trim().toLowerCase());
      if (word !== undefined) return word;
      const decimal = parseDecimal(text);
      return decimal === undefined ? notANumber : printDecimal(decimal);
    };
  }
  const digits = scale(to);
  const tooFine = new Problem(`more than ${digits} decimals`);
  const tooLarge = new Problem(`too large for numeric(${precision},${digits})`);
  return (text) => {
    const decimal = parseDecimal(text);
    if (decimal === undefined) return text.trim().toLowerCase() === 'nan' ? 'NaN' : WORDS.has(text.trim().toLowerCase()) ? tooLarge : notANumber;
    const scaled = withScale(decimal, digits);
    if (scaled === undefined) return tooFine;
    return scaled.whole.length > precision - digits ? tooLarge : printDecimal(scaled);
  };
}
