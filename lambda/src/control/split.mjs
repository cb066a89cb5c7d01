import { PermanentError } from '../lib/errors.mjs';
import { ident, qualified } from '../pg/text.mjs';
import { raiseSequences } from '../verify/sequences.mjs';
import { writeState } from '../sync/state.mjs';
import { ONE_WRITER, STATES, removeTriggers, setFence } from '../sync/fence.mjs';
import { ONE_WRITER_FUNCTION, locked } from '../sync/undo.mjs';

/**
 * Mode two-way: what is made on both sides so that both can take writes. `sync/undo.mjs` undoes it.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('./pair.mjs').Pair} Pair
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 */

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
  const leavesOf = (/** @type {'source' | 'target'} */ side) =>
    forward.context.tables.filter((_, i) => WITH_PAST.has(ruleOf(pair, i).kind)).flatMap((table) => table[side].leaves).filter(({ replicaIdentity }) => replicaIdentity !== 'f');
  const [ofBlue, ofGreen] = [leavesOf('source'), leavesOf('target')];
  const joined = (/** @type {number[] | undefined} */ known, /** @type {{oid: number}[]} */ leaves) => [...new Set([...(known ?? []), ...leaves.map(({ oid }) => oid)])];
  const whole = joined(forward.context.state.identity.whole, ofBlue);
  await remember(forward, { whole });
  await remember(back, { whole: joined(back.context.state.identity.whole, ofGreen), wholeOfBlue: whole });
  for (const [side, leaves] of /** @type {const} */ ([['blue', ofBlue], ['green', ofGreen]]))
    for (const leaf of leaves) await locked(pair.session(side), `ALTER TABLE ONLY ${qualified(leaf)} REPLICA IDENTITY FULL`);
  await oneWriter(pair);
  const { problems } = await raiseSequences(forward.context.blue, forward.context.green, forward.context.tables, forward.context.sequences, true);
  if (problems.length > 0) throw new PermanentError('RANGES', `keys of both sides might be the same: ${problems.join('; ')}`, { hint: 'correct that and call again' });
}

/** Both streams have passed all that was written before. From here on both sides decide by the rules, and green takes writes. @param {Pair} pair */
export async function openSplit(pair) {
  for (const stream of [pair.forward, pair.back]) await remember(stream, { split: true });
  await openFence(pair.session('green'), pair.roots('green'));
}

/** @param {import('./pair.mjs').Stream} stream @param {import('../sync/state.mjs').State['identity']} more */
async function remember({ context }, more) {
  context.state = { ...context.state, identity: { ...context.state.identity, ...more } };
  await writeState(context.green, context.state);
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
  await green.run(`CREATE OR REPLACE FUNCTION ${ONE_WRITER_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'only the other side writes this table during the migration' USING ERRCODE = '25006'; END $$`);
  for (const table of tables)
    await locked(green, `CREATE OR REPLACE TRIGGER ${ident(ONE_WRITER)} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${qualified(table)} FOR EACH STATEMENT EXECUTE FUNCTION ${ONE_WRITER_FUNCTION}()`);
}
