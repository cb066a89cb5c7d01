import { PermanentError } from './errors.mjs';

/**
 * The environment of the functions (the contract with the deployer). All that is wrong is said at once.
 *
 * @typedef {object} Endpoint one database
 * @property {'source' | 'target'} role
 * @property {string} host
 * @property {number} port
 * @property {string} database
 * @property {string} secretArn
 *
 * @typedef {object} Tls
 * @property {'verify-full' | 'disable'} mode
 * @property {string | undefined} caFile roots in place of the RDS roots
 *
 * @typedef {'debug' | 'info' | 'warn' | 'error'} Level
 *
 * @typedef {object} DatabaseConfig
 * @property {Endpoint} source
 * @property {Endpoint} target
 * @property {string | undefined} mappingParameter SSM path; the packaged default otherwise
 * @property {string | undefined} hashKeySecretArn needed only by mappings that hash
 * @property {Tls} tls
 * @property {Level} logLevel
 * @property {import('../verify/sessions.mjs').SessionsTables} [sessions] tables that verify counts
 * @property {'forward' | 'reverse'} [direction] of the stream: from blue to green unless given. `source` and `target` are its beginning and its end
 */

/** @typedef {Record<string, string | undefined>} Environment */

/** @type {readonly Level[]} */
const LEVELS = ['debug', 'info', 'warn', 'error'];
/** A path into a map is none: the attributes stand at the top of an item. */
const ATTRIBUTE = /^[^.[\]]{1,255}$/;
const TABLE = /^[A-Za-z0-9_.-]{3,255}$/;
const STATE_TABLE_SUFFIX = '-migration';
const PORT = { test: (/** @type {string} */ text) => /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535 };
const ARN = /^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+$/;

/**
 * What sync and verify need.
 * @param {Environment} environment
 * @returns {DatabaseConfig}
 */
export function readDatabaseConfig(environment) {
  const read = new Reader(environment);
  const config = {
    source: endpoint(read, 'source', 'SOURCE'),
    target: endpoint(read, 'target', 'TARGET'),
    mappingParameter: read.optional('MAPPING_PARAMETER', /^[A-Za-z0-9_.\-/]{1,1011}$/, 'the path of an SSM parameter'),
    hashKeySecretArn: read.optional('HASH_KEY_SECRET_ARN', ARN, 'the ARN of a secret'),
    tls: {
      mode: read.choice('DB_TLS', /** @type {const} */ (['verify-full', 'disable']), 'verify-full'),
      caFile: read.optional('DB_CA_FILE', /./, 'the path of a PEM file'),
    },
    logLevel: read.choice('LOG_LEVEL', LEVELS, 'info'),
    ...sessionsTables(read),
  };
  const direction = read.choice('DIRECTION', /** @type {const} */ (['forward', 'reverse']), 'forward');
  read.finish();
  return direction === 'reverse' ? reversed(config) : config;
}

/** @param {Reader} read @returns {Pick<DatabaseConfig, 'sessions'>} */
function sessionsTables(read) {
  const [source, target] = ['SESSIONS_SOURCE_TABLE', 'SESSIONS_TARGET_TABLE'].map((name) => read.optional(name, TABLE, 'the name of a DynamoDB table'));
  if (source === undefined && target === undefined) return {};
  for (const [name, value] of Object.entries({ SESSIONS_SOURCE_TABLE: source, SESSIONS_TARGET_TABLE: target })) if (value === undefined) read.problems.push(`${name} is missing (both tables are counted, or none)`);
  return { sessions: { source: source ?? '', target: target ?? '', expiry: read.optional('TTL_ATTRIBUTE', ATTRIBUTE, 'the name of an attribute (not a path)') ?? 'expires_at' } };
}

/** The same databases, for the stream from green to blue. @param {DatabaseConfig} config @returns {DatabaseConfig} */
export const reversed = (config) => ({ ...config, direction: 'reverse', source: { ...config.target, role: 'source' }, target: { ...config.source, role: 'target' } });

/**
 * @typedef {object} SessionsConfig
 * @property {string} targetTable
 * @property {string} stateTable
 * @property {string | undefined} sourceTable needed only to copy what blue's table holds already
 * @property {string | undefined} hashKeySecretArn
 * @property {Attributes} attributes
 * @property {Level} logLevel
 *
 * @typedef {object} Attributes names of a session's attributes
 * @property {string} version a number that grows with every write
 * @property {string} time of the last write: a number, or a text of ISO 8601
 * @property {string} expiry the table's TTL attribute
 */

