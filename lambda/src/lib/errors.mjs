/**
 * Two classes of failure, because they are treated differently: a transient one is worth another attempt,
 * a permanent one is told to a person at once, with what to do about it.
 *
 * An error never carries a row value: `message` and `hint` are composed by us from names (tables, columns, variables),
 * and what PostgreSQL says in `detail`, `where` or `message` (it quotes rows there) is never taken over.
 */

/**
 * @typedef {object} Facts  Names only, never values: they are logged as they are.
 * @property {string} [hint] what to do about it
 * @property {string} [sqlstate]
 * @property {string} [table]
 * @property {string} [column]
 * @property {string} [constraint]
 * @property {boolean} [raised] a function of the user's own has raised it, under a code that it chose
 * @property {unknown} [cause] the error underneath; kept for debugging in tests, never logged
 */

/** An error whose message and facts are safe to log. */
export class MigrationError extends Error {
  /**
   * @param {string} code one word in capitals, e.g. `CONFIG_MISSING`
   * @param {string} message composed from names, never from row values
   * @param {Facts} [facts]
   */
  constructor(code, message, facts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = facts.hint;
    this.sqlstate = facts.sqlstate;
    this.table = facts.table;
    this.column = facts.column;
    this.constraint = facts.constraint;
    this.raised = facts.raised === true;
  }
}

/** Worth another attempt: connection lost, failover, serialization, deadlock, too many connections, throttling. */
export class TransientError extends MigrationError {}

/** Another attempt would end the same way: `hint` says what to do. */
export class PermanentError extends MigrationError {}

/** @type {Record<string, string>} */
const OTHER = { blue: 'green', green: 'blue', SOURCE_: 'TARGET_', TARGET_: 'SOURCE_' };

/** The words blue and green exchanged, and their variables: the stream of the way back runs the same program with the sides exchanged. @param {string} text */
const exchanged = (text) => text.replace(/\b(?:blue|green)\b|\b(?:SOURCE|TARGET)_(?=HOST|PORT|DB|SECRET_ARN)/g, (word) => OTHER[word] ?? word);

/** @template T @param {T} error of the way back @returns {T} saying which side is meant */
export function withSidesExchanged(error) {
  if (error instanceof MigrationError) {
    error.message = exchanged(error.message);
    error.hint = error.hint && exchanged(error.hint);
  }
  return error;
}
