import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { classify } from '../../src/lib/classify.mjs';
import { PermanentError, TransientError } from '../../src/lib/errors.mjs';

const { DatabaseError } = createRequire(import.meta.url)('pg-protocol');

/** @param {string} code @param {object} [more] */
function fromPostgres(code, more = {}) {
  return Object.assign(new DatabaseError('duplicate key 4111111111111111', 10, 'error'), { severity: 'ERROR', code, detail: 'Key (pan)=(4111111111111111) already exists.', where: 'COPY cards, line 1: "4111111111111111"', ...more });
}
/** @param {string} name @param {number} [status] */
const fromAws = (name, status = 400) => Object.assign(new Error('4111111111111111'), { name, $metadata: { httpStatusCode: status } });
/** @param {string} code */
const fromNode = (code) => Object.assign(new Error('connect 4111111111111111'), { code });

test('what passes by itself is transient', () => {
  const failures = [
    ...['08006', '08001', '57P01', '57P02', '57P03', '40001', '40P01', '53300', '55006', '25006'].map((code) => fromPostgres(code)),
    ...['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'EAI_AGAIN'].map(fromNode),
    ...['ThrottlingException', 'TooManyRequestsException', 'ProvisionedThroughputExceededException', 'RequestLimitExceeded', 'InternalServiceError', 'TransactionInProgressException'].map((name) => fromAws(name)),
    fromAws('SomethingNew', 503), fromAws('SomethingNew', 429), Object.assign(fromAws('Odd'), { $retryable: {} }),
    Object.assign(new Error('aborted'), { name: 'TimeoutError' }), Object.assign(new Error('aborted'), { name: 'TimeoutError', $metadata: { attempts: 1 } }),
    Object.assign(fromNode('ECONNREFUSED'), { $metadata: { attempts: 1 } }), // how the SDK hands on that AWS was not reached
    new Error('Connection terminated unexpectedly'), new Error('timeout expired'), new Error('Client has encountered a connection error and is not queryable'),
  ];
  for (const failure of failures) assert.ok(classify(failure) instanceof TransientError, `${failure.name} ${/** @type {any} */ (failure).code ?? failure.message}`);
});

test('what a function has raised on purpose is permanent, whatever code it has taken; but for what the fence raises', () => {
  for (const file of ['pl_exec.c', 'plpy_elog.c', 'plperl.c', 'pltcl.c', '../src/pl/plpgsql/src/pl_exec.c'])
    for (const code of ['40001', '40P01', '53300', '55P03', '57014', '57P01', '08006']) {
      const error = classify(fromPostgres(code, { file, routine: 'exec_stmt_raise' }));
      assert.ok(error instanceof PermanentError && error.raised, `${code} ${file}`);
      assert.match(error.hint ?? '', /a function or trigger/);
    }
  assert.ok(classify(fromPostgres('25006', { file: 'pl_exec.c' })) instanceof TransientError);
  for (const file of ['postgres.c', 'predicate.c', 'my_pl_exec.c.c', undefined]) assert.ok(!classify(fromPostgres('40001', { file })).raised);
});

test('what does not is permanent, and says what to do', () => {
  /** @type {[Error, string, RegExp][]} */
  const failures = [
    [fromPostgres('28P01'), 'DATABASE_REFUSED', /user and password in Secrets Manager/],
    [fromPostgres('3D000'), 'DATABASE_REFUSED', /SOURCE_DB/],
    [fromPostgres('42501'), 'DATABASE_REFUSED', /grant/],
    [fromPostgres('42P01'), 'DATABASE_REFUSED', /schema changed/],
    [fromPostgres('23505'), 'DATABASE_REFUSED', /constraints/],
    [fromPostgres('55000'), 'DATABASE_REFUSED', /the log of the server/],
    [fromPostgres('08P01'), 'DATABASE_REFUSED', /poolers and proxies/],
    [fromPostgres('53100'), 'DATABASE_REFUSED', /disk is full/],
    [fromPostgres('XX000'), 'DATABASE_REFUSED', /appendix A/],
    [fromNode('ENOTFOUND'), 'ENOTFOUND', /check host and port/],
    [fromNode('SELF_SIGNED_CERT_IN_CHAIN'), 'TLS_UNTRUSTED', /RDS roots/],
    [fromNode('ERR_TLS_CERT_ALTNAME_INVALID'), 'TLS_UNTRUSTED', /name the host/],
    [fromAws('ResourceNotFoundException'), 'AWS_REFUSED', /ARNs/],
    [fromAws('ParameterNotFound'), 'AWS_REFUSED', /MAPPING_PARAMETER/],
    [fromAws('AccessDeniedException'), 'AWS_REFUSED', /lacks a permission/],
    [fromAws('DecryptionFailure'), 'AWS_REFUSED', /kms:Decrypt/],
    [new Error('The server does not support SSL connections'), 'TLS_REFUSED', /DB_TLS=disable/],
    [new RangeError('4111111111111111'), 'INTERNAL', /report it/],
  ];
  for (const [failure, code, hint] of failures) {
    const error = classify(failure);
    assert.ok(error instanceof PermanentError, code);
    assert.equal(error.code, code);
    assert.match(error.hint ?? '', hint);
  }
});

test('a hint follows from the side and the statement too', () => {
  /** @type {[string, 'blue' | 'green', string, RegExp][]} */
  const failures = [
    ['55000', 'blue', 'pg_create_logical_replication_slot', /rds\.logical_replication=1/],
    ['55000', 'green', 'INSERT INTO', /DEFERRABLE/],
    ['42883', 'green', 'INSERT INTO', /name their schema/],
    ['42883', 'green', 'CREATE TEMPORARY TABLE', /same extensions/],
    ['55000', 'blue', 'COPY', /log of the server/],
    ['42501', 'blue', 'pg_create_logical_replication_slot', /rds_replication/],
    ['42501', 'blue', 'CREATE PUBLICATION', /CREATE on blue's database/],
    ['42501', 'green', 'TRUNCATE', /green's user/],
    ['08P01', 'blue', 'connecting', /pooler or proxy/],
    ['0A000', 'green', 'connecting', /pooler or proxy/],
    ['25006', 'green', 'CREATE SCHEMA', /TARGET_HOST/],
    ['25006', 'blue', 'CREATE PUBLICATION', /SOURCE_HOST/],
    ['55006', 'blue', 'pg_logical_slot_peek_binary_changes', /replication slot/],
    ['22003', 'blue', 'SELECT', /blue could not compute/],
    ['23505', 'green', 'INSERT INTO', /green refuses the row/],
    ['54011', 'green', 'CREATE TEMPORARY TABLE', /1600/],
    ['54000', 'green', 'INSERT INTO', /too long for an index/],
    ['3D000', 'green', 'connecting', /TARGET_DB/],
    ['53100', 'blue', 'COPY', /replication slots/],
    ['53300', 'blue', 'connecting', /max_connections/],
  ];
  for (const [code, side, statement, hint] of failures) {
    const error = classify(fromPostgres(code), { side, statement });
    assert.match(error.hint ?? '', hint, `${code} ${side} ${statement}`);
    assert.equal(error.message, `PostgreSQL answered ${code} to ${statement}`);
    assert.equal(error instanceof TransientError, ['25006', '55006', '53300'].includes(code), code);
  }
});

test('names are taken over, values never', () => {
  const error = classify(fromPostgres('23505', { schema: 'public', table: 'cards', column: 'pan', constraint: 'cards_pan_key' }));
  assert.deepEqual([error.sqlstate, error.table, error.column, error.constraint], ['23505', 'public.cards', 'pan', 'cards_pan_key']);
  for (const failure of [fromPostgres('23505'), fromNode('ECONNRESET'), fromAws('Odd'), new SyntaxError('Unexpected token 4111111111111111')]) {
    const { message, hint, stack } = classify(failure);
    assert.doesNotMatch(`${message} ${hint} ${stack}`, /4111/);
  }
});

test('an error of ours stays itself; what is no error is one', () => {
  const own = new TransientError('DEADLINE', 'x');
  assert.equal(classify(own), own);
  assert.equal(classify('4111111111111111').code, 'UNKNOWN');
  assert.doesNotMatch(classify('4111111111111111').message, /4111/);
});
