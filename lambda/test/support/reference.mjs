/**
 * What a mapping means, written a second time: slow, over rows as objects, by the description of mappings/schema.json and not
 * by the code in src/mapping (nothing of it is used). For the operations and types that the property test generates.
 */
import { createHmac } from 'node:crypto';

/**
 * @typedef {Record<string, string | null>} SourceRow
 * @typedef {Record<string, string>} Types column to type
 * @typedef {{enums: Record<string, string[]>, key: Buffer}} World
 */

export class Refused extends Error {}

/**
 * @param {any} table of a mapping, every target column written down
 * @param {SourceRow} row @param {Types} sourceTypes @param {Types} targetTypes ` not null` at the end where it holds @param {World} world
 * @returns {'skip' | 'refused' | Record<string, string | null>}
 */
export function referenceRow(table, row, sourceTypes, targetTypes, world) {
  if (table.where !== undefined && !holds(table.where, row, sourceTypes)) return 'skip';
  /** @type {Record<string, string | null>} */
  const out = {};
  try {
    for (const [name, spec] of Object.entries(table.columns)) {
      const declared = /** @type {string} */ (targetTypes[name]);
      const type = declared.replace(' not null', '');
      const { value, type: had } = evaluate(spec, row, sourceTypes, type, world);
      const written = value === null ? null : convert(value, had, type, world);
      if (written === null && declared.endsWith(' not null')) throw new Refused('null');
      out[name] = written;
    }
  } catch (error) {
    if (error instanceof Refused) return 'refused';
    throw error;
  }
  return out;
}

/** @param {any} where @param {SourceRow} row @param {Types} types @returns {boolean} */
function holds(where, row, types) {
  if (where.all) return where.all.every((/** @type {any} */ part) => holds(part, row, types));
  if (where.any) return where.any.some((/** @type {any} */ part) => holds(part, row, types));
  if (where.not) return !holds(where.not, row, types);
  const value = row[where.column] ?? null;
  if ('isNull' in where) return (value === null) === where.isNull;
  if ('notIn' in where) return value === null || !where.notIn.map(String).includes(plain(value, types[where.column]));
  if (value === null) return false;
  if ('in' in where) return where.in.map(String).includes(plain(value, types[where.column]));
  if ('equals' in where) return String(where.equals) === plain(value, types[where.column]);
  if ('atLeast' in where) return BigInt(value) >= BigInt(where.atLeast);
  return BigInt(value) < BigInt(where.below);
}

/**
 * @param {any} spec @param {SourceRow} row @param {Types} types @param {string} expected @param {World} world
 * @returns {{value: string | null, type: string}}
 */
function evaluate(spec, row, types, expected, world) {
  if (typeof spec === 'string') return { value: row[spec] ?? null, type: /** @type {string} */ (types[spec]) };
  let result = operate(spec, row, types, spec.cast === undefined ? expected : 'text', world);
  if (spec.ifNull !== undefined && result.value === null) result = { value: convert(String(spec.ifNull), 'text', result.type, world), type: result.type };
  if (spec.cast !== undefined) result = { value: result.value === null ? null : convert(result.value, result.type, spec.cast, world), type: spec.cast };
  return result;
}

/** @param {any} spec @param {SourceRow} row @param {Types} types @param {string} expected @param {World} world @returns {{value: string | null, type: string}} */
function operate(spec, row, types, expected, world) {
  /** @param {any} part */
  const text = (part) => {
    const { value, type } = evaluate(part, row, types, 'text', world);
    return value === null ? null : plain(value, type);
  };
  if ('constant' in spec) return { value: spec.constant === null ? null : String(spec.constant), type: 'text' };
  if (spec.concat) {
    const parts = spec.concat.map(text);
    return { value: parts.includes(null) ? null : parts.join(''), type: 'text' };
  }
  if (spec.merge) {
    const parts = spec.merge.map(text).filter((/** @type {string | null} */ part) => part !== null);
    return { value: parts.length === 0 ? null : parts.join(spec.separator ?? ' '), type: 'text' };
  }
  if (spec.split) {
    const whole = text(spec.split);
    const parts = whole === null ? [] : whole.split(spec.separator);
    if (spec.part < 0) return { value: parts.reverse()[-spec.part - 1] ?? null, type: 'text' };
    const rest = parts.slice(spec.part - 1);
    return { value: rest.length === 0 ? null : spec.rest ? rest.join(spec.separator) : rest[0] ?? null, type: 'text' };
  }
  if (spec.mask) {
    const letters = text(spec.mask)?.replace(/[^a-z0-9]/gi, '') ?? null;
    if (letters === null) return { value: null, type: 'text' };
    if (letters.length < 8) throw new Refused('short');
    return { value: letters.slice(0, -4).replace(/./g, spec.fill ?? '*') + letters.slice(-4), type: 'text' };
  }
  if (spec.hash) {
    const whole = text(spec.hash);
    if (whole === null) return { value: null, type: 'text' };
    const message = spec.normalize === 'alphanumeric' ? whole.replace(/[^A-Za-z0-9]/g, '').toUpperCase() : whole;
    const digest = createHmac('sha256', world.key).update(message, 'utf8').digest('hex');
    return expected === 'bytea' ? { value: `\\x${digest}`, type: 'bytea' } : { value: digest, type: 'text' };
  }
  if (spec.minorUnits) return { value: money(text(spec.minorUnits), text(spec.currency)), type: 'numeric' };
  const operand = evaluate(spec.from, row, types, expected, world);
  if (!spec.map || operand.value === null) return spec.map ? { value: null, type: 'text' } : operand;
  const seen = plain(operand.value, operand.type);
  if (Object.hasOwn(spec.map, seen)) return { value: spec.map[seen], type: 'text' };
  if (spec.otherwise === 'carry') return { value: seen, type: 'text' };
  if (typeof spec.otherwise === 'object') return { value: spec.otherwise.value, type: 'text' };
  throw new Refused('not mapped');
}

