import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { classify } from '../lib/classify.mjs';
import { PermanentError, TransientError } from '../lib/errors.mjs';
import { sqlstateHint } from '../lib/failures.mjs';
import { tlsOptions } from '../lib/tls.mjs';

/**
 * One connection to blue or green. Everything travels as PostgreSQL's text, under settings that make that text lossless and the
 * same on both sides; every error that leaves is one of ours, without row values.
 *
 * @typedef {(string | null)[]} Row
 * @typedef {import('../lib/deadline.mjs').Deadline} Deadline
 * @typedef {import('../lib/config.mjs').Endpoint} Endpoint
 */

/**
 * Text without loss, and whatever else a role, a database or a server may have set that changes how values are written and read, or what a
 * commit means. Dead clients are noticed in seconds (a killed run must not hold slot or lock for long).
 */
const SETTINGS = {
  datestyle: 'ISO,YMD', intervalstyle: 'postgres', extra_float_digits: '3', bytea_output: 'hex', timezone: 'UTC', xmloption: 'content',
  client_encoding: 'UTF8', search_path: 'pg_catalog', client_connection_check_interval: '2s', idle_in_transaction_session_timeout: '120s', idle_session_timeout: '0',
  array_nulls: 'on', standard_conforming_strings: 'on', backslash_quote: 'safe_encoding', quote_all_identifiers: 'off', transform_null_equals: 'off',
  synchronous_commit: 'on', // blue forgets what green has committed
  // That a database is read-only by default is a guard against its applications; the migration goes on writing to green, and reading blue's log.
  default_transaction_read_only: 'off', default_transaction_isolation: 'read committed', default_transaction_deferrable: 'off',
  row_security: 'off', // a policy must not leave rows out in silence
  lock_timeout: '0', // what must not wait says so itself; the making of the slot has to wait for blue's running transactions
  exit_on_error: 'off', // what green refuses is looked for in halves
  tcp_keepalives_idle: '10', tcp_keepalives_interval: '5', tcp_keepalives_count: '3', jit: 'off', max_parallel_workers_per_gather: '0',
};

/**
 * `lc_monetary` is set afterwards, so that the default, which the applications see, can still be asked for (settings.mjs). The answer also tells
 * whether what was asked for when connecting is in effect, and whether the session is one with this very process: a pooler may leave out the one without a word, and change the other;
 * and whether the server is a reader, which says so in a different way to each statement that it does not take (25006, 55000, XX000). `transaction_read_only` tells that on Aurora too
 * (Amazon Aurora User Guide, "Fast failover with Amazon Aurora PostgreSQL"); the default of the database, which would turn it on as well, is off in these sessions.
 */
const AFTER_CONNECTING = "SELECT set_config('lc_monetary', 'C', false), pg_backend_pid(), current_setting('search_path') = 'pg_catalog' AND current_setting('row_security') = 'off', current_setting('transaction_read_only') = 'on'";

/**
 * A row that green refuses would stand in its server log, in the error's text, detail and context. Only a superuser may turn that off for a session; others
 * are given it by an administrator (README.md). The errors are told by this program, without rows.
 */
const QUIET_ERRORS = `SELECT set_config('log_min_messages', 'fatal', false), set_config('log_min_error_statement', 'panic', false), set_config('log_error_verbosity', 'terse', false)
  FROM pg_roles WHERE rolname = current_user AND rolsuper`;

const CONNECT_MS = 5_000;
/** How long after the deadline a connection that still hangs is torn down. */
const GRACE_MS = 2_000;

const HELD_UP = 'it is tried again with the next invocation. If that ends so too, somebody keeps a mapped table locked (pg_locks; prepared transactions in pg_prepared_xacts), or the server is overloaded';

const asText = { getTypeParser: () => (/** @type {string} */ value) => value };

/**
 * @param {Endpoint} endpoint
 * @param {{secrets: import('../lib/secrets.mjs').Secrets, tls: import('../lib/config.mjs').Tls, deadline: Deadline, applicationName: string, sessions?: Set<Session>}} options
 * @returns {Promise<Session>}
 */
