/**
 * How many decimals a currency's minor unit has: ISO 4217:2015, list one (maintained by SIX), as of 2025. Two unless listed.
 * Codes that are no money in circulation but legal in contracts (CLF, UYW) are there; metals and test codes (XAU, XXX) have no
 * minor unit and are not accepted.
 */
const EXPONENTS = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2:
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP ' +
    'COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD ' +
    'KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD ' +
    'PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD ' +
    'TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

/** @type {ReadonlyMap<string, number>} */
export const CURRENCY_EXPONENTS = new Map(
  Object.entries(EXPONENTS).flatMap(([exponent, codes]) =>
    codes.split(' ').map((code) => /** @type {[string, number]} */ ([code, Number(exponent)])),
  ),
);

/**
 * An amount in major units as minor units, exactly; `undefined` when it has more decimals than the currency or is no number.
 * @param {string} amount @param {number} exponent
 */
export function toMinorUnits(amount, exponent) {
  if (!/^[+-]?\d+(\.\d*)?$/.test(amount)) return undefined;
  const point = amount.indexOf('.');
  const whole = point < 0 ? amount : amount.slice(0, point);
  const fraction = point < 0 ? '' : amount.slice(point + 1);
  for (let i = exponent; i < fraction.length; i += 1) if (fraction.charCodeAt(i) !== 48) return undefined;
  const digits = (whole + fraction.slice(0, exponent).padEnd(exponent, '0')).replace(/^([+-]?)0+(?=\d)/, '$1');
  return digits === '-0' || digits === '+0' ? '0' : digits.startsWith('+') ? digits.slice(1) : digits;
}

/**
 * Whole minor units as an amount in major units, exactly; `undefined` when it is no whole number.
 * @param {string} minor @param {number} exponent
 */
export function toMajorUnits(minor, exponent) {
  const [, sign = '', digits = ''] = /^(-?)(\d+)$/.exec(minor) ?? [];
  if (digits === '') return undefined;
  if (exponent === 0) return minor;
  const padded = digits.padStart(exponent + 1, '0');
  return `${sign}${padded.slice(0, -exponent)}.${padded.slice(-exponent)}`;
}
