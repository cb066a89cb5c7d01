/**
 * One JSON object a line. A row value can't slip in: messages are literals in the source (the type checker refuses
 * anything else), fields are on a list with the shape each must have, and of an error only names and codes are taken.
 * What does not fit its shape is written as `"(withheld)"`, so that a mistake is seen and nothing leaks.
 */
import { MigrationError } from './errors.mjs';

/** @typedef {import('./config.mjs').Level} Level */

/** Digits and separators, but not those of times, paths and names. */
const DIGITS = /\p{Nd}(?:[^\p{L}\p{N}_/:]{0,2}\p{Nd}){11,}/u;
/** A card number in its groups, whatever separates them. */
const GROUPS = /\p{Nd}{4}([^\p{L}\p{N}]{1,3})(?:\p{Nd}{4}\1\p{Nd}{4}\1\p{Nd}{1,7}|\p{Nd}{6}\1\p{Nd}{4,5})/u;
const ADDRESS = /[^\s@<>"'(),;:]+@[^\s@<>"'(),;:]+\.[\p{L}\p{N}-]+/u;

/** Names of things in a database: no digits run long enough for a card number (two dates are no longer than eight each). */
const name = (/** @type {unknown} */ v) => typeof v === 'string' && /^[\p{L}_][\p{L}\p{N}_$.-]{0,200}$/u.test(v) && !/\p{Nd}(?:[.-]?\p{Nd}){12}/u.test(v) && !GROUPS.test(v);
const number = (/** @type {unknown} */ v) => (typeof v === 'number' && Number.isFinite(v)) || typeof v === 'bigint';
const flag = (/** @type {unknown} */ v) => typeof v === 'boolean';
const lsn = (/** @type {unknown} */ v) => typeof v === 'string' && /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/.test(v);
const names = (/** @type {unknown} */ v) => Array.isArray(v) && v.every(name);

/** Every field that a line may carry. @type {Record<string, (value: unknown) => boolean>} */
const FIELDS = {
  function: name, action: name, phase: name, outcome: name, verdict: name, role: name, state: name, kind: name,
  table: name, column: name, constraint: name, slot: name, publication: name, tables: names, columns: names,
  lsn, fromLsn: lsn, toLsn: lsn, confirmedLsn: lsn,
  rows: number, changes: number, inserts: number, updates: number, deletes: number, truncates: number,
  transactions: number, chunk: number, chunks: number, bytes: number, count: number, records: number, failed: number,
  stale: number, written: number, ignored: number, quarantined: number, limit: number, mismatches: number,
  sequences: number, lagSeconds: number, lagBytes: number, percent: number, attempt: number, ms: number,
  pauseMs: number, remainingMs: number, memoryMb: number, done: flag, resumed: flag, dryRun: flag, forced: flag,
};

/** @type {Record<Level, number>} */
const RANK = { debug: 10, info: 20, warn: 30, error: 40 };
const WITHHELD = '(withheld)';

/** @typedef {Record<string, unknown> & {error?: unknown}} Fields */

/**
 * A text that stands in the source as it is: neither `string` nor a template with something in it (both would make of Record an
 * index signature, which `{}` fits).
 * @template {string} M
 * @typedef {{} extends Record<M, 1> ? never : M} Literal
 */

export class Logger {
  /**
   * @param {object} options
   * @param {Level} [options.level]
   * @param {string} [options.correlationId] the invocation's awsRequestId
   * @param {(line: string) => void} [options.write]
   * @param {Fields} [options.fields] on every line
   */
  constructor({ level = 'info', correlationId = 'local', write = toStdout, fields = {} } = {}) {
    this.level = level;
    this.correlationId = correlationId;
    this.write = write;
    this.fields = fields;
  }

  /** A logger whose lines all carry these fields too. @param {Fields} fields */
  child(fields) {
    return new Logger({ ...this, fields: { ...this.fields, ...fields } });
  }

  /** @template {string} M @param {Literal<M>} message @param {Fields} [fields] */
  debug(message, fields) {
    this.#line('debug', message, fields);
  }

  /** @template {string} M @param {Literal<M>} message @param {Fields} [fields] */
  info(message, fields) {
    this.#line('info', message, fields);
  }

  /** @template {string} M @param {Literal<M>} message @param {Fields} [fields] */
  warn(message, fields) {
    this.#line('warn', message, fields);
  }

  /** @template {string} M @param {Literal<M>} message @param {Fields} [fields] */
  error(message, fields) {
    this.#line('error', message, fields);
  }

  /** @param {Level} level @param {string} message @param {Fields} [fields] */
  #line(level, message, fields = {}) {
    if (RANK[level] < RANK[this.level]) return;
    /** @type {Record<string, unknown>} */
    const line = {
      time: new Date().toISOString(),
      level,
      message: /^[A-Za-z][A-Za-z ,.:'()-]{0,120}$/.test(message) ? message : WITHHELD,
      correlationId: /^[A-Za-z0-9-]{1,64}$/.test(this.correlationId) ? this.correlationId : WITHHELD,
    };
    for (const [key, value] of Object.entries({ ...this.fields, ...fields })) {
      if (value === undefined || value === null) continue;
      if (key === 'error') line['error'] = describeError(value);
      else if (!Object.hasOwn(FIELDS, key)) line['unlisted'] = WITHHELD;
      else line[key] = FIELDS[key]?.(value) ? plain(value) : WITHHELD;
    }
    this.write(JSON.stringify(line));
  }
}

/**
 * What may be told of an error, in a log line or an answer: names and codes; the text only of our own errors, which is
 * composed from names.
 * @param {unknown} error
 * @returns {Record<string, string>}
 */
export function describeError(error) {
  if (!(error instanceof Error)) return { name: 'Error' };
  const raw = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (error));
  /** @type {Record<string, string>} */
  const told = { name: name(error.name) ? error.name : 'Error' };
  for (const key of ['code', 'sqlstate', 'table', 'column', 'constraint'])
    if (raw[key] !== undefined) told[key] = name(raw[key]) || /^[0-9A-Z]{5}$/.test(String(raw[key])) ? String(raw[key]) : WITHHELD;
  if (error instanceof MigrationError) {
    told['message'] = scrub(error.message);
    if (error.hint !== undefined) told['hint'] = scrub(error.hint);
  }
  return told;
}

/**
 * The last net under texts of our own: what is as long as a card number, in the digits of any script and with any separators, and what looks
 * like an e-mail address, is struck out.
 * @param {string} text
 */
const scrub = (text) => [DIGITS, GROUPS, ADDRESS].reduce((rest, pattern) => rest.replaceAll(new RegExp(pattern, 'gu'), WITHHELD), text);

/** @param {unknown} value */
const plain = (value) => (typeof value === 'bigint' ? Number(value) : value);

/** @param {string} line */
const toStdout = (line) => void process.stdout.write(`${line}\n`);