/**
 * What sessions needs.
 * @param {Environment} environment
 * @returns {SessionsConfig}
 */
export function readSessionsConfig(environment) {
  const read = new Reader(environment);
  const targetTable = read.required('TARGET_TABLE', TABLE, 'the name of a DynamoDB table');
  const config = {
    targetTable,
    stateTable: read.optional('STATE_TABLE', TABLE, 'the name of a DynamoDB table') ?? `${targetTable.slice(0, 255 - STATE_TABLE_SUFFIX.length)}${STATE_TABLE_SUFFIX}`,
    sourceTable: read.optional('SOURCE_TABLE', TABLE, 'the name of a DynamoDB table'),
    hashKeySecretArn: read.optional('HASH_KEY_SECRET_ARN', ARN, 'the ARN of a secret'),
    attributes: {
      version: read.optional('VERSION_ATTRIBUTE', ATTRIBUTE, 'the name of an attribute (not a path)') ?? 'version',
      time: read.optional('TIME_ATTRIBUTE', ATTRIBUTE, 'the name of an attribute (not a path)') ?? 'updated_at',
      expiry: read.optional('TTL_ATTRIBUTE', ATTRIBUTE, 'the name of an attribute (not a path)') ?? 'expires_at',
    },
    logLevel: read.choice('LOG_LEVEL', LEVELS, 'info'),
  };
  if (targetTable !== '' && config.stateTable === targetTable) read.problems.push('STATE_TABLE is the same as TARGET_TABLE (it takes a table of its own)');
  read.finish();
  return config;
}

/** The log level alone, forgiving: an invocation with a bad environment still logs why. @param {Environment} environment */
export function readLogLevel(environment) {
  const level = /** @type {Level} */ (environment['LOG_LEVEL']?.toLowerCase());
  return LEVELS.includes(level) ? level : 'info';
}

/**
 * @param {Reader} read
 * @param {'source' | 'target'} role
 * @param {'SOURCE' | 'TARGET'} prefix
 * @returns {Endpoint}
 */
function endpoint(read, role, prefix) {
  return {
    role,
    host: read.required(`${prefix}_HOST`, /^[A-Za-z0-9.\-:[\]]{1,255}$/, 'a host name'),
    port: Number(read.required(`${prefix}_PORT`, PORT, 'a port, 1 to 65535')),
    database: read.required(`${prefix}_DB`, /^.{1,63}$/, 'the name of a database'),
    secretArn: read.required(`${prefix}_SECRET_ARN`, ARN, 'the ARN of a secret'),
  };
}

/** Reads variables and collects what is wrong with them. */
class Reader {
  /** @param {Environment} environment */
  constructor(environment) {
    this.environment = environment;
    /** @type {string[]} */
    this.problems = [];
  }

  /** @param {string} name @param {Pick<RegExp, 'test'>} pattern @param {string} accepted */
  required(name, pattern, accepted) {
    const value = this.optional(name, pattern, accepted);
    if (value === undefined) this.problems.push(`${name} is missing (${accepted})`);
    return value ?? '';
  }

  /**
   * A malformed value is not repeated in the error: somebody may have put a password where an ARN belongs.
   * @param {string} name @param {Pick<RegExp, 'test'>} pattern @param {string} accepted
   */
  optional(name, pattern, accepted) {
    const value = this.environment[name];
    if (value === undefined || value === '') return undefined;
    if (!pattern.test(value)) this.problems.push(`${name} is not ${accepted}`);
    return value;
  }

  /**
   * @template {string} T
   * @param {string} name @param {readonly T[]} accepted @param {T} otherwise
   * @returns {T}
   */
  choice(name, accepted, otherwise) {
    const value = /** @type {T | undefined} */ (this.environment[name]?.toLowerCase() || undefined);
    if (value === undefined) return otherwise;
    if (!accepted.includes(value)) this.problems.push(`${name} is not one of ${accepted.join(', ')}`);
    return value;
  }

  finish() {
    if (this.problems.length === 0) return;
    throw new PermanentError('CONFIG', `the environment is incomplete or wrong: ${[...new Set(this.problems)].join('; ')}`, {
      hint: "set these variables in the function's configuration; README.md lists them all",
    });
  }
}
