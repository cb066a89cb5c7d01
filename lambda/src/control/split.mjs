import { MigrationError, PermanentError } from '../lib/errors.mjs';
import { ident, qualified } from '../pg/text.mjs';
import { raiseSequences } from '../verify/sequences.mjs';
import { SCHEMA, writeState } from '../sync/state.mjs';
import { STATES, removeTriggers, setFence } from '../sync/fence.mjs';

/**
 * Mode two-way: what is made on both sides so that both can take writes, and how it is undone.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('./pair.mjs').Pair} Pair
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 */

const LOCK_MS = 700;
const TRIES = 5;
const PAUSE_MS = 300;
const TRIGGER = 'deployer_one_writer';
const FUNCTION = `${SCHEMA}.one_writer`;

/** Rows of these need what they were before. */
const WITH_PAST = new Set(['state-machine', 'merged']);

/** @param {Pair} pair */
export const isSplit = (pair) => pair.forward.context.state.identity.split === true;

/** @param {Pair} pair @param {number} i */
const ruleOf = ({ forward }, i) => /** @type {import('../split/rules.mjs').Rule} */ (forward.context.rules[i]);

/**
 * Before both streams are proven: from here on the logs say what rows were before. Called again it takes partitions in that were made since. What is about to be changed is written down first, so that it
 * can be undone whenever this is killed.
 * @param {Pair} pair
 */
export async function prepareSplit(pair) {
  const { forward, back } = pair;
  for (const [context, side] of /** @type {const} */ ([[forward.context, 'source'], [back.context, 'target']])) {
    const leaves = forward.context.tables.filter((_, i) => WITH_PAST.has(ruleOf(pair, i).kind)).flatMap((table) => table[side].leaves).filter(({ replicaIdentity }) => replicaIdentity !== 'f');
    const whole = [...new Set([...(context.state.identity.whole ?? []), ...leaves.map(({ oid }) => oid)])];
    context.state = { ...context.state, identity: { ...context.state.identity, whole } };
    await writeState(context.green, context.state);
    for (const leaf of leaves) await locked(context.blue, `ALTER TABLE ONLY ${qualified(leaf)} REPLICA IDENTITY FULL`);
  }
  await oneWriter(pair);
  const { problems } = await raiseSequences(forward.context.blue, forward.context.green, forward.context.tables, forward.context.sequences, true);
  if (problems.length > 0) throw new PermanentError('RANGES', `keys of both sides might be the same: ${problems.join('; ')}`, { hint: 'correct that and call again' });
}

/** Both streams have passed all that was written before. From here on both sides decide by the rules, and green takes writes. @param {Pair} pair */
export async function openSplit(pair) {
  for (const { context } of [pair.forward, pair.back]) {
    context.state = { ...context.state, identity: { ...context.state.identity, split: true } };
    await writeState(context.green, context.state);
  }
  await openFence(pair.session('green'), pair.roots('green'));
}

/** Opens a side that is closed for good. @param {import('./pair.mjs').Pair['session'] extends (side: any) => infer S ? S : never} session @param {Parameters<typeof removeTriggers>[1]} roots */
export async function openFence(session, roots) {
  await setFence(session, STATES.open);
  await removeTriggers(session, roots, 'DISABLE');
}

/** Green's application may not write what only blue writes. @param {Pair} pair */
async function oneWriter(pair) {
  const green = pair.session('green');
  const tables = pair.forward.context.tables.filter((_, i) => ruleOf(pair, i).kind === 'reference').flatMap(({ target, plan }) => [...new Map([plan.target, ...target.leaves].map((table) => [qualified(table), table])).values()]);
  if (tables.length === 0) return;
  await green.run(`CREATE OR REPLACE FUNCTION ${FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'only the other side writes this table during the migration' USING ERRCODE = '25006'; END $$`);
  for (const table of tables)
    await locked(green, `CREATE OR REPLACE TRIGGER ${ident(TRIGGER)} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${qualified(table)} FOR EACH STATEMENT EXECUTE FUNCTION ${FUNCTION}()`);
}

/** When green alone takes the writes, it writes these tables too. @param {Session} green */
export async function removeOneWriter(green) {
  const rows = await green.rows('SELECT n.nspname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.tgname = $1', [TRIGGER]);
  for (const [schema, name] of rows) await locked(green, `DROP TRIGGER IF EXISTS ${ident(TRIGGER)} ON ${qualified({ schema: schema ?? '', name: name ?? '' })}`);
  await green.run(`DROP FUNCTION IF EXISTS ${FUNCTION}()`);
}

/** Tables that were given whole rows in the log get back what they had, whatever their names are by now. @param {Session} session @param {number[]} whole OIDs */
export async function removePast(session, whole) {
  const rows = await session.rows("SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1::oid[]) AND c.relreplident = 'f'", [whole]);
  for (const [schema, name] of rows) await locked(session, `ALTER TABLE ONLY ${qualified({ schema: schema ?? '', name: name ?? '' })} REPLICA IDENTITY DEFAULT`);
}

/** A statement that needs a table for itself for an instant: nobody waits longer for it. @param {Session} session @param {string} statement */
async function locked(session, statement) {
  for (let tries = 1; ; tries += 1) {
    try {
      await session.transaction(() => session.run(`SET LOCAL lock_timeout = '${LOCK_MS}ms'; ${statement}`));
      return;
    } catch (error) {
      if (!(error instanceof MigrationError) || error.sqlstate !== '55P03') throw error;
      if (tries >= TRIES) throw new PermanentError('TABLE_LOCKED', `${session.side}: a table is locked by others, and was waited for ${TRIES} times`, { sqlstate: '55P03', hint: 'call again when the long transaction has ended' });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