/** @param {string | null} amount @param {string | null} currency */
function money(amount, currency) {
  if (amount === null) return null;
  const digits = new Map([['EUR', 2], ['USD', 2], ['JPY', 0], ['BHD', 3], ['CLF', 4]]).get(currency ?? '');
  if (digits === undefined || !/^-?\d+(\.\d+)?$/.test(amount)) throw new Refused('no money');
  const [whole = '', fraction = ''] = amount.replace('-', '').split('.');
  const scaled = BigInt(whole + fraction) * 10n ** BigInt(digits);
  const unit = 10n ** BigInt(fraction.length);
  if (scaled % unit !== 0n) throw new Refused('inexact');
  return String((amount.startsWith('-') ? -1n : 1n) * (scaled / unit));
}

/** A value as text, to work on. @param {string} value @param {string | undefined} type */
function plain(value, type) {
  if (type?.startsWith('character(')) return value.replace(/ +$/, '');
  return type === 'boolean' ? String(value === 't') : value;
}

/** @param {string} value @param {string} from @param {string} to @param {World} world @returns {string} */
function convert(value, from, to, world) {
  if (from === to && from !== 'text') return value;
  const text = plain(value, from);
  const [, name = '', first, second] = /^([a-z ]+)(?:\((\d+)(?:,(\d+))?\))?/.exec(to) ?? [];
  if (world.enums[to]) {
    if (!world.enums[to]?.includes(text)) throw new Refused('no label');
    return text;
  }
  if (to === 'text' || to === 'jsonb') return text;
  if (name === 'character varying' || name === 'character') {
    const letters = Array.from(name === 'character' ? text.replace(/ +$/, '') : text);
    if (letters.length > Number(first)) throw new Refused('long');
    while (name === 'character' && letters.length < Number(first)) letters.push(' ');
    return letters.join('');
  }
  if (['smallint', 'integer', 'bigint'].includes(to)) {
    const { digits, scale } = readNumber(text);
    const unit = 10n ** BigInt(scale);
    if (digits % unit !== 0n) throw new Refused('not whole');
    const number = digits / unit;
    if (BigInt.asIntN({ smallint: 16, integer: 32, bigint: 64 }[to] ?? 0, number) !== number) throw new Refused('range');
    return String(number);
  }
  if (name === 'numeric') return toNumeric(text, first, second);
  if (to === 'boolean') {
    if (!/^(t|f|true|false|0|1|y|n|yes|no|on|off)$/i.test(text.trim())) throw new Refused('no boolean');
    return /^(t|true|1|y|yes|on)$/i.test(text.trim()) ? 't' : 'f';
  }
  throw new Error(`the reference does not know ${from} -> ${to}`);
}

/** @param {string} text @param {string | undefined} precision @param {string | undefined} scale */
function toNumeric(text, precision, scale = '0') {
  if (/^\s*nan\s*$/i.test(text)) return 'NaN';
  const number = readNumber(text);
  const wanted = precision === undefined ? number.scale : Number(scale);
  const [up, down] = wanted >= number.scale ? [10n ** BigInt(wanted - number.scale), 1n] : [1n, 10n ** BigInt(number.scale - wanted)];
  if ((number.digits * up) % down !== 0n) throw new Refused('fine');
  const digits = (number.digits * up) / down;
  const size = digits < 0n ? -digits : digits;
  if (precision !== undefined && size >= 10n ** BigInt(precision)) throw new Refused('large');
  const padded = String(size).padStart(wanted + 1, '0');
  const point = padded.length - wanted;
  return `${digits < 0n ? '-' : ''}${padded.slice(0, point)}${wanted === 0 ? '' : `.${padded.slice(point)}`}`;
}

/** A number is its digits, and how many of them stand behind the point. @param {string} text */
function readNumber(text) {
  const [, sign, whole = '', fraction = '', exponent = '0'] = /^\s*([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?\s*$/i.exec(text) ?? [];
  if (sign === undefined || whole + fraction === '') throw new Refused('no number');
  const scale = fraction.length - Number(exponent);
  const digits = (sign === '-' ? -1n : 1n) * BigInt(whole + fraction + '0'.repeat(Math.max(0, -scale)));
  return { digits, scale: Math.max(0, scale) };
}
