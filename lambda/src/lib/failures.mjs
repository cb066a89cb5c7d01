/** Which codes mean what: PostgreSQL (appendix A of its manual), the network, TLS, AWS. */

export const SQLSTATE = {
  /** Class 08 is transient as a whole and is not repeated here. */
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
  /** @type {[RegExp, string][]} */
  hints: [
    [/^28/, 'the secret was read again and is still refused: check user and password in Secrets Manager and pg_hba.conf'],
    [/^3D000/, 'the database does not exist: check SOURCE_DB and TARGET_DB'],
    [/^42501/, 'a grant is missing: README.md lists what the users of blue and green need'],
    [/^42P01|^42703/, 'a table or column is gone: the schema changed; bring the mapping up to date and run again'],
    [/^53100/, 'the disk is full: enlarge it; if it is blue, look at the replication slots first'],
    [/^53400/, 'a limit of the configuration is reached: sync needs two free replication slots on blue when it begins (max_replication_slots), and one later'],
    [/^53/, 'the server is out of a resource: look at its memory, disk and connection limits'],
    [/^23/, 'green refuses the row: its constraints ask for something the mapping does not deliver'],
    [/^22/, 'green refuses a value: the type of the target column does not fit, see the mapping'],
    [/^55000/, 'blue is not ready for logical decoding: set rds.logical_replication=1 (wal_level=logical) and restart it'],
    [/^57014/, 'a statement was cancelled, by a person or a timeout'],
  ],
};

/** @param {string} code */
export const sqlstateHint = (code) =>
  SQLSTATE.hints.find(([pattern]) => pattern.test(code))?.[1] ?? 'look the SQLSTATE up in appendix A of the PostgreSQL manual';

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
  ]),
};
