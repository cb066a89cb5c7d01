import { MigrationError, PermanentError } from '../lib/errors.mjs';
import { ident, literal, qualified } from '../pg/text.mjs';
import { emitMarker } from './marks.mjs';
import { SCHEMA } from './state.mjs';

/**
 * The fence of one side: a trigger on every mapped table and partition that refuses the application's writes (SQLSTATE 25006). Readers go on. The streams of
 * the migration pass, because triggers of this kind do nothing under `session_replication_role = replica`.
 *
 * When writes are refused stands in the body of the trigger's function, so it is changed in one statement that waits for no table, is seen by every
 * next statement whatever snapshot it has, and ends by itself when nobody is left to change it. Raising the fence takes the tables' locks for an instant: a
 * transaction that has written before has committed by then, or the fence is given up.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {{oid: number}} Root a mapped table
 * @typedef {object} Fence
 * @property {'none' | 'open' | 'closed' | 'closed-until' | 'open-until'} state as the application meets it now: `open-until`: open, and closed by itself later
 * @property {number | null} seconds until it changes by itself
 * @property {boolean} complete every table and partition has the trigger
 * @property {boolean} lapsed it was open for a time only, and that time has ended: what was written then is not decided
 * @property {true} [ended] closed because the migration was stopped while the copied rows are there: they may be emptied
 */

const TRIGGER = 'deployer_fence';
/** Mode two-way: green's application may not write what only blue writes. */
export const ONE_WRITER = 'deployer_one_writer';
const FUNCTION = `${SCHEMA}.fence`;
/** For all tables together. It is below deadlock_timeout, so nobody is ended for it. */
const LOCK_MS = 700;
const TRIES = 5;
const PAUSE_MS = 300;

/** Times are those of the server's own clock: from now on, by so many seconds. */
const ALWAYS = "'infinity'::timestamptz";
const NEVER = "'-infinity'::timestamptz";
/** @param {number} seconds */
const inSeconds = (seconds) => `pg_catalog.clock_timestamp() + ${Math.max(0, Math.round(seconds * 1000))} * interval '1 ms'`;

const UNDER_WAY = "'writes to this side are refused during the migration' USING ERRCODE = '25006', HINT = 'try again; if it persists, the other side takes the writes'";

/** Rows that were copied are a copy that nobody keeps up to date any more: only emptying the table is permitted, which has to come before another migration. */
const ENDED = `'writes to this side are refused: the migration was stopped, and what was copied is still there' USING ERRCODE = '25006',
        HINT = 'TRUNCATE the mapped tables and begin the migration anew; or open this side by control: {"action": "finish", "release": true}'`;
const BUT_TRUNCATE = '-- but for TRUNCATE';

/** @param {string} closedUntil @param {string} openUntil expressions @param {{first?: string, ended?: boolean}} [more] `first`: a statement before it @returns {string} one statement */
const define = (closedUntil, openUntil, { first = '', ended = false } = {}) => `DO $define$ BEGIN ${first} EXECUTE format($text$
  CREATE OR REPLACE FUNCTION ${FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
    -- closed until %1$s open until %2$s
    ${ended ? `${BUT_TRUNCATE}\n    IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN RETURN NULL; END IF;` : ''}
    IF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.<) %1$L::pg_catalog.timestamptz OR pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>=) %2$L::pg_catalog.timestamptz THEN
      RAISE EXCEPTION ${ended ? ENDED : UNDER_WAY};
    END IF;
    RETURN NULL;
  END $body$ $text$, ${closedUntil}, ${openUntil}); END $define$`;

/** Closed without a break since it was closed for a time: decided by the server, at the moment of the change. */
const OPENED = '55000';
const STILL_CLOSED_MS = 500;
const IF_STILL_CLOSED = `IF NOT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = '${SCHEMA}' AND p.proname = 'fence'
    AND clock_timestamp() + interval '${STILL_CLOSED_MS} ms' < substring(p.prosrc FROM '-- closed until (.+) open until ')::timestamptz) THEN
    RAISE EXCEPTION 'the time is over for which this side was closed' USING ERRCODE = '${OPENED}'; END IF;`;

export const STATES = {
  closed: define(ALWAYS, ALWAYS),
  stillClosed: define(ALWAYS, ALWAYS, { first: IF_STILL_CLOSED }),
  ended: define(ALWAYS, ALWAYS, { ended: true }),
  open: define(NEVER, ALWAYS),
  /** @param {number} seconds */
  closedFor: (seconds) => define(inSeconds(seconds), ALWAYS),
  /** Until so many milliseconds after a moment of the server's clock. @param {string} moment @param {number} ms */
  openUntil: (moment, ms) => define(NEVER, `${literal(moment)}::timestamptz + ${Math.round(ms)} * interval '1 ms'`),
};

/** Changes what the fence does, in one statement. @param {Session} session @param {string} state of `STATES` */
export async function setFence(session, state) {
  await session.run(state);
}

