/** Which codes mean what: PostgreSQL (appendix A of its manual), the network, TLS, AWS. */

/**
 * Where a failure comes from. The same SQLSTATE means something else on the other side, or to another statement.
 * @typedef {{side?: 'blue' | 'green', statement?: string}} Origin `statement`: its kind (`COPY`, `CREATE PUBLICATION`, the function that is called), never its text
 */

export const SQLSTATE = {
  /** What passes by itself. Class 08 does as a whole, but for 08P01, and is not repeated here. */
  transient: new Set([
    '57P01', // admin_shutdown: failover
    '57P02', // crash_shutdown
    '57P03', // cannot_connect_now: starting up
    '57P05', // idle_session_timeout
    '40001', // serialization_failure
    '40P01', // deadlock_detected
    '53300', // too_many_connections
    '55006', // object_in_use: a killed run's backend still holds the slot for a moment
    '55P03', // lock_not_available
    '25P03', // idle_in_transaction_session_timeout: the other side kept us waiting
    '25006', // read_only_sql_transaction: the writer's name still leads to the old writer after a failover
  ]),
  /** The first that fits the code, the side and the kind of statement. @type {{code: RegExp, side?: 'blue' | 'green', statement?: RegExp, hint: string}[]} */
  hints: [
    { code: /^28/, hint: 'the secret was read again and is still refused: check user and password in Secrets Manager and pg_hba.conf' },
    { code: /^3D000/, side: 'blue', hint: 'the database does not exist: check SOURCE_DB' },
    { code: /^3D000/, side: 'green', hint: 'the database does not exist: check TARGET_DB' },
    { code: /^3D000/, hint: 'the database does not exist: check SOURCE_DB and TARGET_DB' },
    { code: /^08P01|^0A000/, statement: /^connecting$/, hint: 'a pooler or proxy stands in between and does not take the settings of the session: connect to the writer of the database itself' },
    { code: /^08P01/, hint: 'what answers does not speak as PostgreSQL does, as poolers and proxies do: connect to the writer of the database itself' },
    { code: /^42501/, side: 'blue', statement: /PUBLICATION/, hint: "a grant is missing: the user needs CREATE on blue's database and must own the mapped tables, or be in the role that does" },
    { code: /^42501/, side: 'blue', statement: /slot|logical/, hint: 'a grant is missing: GRANT rds_replication TO the user of blue (elsewhere ALTER ROLE ... REPLICATION)' },
    { code: /^42501/, statement: /^lo_get$/, hint: "the migration's key belongs to the user that began the migration: go on with that user, or GRANT it to the present one" },
    { code: /^42501/, side: 'blue', hint: "a grant is missing, or a row security policy hides rows: README.md lists what blue's user needs" },
    { code: /^42501/, side: 'green', hint: "a grant is missing, or a row security policy hides rows: README.md lists what green's user needs" },
    { code: /^42501/, hint: 'a grant is missing: README.md lists what the users of blue and green need' },
    { code: /^42P01|^42703|^3F000/, side: 'green', hint: 'a table or column of green is gone, or its schema: bring green and the mapping together and run again' },
    { code: /^42P01|^42703|^3F000/, hint: 'a table or column is gone: the schema changed; bring the mapping up to date and run again' },
    { code: /^42883|^42704/, side: 'green', statement: /^(COPY|INSERT|UPDATE|DELETE)/, hint: "install the same extensions on both sides; where a function of green's constraints, indexes or defaults calls others, it has to name their schema (ALTER FUNCTION ... SET search_path): the stream works with search_path = pg_catalog" },
    { code: /^42704|^42883/, hint: 'a type, operator or function is not there: install the same extensions on both sides' },
    { code: /^42710/, hint: 'something of that name is there already: another migration or a rest of one; `stop` cleans up' },
    { code: /^53100/, side: 'blue', hint: "blue's disk is full: look at the replication slots first (`status`), then enlarge it" },
    { code: /^53100/, side: 'green', hint: "green's disk is full: enlarge it" },
    { code: /^53100/, hint: 'the disk is full: enlarge it; if it is blue, look at the replication slots first' },
    { code: /^53300/, hint: 'all connections are in use: raise max_connections or use fewer; it is tried again until the time ends' },
    { code: /^53400/, side: 'blue', hint: 'a limit of the configuration is reached: sync needs two free replication slots on blue when it begins (max_replication_slots), and one later' },
    { code: /^53/, hint: 'the server is out of a resource: look at its memory, disk and connection limits' },
    { code: /^23/, side: 'blue', hint: "blue refuses it: a constraint of blue's own catalog or of a trigger there" },
    { code: /^23/, hint: 'green refuses the row: its constraints ask for something the mapping does not deliver' },
    { code: /^22/, side: 'blue', hint: "blue could not compute a value: see blue's log at this time" },
    { code: /^22/, hint: 'green refuses a value: the type of the target column does not fit, see the mapping' },
    { code: /^25006/, side: 'blue', hint: 'the server takes no writes. After a failover that passes; if it lasts, SOURCE_HOST names a reader: it has to be the writer endpoint' },
    { code: /^25006/, side: 'green', hint: 'the server takes no writes. After a failover that passes; if it lasts, TARGET_HOST names a reader: it has to be the writer endpoint' },
    { code: /^25006/, hint: 'the server takes no writes: after a failover that passes; if it lasts, the host is a reader' },
    { code: /^55000/, side: 'blue', statement: /slot|logical/, hint: 'blue is not ready for logical decoding: set rds.logical_replication=1 (wal_level=logical) and restart it; or the slot is lost (`status`)' },
    { code: /^55000/, side: 'green', hint: "green's table is not in a state to take this statement: its key may be DEFERRABLE, or an object is being changed" },
    { code: /^55000/, hint: 'an object of this side is not in a state to take this statement: see the log of the server at this time' },
    { code: /^55006/, statement: /slot/, hint: 'another process reads the replication slot: a run that was killed lets go of it in seconds; anything else must not read it' },
    { code: /^55006|^55P03/, hint: 'somebody else uses or locks the object; it is tried again until the time ends' },
    { code: /^54011/, hint: 'a table has too many columns for this statement (PostgreSQL has a limit of 1600)' },
    { code: /^54/, hint: 'a value is beyond a limit of PostgreSQL: too long for an index, or nested too deeply' },
    { code: /^57014/, hint: 'a statement was cancelled, by a person or a timeout' },
    { code: /^57P04/, hint: 'the database was dropped' },
    { code: /^P0/, side: 'blue', statement: /^(CREATE|ALTER|DROP|COMMENT)/, hint: "a function of blue refused the statement, as event triggers do that guard the schema: let it pass what the migration's user does" },
    { code: /^P0/, hint: 'a function or trigger of this side refused the statement' },
    { code: /^72/, hint: 'old_snapshot_threshold of the server is shorter than what is being read: turn it off (-1) for the time of the migration' },
    { code: /^58|^XX00[12]/, hint: 'the server cannot read or write its files, or they are damaged: look at its log, and restore it if so' },
    { code: /^0A000/, hint: 'this server does not know the statement: blue has to be PostgreSQL 14.6 or later, without a pooler or proxy in between' },
  ],
};

