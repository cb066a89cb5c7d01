import { asText, unchanged } from './convert.mjs';

/**
 * When two values that PostgreSQL prints differently are equal to it.
 *
 * @typedef {import('./pgtypes.mjs').PgType} PgType
 */

/** Other types of pg_catalog of which equal values are printed alike. */
const PLAIN = new Set([
  'time without time zone', 'time with time zone', 'inet', 'cidr', 'macaddr', 'macaddr8', 'bit', 'bit varying', 'name', '"char"', 'oid', 'pg_lsn',
]);

/**
 * A text that two values have in common just when PostgreSQL's `=` holds for them.
 * @param {PgType} type
 * @returns {((text: string) => string) | undefined} undefined: there is none (json), or it takes more than the text (jsonb, arrays, citext, a collation that calls different texts equal)
 */
export function equality(type) {
  if (type.deterministic === false) return undefined;
  switch (type.family) {
    case 'numeric':
      return (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text); // 1.50 equals 1.5
    case 'float':
      return (text) => (text === '-0' ? '0' : text);
    case 'text':
      return /** @type {(text: string) => string} */ (asText(type));
    case 'json':
    case 'jsonb':
      return undefined;
    case 'other':
      return ofOther(type);
    default:
      return /** @type {(text: string) => string} */ (unchanged);
  }
}

/** @param {PgType} type */
function ofOther({ definition, text }) {
  if (definition !== undefined && definition.kind !== 'builtin') return undefined;
  const name = definition?.name ?? text;
  if (name === 'interval') return intervalKey;
  return PLAIN.has(name) ? /** @type {(text: string) => string} */ (unchanged) : undefined;
}

/** PostgreSQL counts a month as 30 days and a day as 24 hours when it compares. @param {string} text in the style `postgres` */
function intervalKey(text) {
  const count = (/** @type {string} */ unit) => BigInt(new RegExp(`([-+]?\\d+) ${unit}`).exec(text)?.[1] ?? 0);
  const [, sign, hours = '0', minutes = '0', seconds = '0', fraction = ''] = /([-+]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(text) ?? [];
  const time = ((BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(seconds)) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  const days = (count('year') * 12n + count('mon')) * 30n + count('day');
  return String(days * 86_400_000_000n + (sign === '-' ? -time : time));
}
