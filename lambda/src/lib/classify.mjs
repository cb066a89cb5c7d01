import { MigrationError, PermanentError, TransientError } from './errors.mjs';
import { NETWORK, TLS, AWS, passes, sqlstateHint } from './failures.mjs';

/**
 * Any failure, from PostgreSQL, the network or AWS, as one of our two classes. Nothing of its text is taken over, since
 * PostgreSQL quotes rows in it: only codes and names of things.
 * @param {unknown} failure
 * @param {import('./failures.mjs').Origin} [origin] of PostgreSQL's failures
 * @returns {MigrationError}
 */
export function classify(failure, origin = {}) {
  if (failure instanceof MigrationError) return failure;
  if (!(failure instanceof Error)) return new PermanentError('UNKNOWN', 'something that is no error was thrown');
  return ofPostgres(failure, origin) ?? ofAws(failure) ?? ofNetwork(failure) ?? ofDriver(failure) ?? ofProgram(failure);
}

/**
 * Where the server has raised an error: the source files of RAISE in PL/pgSQL, and of what the other procedural languages have for it. (PostgreSQL's protocol, "Error and Notice Message Fields": F is the file. A bare RAISE in an
 * EXCEPTION block keeps the place of the error that it hands on: pl_exec.c, exec_stmt_raise.)
 */
const RAISED_IN = /(?:^|\/)(?:pl_exec|plpy_[a-z]+|plperl|pltcl)\.c$/;

/**
 * 25006 is what this migration's own fence raises: that passes.
 * @param {string} code @param {string | undefined} file
 */
const isRaised = (code, file) => code !== '25006' && RAISED_IN.test(file ?? '');

/** @param {Error & {code?: unknown, severity?: unknown, file?: string, schema?: string, table?: string, column?: string, constraint?: string}} failure @param {import('./failures.mjs').Origin} origin */
function ofPostgres(failure, origin) {
  const { code } = failure;
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || failure.severity === undefined) return undefined;
  const facts = {
    sqlstate: code,
    table: failure.table === undefined ? undefined : [failure.schema, failure.table].filter(Boolean).join('.'),
    column: failure.column,
    constraint: failure.constraint,
    raised: isRaised(code, failure.file),
    cause: failure,
  };
  const message = `PostgreSQL answered ${code}${origin.statement === undefined ? '' : ` to ${origin.statement}`}`;
  // What a function has raised on purpose is raised again by the next attempt, whatever code it has taken.
  if (facts.raised && (passes(code) || code === '57014')) return new PermanentError('DATABASE_REFUSED', message, { ...facts, hint: sqlstateHint('P0001', origin) });
  if (passes(code)) return new TransientError('DATABASE_TRANSIENT', message, { ...facts, hint: sqlstateHint(code, origin) });
  return new PermanentError('DATABASE_REFUSED', message, { ...facts, hint: sqlstateHint(code, origin) });
}

/** @param {Error & {$metadata?: {httpStatusCode?: number}, $retryable?: {throttling?: boolean}}} failure */
function ofAws(failure) {
  const status = failure.$metadata?.httpStatusCode;
  // The SDK puts $metadata on failures of the network too, and calls a lost connection a TimeoutError: only a status was an answer.
  if (status === undefined && !AWS.hints.has(failure.name) && !AWS.transient.has(failure.name))
    return failure.$metadata === undefined ? undefined : new TransientError('AWS_UNREACHABLE', 'AWS was not reached', { hint: AWS.unreachable, cause: failure });
  const facts = { hint: AWS.hints.get(failure.name), cause: failure };
  if (AWS.transient.has(failure.name) || failure.$retryable !== undefined || status === 429 || (status ?? 0) >= 500)
    return new TransientError('AWS_TRANSIENT', `AWS answered ${safeName(failure.name)}`, facts);
  return new PermanentError('AWS_REFUSED', `AWS answered ${safeName(failure.name)}`, facts);
}

/** @param {Error & {code?: unknown}} failure */
function ofNetwork(failure) {
  const { code } = failure;
  if (typeof code !== 'string') return undefined;
  if (NETWORK.transient.has(code)) return new TransientError(code, `the connection failed (${code})`, { cause: failure, hint: NETWORK.hint });
  if (NETWORK.permanent.has(code)) return new PermanentError(code, `the host name does not resolve (${code})`, { cause: failure, hint: NETWORK.hint });
  if (TLS.codes.test(code)) return new PermanentError('TLS_UNTRUSTED', `the server's certificate is not trusted (${safeName(code)})`, { cause: failure, hint: TLS.hint });
  return undefined;
}

/** What the drivers say without a code: their own constant sentences. @param {Error} failure */
function ofDriver(failure) {
  if (/^(Connection terminated|Client has encountered a connection error|timeout expired|Query read timeout|Client was closed)/.test(failure.message) || failure.name === 'TimeoutError')
    return new TransientError('CONNECTION_LOST', 'the connection was lost', { cause: failure, hint: NETWORK.hint });
  if (failure.message.startsWith('The server does not support SSL'))
    return new PermanentError('TLS_REFUSED', 'the server does not offer TLS', { cause: failure, hint: TLS.refused });
  return undefined;
}

/** A mistake of ours: its text is not trusted (`Unexpected token 4 in JSON` quotes its input). @param {Error} failure */
function ofProgram(failure) {
  return new PermanentError('INTERNAL', `unexpected ${safeName(failure.name)}`, {
    cause: failure,
    hint: 'a defect of the function: report it with the log lines of this invocation',
  });
}

/** @param {string} name */
const safeName = (name) => (/^[A-Za-z_]{1,64}$/.test(name) ? name : 'Error');