/** @param {string} code @param {Origin} [origin] */
export function sqlstateHint(code, { side, statement } = {}) {
  const fits = (/** @type {(typeof SQLSTATE.hints)[number]} */ entry) =>
    entry.code.test(code) && (entry.side === undefined || entry.side === side) && (entry.statement === undefined || entry.statement.test(statement ?? ''));
  return SQLSTATE.hints.find(fits)?.hint ?? 'look the SQLSTATE up in appendix A of the PostgreSQL manual';
}

/** Does this pass by itself? @param {string} code */
export const passes = (code) => SQLSTATE.transient.has(code) || (code.startsWith('08') && code !== '08P01');

export const NETWORK = {
  transient: new Set(['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'EAI_AGAIN']),
  permanent: new Set(['ENOTFOUND', 'EAI_FAIL', 'EAI_NONAME']),
  hint: 'check host and port, the security groups between the function and the database, and that the database is running',
};

export const TLS = {
  codes: /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/,
  refused: 'turn TLS on there; DB_TLS=disable goes without it (local use)',
  hint: 'the certificate must be signed by the RDS roots and name the host; DB_CA_FILE names other roots (local use)',
};

const SIGNATURE = 'the signature is not accepted: check the clock, the region and the endpoint, and that nothing between the function and AWS changes the request';

export const AWS = {
  transient: new Set([
    'ThrottlingException', 'Throttling', 'TooManyRequestsException', 'RequestLimitExceeded', 'ProvisionedThroughputExceededException',
    'RequestThrottled', 'RequestThrottledException', 'TransactionInProgressException', 'InternalServerError', 'InternalServiceError',
    'ServiceUnavailable', 'ServiceUnavailableException', 'TransactionConflictException', 'ReplicatedWriteConflictException',
  ]),
  unreachable: 'check the VPC endpoints or the NAT gateway, and the security groups on the way',
  hints: new Map([
    ['ResourceNotFoundException', 'the secret or table does not exist: check the ARNs and TARGET_TABLE'],
    ['ParameterNotFound', 'the parameter does not exist: check MAPPING_PARAMETER'],
    ['AccessDeniedException', "the function's role lacks a permission: README.md lists what each function needs"],
    ['DecryptionFailure', "the function's role may not use the KMS key: allow kms:Decrypt on it"],
    ['InvalidRequestException', 'the secret is marked for deletion: restore it'],
    ['ValidationException', "the table's key differs from what the function writes: see README.md, sessions"],
    ['CredentialsProviderError', 'the function has no credentials: check its role'],
    ['ExpiredTokenException', "the role's session has ended: start the function again"],
    ['UnrecognizedClientException', 'the credentials are not known to AWS: check the role and the region'],
    ['InvalidSignatureException', SIGNATURE],
    ['SignatureDoesNotMatch', SIGNATURE],
    ['IncompleteSignature', SIGNATURE],
    ['RequestExpired', SIGNATURE],
    ['MissingAuthenticationToken', 'the request reached AWS without credentials: check the role, and that nothing between the function and AWS takes headers away'],
    ['InvalidClientTokenId', 'the credentials are not known to AWS: check the role and the region'],
    ['ExpiredToken', "the role's session has ended: start the function again"],
  ]),
};