/**
 * Closes for good what is closed for a time. @param {Session} session
 * @returns {Promise<boolean>} false, and nothing is changed: the time is over, so the application may have written again
 */
export async function closeForGood(session) {
  try {
    await setFence(session, STATES.stillClosed);
    return true;
  } catch (error) {
    if (error instanceof MigrationError && error.sqlstate === OPENED) return false;
    throw error;
  }
}

/** Does a trigger `t` call a function of this migration? */
const OWN = `EXISTS (SELECT FROM pg_proc f JOIN pg_namespace fn ON fn.oid = f.pronamespace WHERE f.oid = t.tgfoid AND fn.nspname = '${SCHEMA}')`;

/** All tables that hold rows or are named in statements; `there`: it has the trigger. @param {Session} session @param {Root[]} roots */
async function tree(session, roots) {
  const rows = await session.rows(
    `SELECT c.oid, n.nspname, c.relname, t.tgenabled
       FROM (SELECT unnest($1::oid[]) AS oid UNION SELECT relid FROM unnest($1::oid[]) AS root(oid), pg_partition_tree(root.oid)) AS tree
       JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = $2 AND ${OWN}
      WHERE c.relkind IN ('r', 'p') ORDER BY c.oid`,
    [roots.map(({ oid }) => oid), TRIGGER],
  );
  return rows.map(([oid, schema, name, enabled]) => ({ oid: Number(oid), schema: schema ?? '', name: name ?? '', there: enabled !== null, enabled: enabled === 'O' || enabled === 'A' }));
}

/** The application may have triggers of these names: they are not replaced. @param {Session} session @param {Root[]} roots */
export async function checkNames(session, roots) {
  const oids = (await tree(session, roots)).map(({ oid }) => oid);
  const [taken] = await session.rows(
    `SELECT n.nspname || '.' || c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE t.tgrelid = ANY ($1::oid[]) AND t.tgname IN ('${TRIGGER}', '${ONE_WRITER}') AND NOT ${OWN} LIMIT 1`, [oids]);
  if (taken !== undefined)
    throw new PermanentError('NAME_TAKEN', `${session.side}'s table ${taken[0]} has a trigger ${taken[1]} of its own, and the migration makes one of that name`, {
      table: taken[0] ?? undefined, hint: 'rename it (ALTER TRIGGER ... RENAME TO) for the time of the migration',
    });
}

/**
 * Raises the fence: when this returns, everything that the application has committed is before the marker, and nothing comes after it.
 * @param {Session} session of a user that owns the tables @param {Root[]} roots
 * @param {{state: string, pair: string, marker: string, allows: (ms: number) => boolean}} options `state` of `STATES`
 * @returns {Promise<{tries: number, at: number}>} `at`: this program's clock when the state was set, or a little before. It rejects with FENCE_NOT_RAISED, leaving nothing behind, when somebody kept a table locked
 */
