/**
 * A place in the work of a function, instead of a time: what a test does there happens there on a fast machine, on a slow one, and on one that is busy.
 *
 * @typedef {import('../../src/sync/context.mjs').Invocation} Invocation
 * @typedef {import('../../src/pg/session.mjs').Session} Session
 */

/**
 * Called with every statement of an invocation's sessions. What `before` answers is waited for before the statement is sent, and what `sent` answers before its answer is handed on. A COPY is a statement too; `sent` is not called
 * with it.
 *
 * @typedef {{before?: (sql: string, role: Session['role']) => unknown, sent?: (sql: string, role: Session['role']) => unknown, after?: (sql: string, role: Session['role']) => unknown}} Hooks
 */

/** Sessions that the invocation opens from now on. @template {Pick<Invocation, 'secrets'>} T @param {T} invocation @param {Hooks} hooks @returns {T} the same one */
export function hook(invocation, { before, sent, after }) {
  const secrets = /** @type {any} */ (invocation.secrets);
  const withCredentials = secrets.withCredentials.bind(secrets);
  secrets.withCredentials = async (/** @type {unknown[]} */ ...args) => {
    /** @type {Session} */
    const session = await withCredentials(...args);
    for (const name of /** @type {const} */ (['rows', 'run'])) {
      const method = /** @type {(sql: string, values?: unknown[]) => Promise<any>} */ (session[name].bind(session));
      session[name] = async (/** @type {string} */ sql, /** @type {unknown[]} */ values = []) => {
        await before?.(sql, session.role);
        const answer = method(sql, values);
        answer.catch(() => {}); // thrown where it is awaited
        await sent?.(sql, session.role);
        const result = await answer;
        await after?.(sql, session.role);
        return result;
      };
    }
    for (const name of /** @type {const} */ (['copyOut', 'copyIn'])) {
      const method = session[name].bind(session);
      /** @type {any} */ (session)[name] = (/** @type {string} */ sql) => {
        void before?.(sql, session.role);
        return method(sql);
      };
    }
    return session;
  };
  return invocation;
}

/** Lets something happen when the invocation writes a line of its log, before anything else of it goes on. @template {Pick<Invocation, 'log'>} T @param {T} invocation @param {RegExp} message @param {() => void} act @returns {T} the same one */
export function atLine(invocation, message, act) {
  for (const level of /** @type {const} */ (['debug', 'info', 'warn'])) {
    const write = /** @type {(...line: unknown[]) => void} */ (invocation.log[level].bind(invocation.log));
    Object.assign(invocation.log, {
      [level]: (/** @type {unknown[]} */ ...line) => {
        write(...line);
        if (message.test(`${line[0]}`)) act();
      },
    });
  }
  return invocation;
}
