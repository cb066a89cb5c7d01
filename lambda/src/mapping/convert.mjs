import { TWICE, canonicalJson, isJson } from './json.mjs';
import { Problem } from './problem.mjs';
import { sameText, widens } from './pgtypes.mjs';
import { toInteger, toNumeric } from './convert-number.mjs';
import { normalizeTime, fractionDigits, shiftTime } from './temporal.mjs';

/**
 * @typedef {import('./pgtypes.mjs').PgType} PgType
 * @typedef {import('./problem.mjs').Convert} Convert
 */

/** For values that stay as they are. @type {Convert} */
export const unchanged = (text) => text;

/**
 * How the text of a value of one type becomes what PostgreSQL itself would print for the other. What would be lost on the way
 * (a decimal, a letter, half a second) is a Problem, never rounded off.
 * @param {PgType} from
 * @param {PgType} to
 * @param {{strict?: boolean}} [options] `strict`: do not trust that the text is what `from` prints (a constant, a computed text)
 * @returns {Convert | undefined} `undefined`: there is no such conversion
 */
export function converter(from, to, { strict = false } = {}) {
  if (sameText(from, to) && !strict) return unchanged;
  switch (to.family) {
    case 'text':
      return from.family === 'other' && !isSimple(from) ? undefined : toText(from, to);
    case 'integer':
      return ['text', 'integer', 'numeric'].includes(from.family) ? toInteger(to) : undefined;
    case 'numeric':
      return ['text', 'integer', 'numeric', 'float'].includes(from.family) ? toNumeric(to) : undefined;
    case 'boolean':
      return ['text', 'boolean', 'integer'].includes(from.family) ? toBoolean : undefined;
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return toTime(from, to);
    case 'uuid':
      return ['text', 'uuid'].includes(from.family) ? toUuid : undefined;
    case 'jsonb':
      return ['text', 'json', 'jsonb'].includes(from.family) ? toJsonb : undefined;
    case 'json':
      return ['text', 'json', 'jsonb'].includes(from.family) ? toJson : undefined;
    case 'bytea':
      return from.family === 'text' ? toBytes(from) : undefined;
    case 'enum':
      return ['text', 'enum'].includes(from.family) ? toEnum(to) : undefined;
    default:
      return strict && from.family === 'text' ? unchanged : undefined;
  }
}

/** Does a column of one type go into a column of the other without being told to? @param {PgType} from @param {PgType} to */
export const goesInto = (from, to) => sameText(from, to) || widens(from, to);

/** Do different values stay different? Keys must. @param {PgType} from @param {PgType} to */
export const keepsApart = (from, to) =>
  goesInto(from, to) || to.name === 'text' || (from.family === 'integer' && to.family === 'integer') || (from.family.startsWith('timestamp') && to.family.startsWith('timestamp') && to.args.length === 0);

/** Types outside the list whose text is one plain word or number: inet, interval, ranges; not arrays and rows. @param {PgType} type */
const isSimple = ({ name, definition }) =>
  definition === undefined ? !/\[\]$|record/.test(name) : definition.kind === 'builtin' ? name !== 'money' : ['range', 'extension'].includes(definition.kind);

/** A value as other types see it: no padding, booleans as words. @param {PgType} from @returns {Convert} */
export function asText(from) {
  if (from.name === 'bpchar') return (text) => text.trimEnd();
  if (from.family === 'boolean') return (text) => (text === 't' ? 'true' : 'false');
  return unchanged;
}

/** @param {PgType} from @param {PgType} to @returns {Convert} */
function toText(from, to) {
  const read = asText(from);
  const [length] = to.args;
  if (length === undefined) return to.name === 'bpchar' ? (text) => String(read(text)).trimEnd() : read;
  const tooLong = new Problem(`longer than ${length} characters`);
  const padded = to.name === 'bpchar';
  return (value) => {
    const text = /** @type {string} */ (padded ? String(read(value)).trimEnd() : read(value));
    const letters = text.length > length || padded ? [...text].length : 0;
    if (letters > length) return tooLong;
    return padded ? text + ' '.repeat(length - letters) : text;
  };
}

const NO_BOOLEAN = new Problem('not a boolean');

/** @type {Convert} */
function toBoolean(text) {
  const word = text.trim().toLowerCase();
  if (['t', 'true', 'y', 'yes', 'on', '1'].includes(word)) return 't';
  return ['f', 'false', 'n', 'no', 'off', '0'].includes(word) ? 'f' : NO_BOOLEAN;
}

/** @param {PgType} from @param {PgType} to @returns {Convert | undefined} */
function toTime(from, to) {
  const kind = /** @type {'date' | 'timestamp' | 'timestamptz'} */ (to.family);
  const digits = to.args[0] ?? 6;
  const notATime = new Problem(kind === 'date' ? 'not a date' : 'not a time');
  const tooFine = new Problem(`more than ${digits} digits of a second`);
  const fits = (/** @type {string | undefined} */ text) =>
    text === undefined ? notATime : fractionDigits(text) > digits ? tooFine : text;
  if (from.family === 'text') return (text) => fits(normalizeTime(text, kind));
  return ['date', 'timestamp', 'timestamptz'].includes(from.family) ? (text) => fits(shiftTime(text, kind)) : undefined;
}

const NO_UUID = new Problem('not a UUID');

/** @type {Convert} */
function toUuid(text) {
  const digits = text.trim().replace(/^\{(.*)\}$/, '$1').replaceAll('-', '').toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(digits)) return NO_UUID;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const NO_JSON = new Problem('not JSON');

const KEY_TWICE = new Problem('JSON with the same key twice in an object, of which jsonb keeps one');

/** @type {Convert} */
function toJsonb(text) {
  const canonical = canonicalJson(text);
  return canonical === TWICE ? KEY_TWICE : (canonical ?? NO_JSON);
}

/** @type {Convert} */
const toJson = (text) => (isJson(text) ? text : NO_JSON);

/** @param {PgType} from @returns {Convert} */
function toBytes(from) {
  const read = asText(from);
  return (text) => `\\x${Buffer.from(/** @type {string} */ (read(text))).toString('hex')}`;
}

/** @param {PgType} to @returns {Convert} */
function toEnum(to) {
  const labels = new Set(to.labels);
  const noLabel = new Problem('not a label of the target enum');
  return (text) => {
    if (labels.has(text)) return text;
    const trimmed = text.trimEnd();
    return labels.has(trimmed) ? trimmed : noLabel;
  };
}
