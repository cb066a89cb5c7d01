/** Dates and times in ISO text: the checks PostgreSQL would make, and its own way of printing them in UTC. */

const SHAPE =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/;

/** What both sides print for the ends of time. */
const ENDS = new Set(['infinity', '-infinity']);

/**
 * Text as people write it, as PostgreSQL prints it in UTC; without an offset it is UTC. `undefined`: no such time.
 * @param {string} text
 * @param {'date' | 'timestamp' | 'timestamptz'} kind
 * @returns {string | undefined}
 */
export function normalizeTime(text, kind) {
  const trimmed = text.trim();
  if (ENDS.has(trimmed)) return trimmed;
  const parts = SHAPE.exec(trimmed);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0));
  const start = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second));
  start.setUTCFullYear(year ?? 0); // Date.UTC takes the years 0 to 99 for 1900 to 1999
  start.setUTCMonth((month ?? 0) - 1, day);
  const shown = [start.getUTCFullYear(), start.getUTCMonth() + 1, start.getUTCDate(), start.getUTCHours(), start.getUTCMinutes()];
  if (year === 0 || shown.some((part, i) => part !== [year, month, day, hour, minute][i]) || Number(second) > 59) return undefined;
  const offset = parts[8];
  if (offset !== undefined && offset !== 'Z') {
    if (Number(offset.slice(1, 3)) > 15 || Number(offset.slice(-2)) > 59) return undefined;
    const minutes = Number(offset.slice(1, 3)) * 60 + (offset.length > 3 ? Number(offset.slice(-2)) : 0);
    if (minutes !== 0 && kind !== 'timestamptz') return undefined; // PostgreSQL would take no notice of it
    start.setTime(start.getTime() - (offset.startsWith('-') ? -1 : 1) * minutes * 60_000);
  }
  if (start.getUTCFullYear() < 1 || start.getUTCFullYear() > 9999) return undefined;
  const iso = start.toISOString();
  if (kind === 'date') return iso.slice(0, 10);
  const fraction = (parts[7] ?? '').replace(/0+$/, '');
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction === '' ? '' : `.${fraction}`}${kind === 'timestamptz' ? '+00' : ''}`;
}

/**
 * What PostgreSQL printed for one of the types, as another: the day of a time, midnight of a day, a time zone more or less (UTC).
 * Years beyond 9999 and before Christ stay as they are.
 * @param {string} text @param {'date' | 'timestamp' | 'timestamptz'} to
 */
export function shiftTime(text, to) {
  if (ENDS.has(text)) return text;
  const [, day, time = '00:00:00', era = ''] = /^(\S+?)(?: (\d\d:\d\d:\d\d(?:\.\d+)?)(?:\+00)?)?( BC)?$/.exec(text) ?? [];
  if (day === undefined) return undefined;
  return to === 'date' ? `${day}${era}` : `${day} ${time}${to === 'timestamptz' ? '+00' : ''}${era}`;
}

/** Digits after the second's point. @param {string} text */
export const fractionDigits = (text) => /\.(\d+)/.exec(text)?.[1]?.length ?? 0;

/**
 * A text that sorts as the times do that PostgreSQL printed.
 * @param {string} text
 */
export function timeOrder(text) {
  if (text === 'infinity') return '3';
  if (text === '-infinity') return '0';
  const [, year = '', rest = '', era] = /^(\d+)-(.*?)(?:\+00)?( BC)?$/.exec(text) ?? [];
  const padded = year.padStart(7, '0');
  if (era === undefined) return `2${padded}-${rest}`;
  return `1${[...padded].map((digit) => 9 - Number(digit)).join('')}-${rest}`;
}
