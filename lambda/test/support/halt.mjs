/** A process that kills or stops itself at a place in its work, so that a test need not hit that place from outside. */
import pg from 'pg';
import { atLine, hook } from './hooks.mjs';

/**
 * @typedef {object} Halt
 * @property {'SIGKILL' | 'SIGSTOP'} [signal] SIGKILL unless given
 * @property {string} [line] a part of a line of the log; the statements are counted from there on, or from the beginning
 * @property {number} [statements] at the statement after so many; at the line itself unless given
 * @property {'before' | 'sent' | 'after'} [at] before the statement leaves, when the server has it, or when it has answered; `before` unless given
 * @property {{side: 'blue' | 'green', sql: string}} [when] after the statement of which this question is answered with true from then on
 */

/**
 * @param {import('../../src/sync/context.mjs').Invocation} invocation of this process @param {ReturnType<import('./lab.mjs').Lab['parts']>} parts where the databases are @param {Halt} halt
 */
export function halting(invocation, parts, { signal = 'SIGKILL', line, statements = 0, at = 'before', when }) {
  let halted = false;
  const stop = () => {
    if (halted) return;
    halted = true;
    process.kill(process.pid, signal);
  };
  if (when !== undefined) return watching(invocation, parts, when, stop);
  let left = line === undefined ? statements : Infinity;
  if (line !== undefined) atLine(invocation, new RegExp(line), () => (statements === 0 ? stop() : (left = Math.min(left, statements))));
  const count = () => {
    left -= 1;
    if (left === 0) stop();
  };
  hook(invocation, { [at]: count });
}

/** @param {import('../../src/sync/context.mjs').Invocation} invocation @param {ReturnType<import('./lab.mjs').Lab['parts']>} parts @param {{side: 'blue' | 'green', sql: string}} when @param {() => void} stop */
function watching(invocation, parts, { side, sql }, stop) {
  const role = side === 'blue' ? 'source' : 'target';
  const { host, port, database } = parts.config[role];
  const { username: user, password } = parts.logins[role];
  const client = new pg.Client({ host, port, database, user, password });
  const connected = client.connect();
  /** @type {any} */ (client).unref(); // the types do not know it
  hook(invocation, {
    after: async () => {
      await connected;
      // What is asked about may not be there yet.
      const { rows: [row = {}] } = await client.query(sql).catch(() => ({ rows: [{}] }));
      if (Object.values(row)[0] === true) stop();
    },
  });
}
