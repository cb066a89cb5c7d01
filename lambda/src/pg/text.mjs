/** Quoting, LSNs, and the text format of COPY. https://www.postgresql.org/docs/14/sql-copy.html#id-1.9.3.55.9.2 */
import pg from 'pg';

export const ident = pg.escapeIdentifier;
/** As the driver's `escapeLiteral`, which puts a long text together letter by letter: that takes a hundred times its size. @param {string} value */
export const literal = (value) => (value.includes('\\') ? ` E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'` : `'${value.replaceAll("'", "''")}'`);

/** @param {{schema: string, name: string}} table */
export const qualified = ({ schema, name }) => `${ident(schema)}.${ident(name)}`;

/** @param {{schema: string, name: string}} table */
export const dotted = ({ schema, name }) => `${schema}.${name}`;

/** @param {string[]} columns */
export const columnList = (columns) => columns.map(ident).join(', ');

/** `16/B374D848` as a number. @param {string | null | undefined} lsn */
export function parseLsn(lsn) {
  const [high = '0', low = '0'] = (lsn ?? '0/0').split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** @param {bigint} lsn */
export const formatLsn = (lsn) => `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;

/**
 * Where the log ends, from the position of the next record: after a page's header that is beyond the end of the last record,
 * and no flush would ever reach it.
 * @param {bigint} insertPosition
 */
export function endOfLog(insertPosition) {
  const intoPage = insertPosition % 8192n;
  return intoPage === 24n || intoPage === 40n ? insertPosition - intoPage : insertPosition;
}

const TAB = 9, LF = 10, CR = 13, BACKSLASH = 92;

/** One field as COPY takes it. @param {string | null} value */
export function encodeField(value) {
  if (value === null) return '\\N';
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (code === BACKSLASH || (code <= CR && (code === TAB || code === LF || code === CR))) return escaped(value);
  }
  return value;
}

/** @param {string} value */
const escaped = (value) => value.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r');

/** One line as COPY takes it, its end included. @param {(string | null)[]} values */
export function encodeRow(values) {
  let line = '';
  for (let i = 0; i < values.length; i += 1) {
    if (i > 0) line += '\t';
    line += encodeField(/** @type {string | null} */ (values[i]));
  }
  return `${line}\n`;
}

/** The values of one line without its end. @param {string} line @returns {(string | null)[]} */
export function decodeRow(line) {
  /** @type {(string | null)[]} */
  const fields = line.split('\t');
  if (!line.includes('\\')) return fields;
  for (let i = 0; i < fields.length; i += 1) {
    const field = /** @type {string} */ (fields[i]);
    if (field.includes('\\')) fields[i] = field === '\\N' ? null : unescaped(field);
  }
  return fields;
}

/** @type {Record<string, string>} */
const ESCAPES = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** PostgreSQL itself writes no octal or hexadecimal escapes. @param {string} field */
function unescaped(field) {
  const parts = field.split('\\');
  let text = /** @type {string} */ (parts[0]);
  for (let i = 1; i < parts.length; i += 1) {
    const part = /** @type {string} */ (parts[i]);
    if (part === '') {
      text += `\\${parts[i + 1] ?? ''}`; // an escaped backslash, then plain text
      i += 1;
    } else text += (ESCAPES[part[0] ?? ''] ?? part[0]) + part.slice(1);
  }
  return text;
}

/**
 * A row as PostgreSQL prints a record: `ROW(...)::text`. It follows from the texts of the values alone, whatever their types are.
 * https://www.postgresql.org/docs/14/rowtypes.html#ROWTYPES-IO-SYNTAX
 * @param {(string | null)[]} values
 */
export function recordText(values) {
  let text = '(';
  for (let i = 0; i < values.length; i += 1) {
    if (i > 0) text += ',';
    const value = /** @type {string | null} */ (values[i]);
    if (value === null) continue;
    text += value === '' || /[\t-\r "(),\\]/.test(value) ? `"${value.replace(/["\\]/g, '$&$&')}"` : value;
  }
  return `${text})`;
}