export async function raiseFence(session, roots, { state, pair, marker, allows }) {
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
  await checkNames(session, roots);
  for (let tries = 1, at = 0; ; tries += 1) {
    try {
      await session.transaction(async () => {
        await session.run(`SET LOCAL idle_in_transaction_session_timeout = '5s'; SET LOCAL statement_timeout = '${LOCK_MS}ms'; SET LOCAL lock_timeout = '${LOCK_MS}ms'`);
        const known = await tree(session, roots);
        await session.run(`LOCK TABLE ${known.map((table) => `ONLY ${qualified(table)}`).join(', ')} IN SHARE ROW EXCLUSIVE MODE`);
        await session.run("SET LOCAL statement_timeout = '5s'");
        at = performance.now();
        await session.run(state);
        const locked = await tree(session, roots); // a partition may have come in between
        if (locked.length !== known.length) throw new PermanentError('FENCE_NOT_RAISED', 'a partition was made or removed in this moment', { hint: 'call again' });
        for (const table of locked)
          if (!table.enabled)
            await session.run(`CREATE OR REPLACE TRIGGER ${ident(TRIGGER)} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${qualified(table)} FOR EACH STATEMENT EXECUTE FUNCTION ${FUNCTION}();
              ALTER TABLE ONLY ${qualified(table)} ENABLE TRIGGER ${ident(TRIGGER)}`);
        await session.run(emitMarker(pair, marker));
      });
      return { tries, at };
    } catch (error) {
      const waited = error instanceof MigrationError && /^(57014|55P03)$/.test(error.sqlstate ?? '');
      if (!waited) throw error;
      if (tries >= TRIES || !allows(LOCK_MS + PAUSE_MS))
        throw new PermanentError('FENCE_NOT_RAISED', `${session.side}: a transaction keeps a table locked, so writes could not be stopped within ${LOCK_MS} ms, ${tries} times`, {
          sqlstate: error.sqlstate, hint: 'end the long transaction, VACUUM or index build (pg_stat_activity; an autovacuum too) or the prepared transaction (pg_prepared_xacts), and call again; nothing was changed',
        });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** What the application meets. @param {Session} session @param {Root[]} roots @returns {Promise<Fence>} */
export async function readFence(session, roots) {
  const [row] = await session.rows("SELECT p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND p.proname = 'fence'", [SCHEMA]);
  const [, closedUntil, openUntil] = /-- closed until (\S+(?: \S+)?) open until (\S+(?: \S+)?)\n/.exec(row?.[0] ?? '') ?? [];
  const none = /** @type {const} */ ({ state: 'none', seconds: null, complete: false, lapsed: false });
  if (closedUntil === undefined || openUntil === undefined) return none;
  const tables = await tree(session, roots);
  const complete = tables.every(({ enabled }) => enabled);
  if (tables.every(({ enabled }) => !enabled)) return none;
  const [closed, closedFor, openFor, ended] = await session.row(
    `SELECT clock_timestamp() < c.at, CASE WHEN isfinite(c.at) THEN extract(epoch FROM c.at - clock_timestamp()) END, CASE WHEN isfinite(o.at) THEN extract(epoch FROM o.at - clock_timestamp()) END, clock_timestamp() >= o.at
       FROM (SELECT ${literal(closedUntil)}::timestamptz AS at) c, (SELECT ${literal(openUntil)}::timestamptz AS at) o`);
  const fence = (/** @type {Fence['state']} */ state, /** @type {string | null | undefined} */ seconds = null, lapsed = false) => ({ state, seconds: seconds === null ? null : Number(seconds), complete, lapsed });
  if (ended === 't') return fence('closed', null, closedUntil === '-infinity');
  if (closed === 't' && row?.[0]?.includes(BUT_TRUNCATE)) return { ...fence('closed'), ended: true };
  if (closed === 't') return closedFor === null ? fence('closed') : fence('closed-until', closedFor);
  return openFor === null ? fence('open') : fence('open-until', openFor);
}

/**
 * The triggers of an open fence cost each statement of the application a call: they are turned off where no lock has to be waited for.
 * @param {Session} session @param {Root[]} roots @param {'DISABLE' | 'DROP'} how
 * @returns {Promise<number>} tables on which that was not possible
 */
export async function removeTriggers(session, roots, how) {
  let left = 0;
  for (const table of await tree(session, roots)) {
    const statement = how === 'DROP' ? `DROP TRIGGER IF EXISTS ${ident(TRIGGER)} ON ${qualified(table)}` : `ALTER TABLE ONLY ${qualified(table)} DISABLE TRIGGER ${ident(TRIGGER)}`;
    if (!table.there || (how === 'DISABLE' && !table.enabled)) continue;
    for (let tries = 1; ; tries += 1) {
      try {
        await session.transaction(() => session.run(`SET LOCAL lock_timeout = '50ms'; ${statement}`));
        break;
      } catch (error) {
        if (!(error instanceof MigrationError) || error.sqlstate !== '55P03') throw error;
        if (tries >= TRIES) {
          left += 1;
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }
  return left;
}

/** All tables that have the fence, whatever a mapping says by now. @param {Session} session @returns {Promise<Root[]>} */
export async function fencedTables(session) {
  const rows = await session.rows(`SELECT t.tgrelid::oid FROM pg_trigger t WHERE t.tgname = $1 AND ${OWN}`, [TRIGGER]);
  return rows.map(([oid]) => ({ oid: Number(oid) }));
}

/**
 * At the end of a migration whose rows stay on this side: it stays closed as long as there are any.
 * @param {Session} session @param {() => Promise<unknown>} close closes what the fence has to close
 * @returns {Promise<{closed: boolean, left: number}>} `left`: tables whose triggers could not be taken away; they do nothing any more
 */
export async function leaveClosed(session, close) {
  const roots = await fencedTables(session);
  const { state } = await readFence(session, roots);
  if (state === 'closed')
    for (const table of await tree(session, roots)) {
      const [row] = await session.rows(`SELECT 1 FROM ONLY ${qualified(table)} LIMIT 1`);
      if (row === undefined) continue;
      await close();
      return { closed: true, left: 0 };
    }
  return { closed: false, left: await dropFence(session) };
}

/**
 * Takes the fence away from all tables that have it.
 * @param {Session} session
 * @returns {Promise<number>} tables on which that was not possible: their triggers do nothing any more
 */
export async function dropFence(session) {
  const [exists] = await session.row("SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND p.proname = 'fence'", [SCHEMA]);
  if (exists === '0') return 0;
  await setFence(session, STATES.open);
  const left = await removeTriggers(session, await fencedTables(session), 'DROP');
  if (left === 0) await session.run(`DROP FUNCTION ${FUNCTION}()`);
  return left;
}