export function openSession(endpoint, { secrets, tls, deadline, applicationName, sessions }) {
  return secrets.withCredentials(endpoint.secretArn, deadline, async ({ username, password }) => {
    const client = new pg.Client({
      host: endpoint.host, port: endpoint.port, database: endpoint.database, user: username, password,
      ssl: tlsOptions(tls, endpoint.host), keepAlive: true, types: asText, application_name: applicationName,
      connectionTimeoutMillis: Math.max(1, Math.min(CONNECT_MS, deadline.remainingMs())),
      options: Object.entries({ ...SETTINGS, statement_timeout: `${Math.max(1, deadline.remainingMs() + GRACE_MS)}ms` })
        .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`).join(' '),
    });
    const session = new Session(client, endpoint.role, deadline);
    sessions?.add(session);
    await session.guard(client.connect(), 'connecting');
    const [, pid, settled, reads] = await session.row(AFTER_CONNECTING);
    if (settled !== 't' || Number(pid) !== session.processId) {
      session.destroy();
      throw new PermanentError('POOLER', `${session.side}: a pooler or proxy stands between the function and PostgreSQL`, {
        hint: 'connect to the writer of the database itself: locks, temporary tables and settings belong to a session, which a pooler shares',
      });
    }
    if (reads === 't') {
      session.destroy();
      throw new TransientError('READER', `${session.side}: the server takes no writes`, { sqlstate: '25006', hint: sqlstateHint('25006', { side: session.side }) });
    }
    if (endpoint.role === 'target') await session.run(QUIET_ERRORS);
    return session;
  });
}

export class Session {
  /** @type {Error | undefined} */
  #lost;
  /** The kind of the latest statement, for errors. @type {string | undefined} */
  #statement;

  /** @param {pg.Client} client @param {'source' | 'target'} role @param {Deadline} deadline */
  constructor(client, role, deadline) {
    this.client = client;
    this.role = role;
    client.on('error', (error) => (this.#lost ??= error));
    this.deadline = deadline;
    this.timer = setTimeout(() => {
      this.#lost = new TransientError('TIME_ENDED', 'the time of the invocation ended before PostgreSQL answered', { hint: HELD_UP });
      this.destroy();
    }, Math.min(deadline.remainingMs() + GRACE_MS, 2 ** 31 - 1));
    this.timer.unref();
  }

  /** @returns {'blue' | 'green'} */
  get side() {
    return this.role === 'source' ? 'blue' : 'green';
  }

  /** Of the server's process, as it said when the session began. */
  get processId() {
    return Number(/** @type {{processID?: number}} */ (/** @type {unknown} */ (this.client)).processID);
  }

  /** Bytes that came from the server so far. */
  get bytesRead() {
    return /** @type {{bytesRead?: number}} */ (this.#socket()).bytesRead ?? 0;
  }

  /** @param {string} sql @param {unknown[]} [values] @returns {Promise<Row[]>} */
  async rows(sql, values = []) {
    const result = await this.guard(this.client.query({ text: sql, values, rowMode: 'array' }), kindOf(sql));
    return /** @type {Row[]} */ (result.rows);
  }

  /** The single row of an answer. @param {string} sql @param {unknown[]} [values] @returns {Promise<Row>} */
  async row(sql, values = []) {
    const [row] = await this.rows(sql, values);
    return row ?? [];
  }

  /** Runs a statement and answers how many rows it touched. @param {string} sql @param {unknown[]} [values] */
  async run(sql, values = []) {
    const result = await this.guard(values.length === 0 ? this.client.query(sql) : this.client.query(sql, values), kindOf(sql));
    return /** @type {{rowCount?: number | null}} */ (result).rowCount ?? 0;
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @param {string} [begin]
   */
  transaction(work, begin) {
    return inTransaction(this, work, begin);
  }

  /** A readable stream of what `COPY ... TO STDOUT` sends. @param {string} sql */
  copyOut(sql) {
    this.#statement = kindOf(sql);
    return this.client.query(copyTo(sql));
  }

  /** A writable stream into `COPY ... FROM STDIN`. @param {string} sql */
  copyIn(sql) {
    this.#statement = kindOf(sql);
    return this.client.query(copyFrom(sql));
  }

  /**
   * Makes every failure one of ours, saying at which side it happened.
   * @template T
   * @param {Promise<T>} promise
   * @param {string} [statement] its kind; that of the latest unless given
   */
  async guard(promise, statement = this.#statement) {
    this.#statement = statement;
    try {
      return await promise;
    } catch (cause) {
      throw this.told(cause, statement);
    }
  }

  /** @param {unknown} cause @param {string} [statement] its kind */
  told(cause, statement = this.#statement) {
    const { side } = this;
    const found = classify(cause instanceof Error && 'severity' in cause ? cause : (this.#lost ?? cause), { side, statement });
    const error = found.sqlstate === '57014' && !found.raised && !this.deadline.allows(1) ? new TransientError('TIME_ENDED', found.message, { sqlstate: '57014', cause: found.cause, hint: HELD_UP }) : found;
    if (!/^(blue|green): /.test(error.message)) error.message = `${side}: ${error.message}`;
    return error;
  }

  async close() {
    const impatience = setTimeout(() => this.destroy(), GRACE_MS); // the other side may be gone without a word
    await this.client.end().catch(() => {});
    clearTimeout(impatience);
    clearTimeout(this.timer);
  }

  /** Ends the connection at once, also in the middle of a COPY. */
  destroy() {
    clearTimeout(this.timer);
    this.#socket().destroy();
  }

  #socket() {
    return /** @type {{connection: {stream: import('node:net').Socket}}} */ (/** @type {unknown} */ (this.client)).connection.stream;
  }
}

/**
 * @template T
 * @param {{run: (sql: string) => Promise<unknown>}} session @param {() => Promise<T>} work @param {string} [begin]
 */
export async function inTransaction(session, work, begin = 'BEGIN') {
  await session.run(begin);
  try {
    const result = await work();
    await session.run('COMMIT');
    return result;
  } catch (error) {
    await session.run('ROLLBACK').catch(() => {}); // a lost connection has rolled back already
    throw error;
  }
}

/** What a statement does, as an error may say it: the function of PostgreSQL that matters, or its first words; nothing that follows. @param {string} sql */
function kindOf(sql) {
  const called = /\bpg_(?:create_logical_replication_slot|logical_slot_peek_binary_changes|replication_slot_advance|drop_replication_slot|logical_emit_message|export_snapshot)\b|\b(?:setval|lo_get|lo_from_bytea|lo_unlink)\b/.exec(sql);
  if (called !== null) return called[0];
  const [, command, object = ''] = /^\s*([A-Z]+)(?: (PUBLICATION|SCHEMA|TABLE|TEMPORARY TABLE|INTO|FROM|INDEX)\b)?/.exec(sql) ?? [];
  return command === undefined ? undefined : `${command} ${object}`.trim();
}
