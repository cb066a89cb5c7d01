import { randomUUID } from 'node:crypto';
import { PermanentError } from '../lib/errors.mjs';
import { inheriting } from '../pg/inheriting.mjs';
import { createPublication, createSlot, dropPublication, dropSlot, readPublication, readSlot } from '../pg/slot.mjs';
import { dotted } from '../pg/text.mjs';
import { STATES, dropFence, raiseFence, readFence } from './fence.mjs';
import { readIdentity } from './identity.mjs';
import { checkRights } from './precheck.mjs';
import { SCHEMA, writeState, writeUnit } from './state.mjs';

/**
 * The beginning of a migration: publication, then slot, then the list of what is to be copied. Each step finds what a killed
 * run has left of it.
 * @typedef {import('./context.mjs').Context} Context
 */

/** @param {Context} context */
export async function start(context) {
  const { blue, green, tables } = context;
  await checkDatabases(context);
  await checkRights(context);
  if (context.state.phase === 'stopped') {
    await checkEmpty(context);
    reportDefaults(context);
    await green.transaction(async () => {
      await green.run(`DELETE FROM ${SCHEMA}.copy; DELETE FROM ${SCHEMA}.quarantine`);
      context.state = {
        ...context.state, identity: context.mode === undefined ? {} : { closed: true }, phase: 'starting', applied: 0n, consistent: 0n, copied: 0n, unconfirmed: {}, inside: { lsn: 0n, changes: 0 }, rowsCopied: 0n, changesApplied: 0n, syncedUntil: null,
      };
      await writeState(green, context.state);
    });
    await context.quarantine.load();
  }
  if (context.mode === undefined) await dropFence(green); // of a migration that was stopped
  if (context.state.identity.closed === true) await closeEmpty(context);
  const { slot, publication } = context.state;
  await createPublication(blue, publication, tables.map(({ plan }) => plan.source));
  await context.masks.make(blue, publication);
  // A slot is there already: of a run that was killed here. It may still be in the making, and its start later than now.
  await dropSlot(blue, slot);
  const [running, oldestMs] = await blue.row(
    `SELECT (SELECT count(*) FROM pg_snapshot_xip(pg_current_snapshot())),
            (SELECT (extract(epoch FROM max(clock_timestamp() - xact_start)) * 1000)::bigint FROM pg_stat_activity WHERE backend_xid IS NOT NULL)`);
  context.log.info("making the slot, which waits for blue's running transactions", { transactions: Number(running), ms: Number(oldestMs ?? 0) });
  try {
    await createSlot(blue, slot);
  } catch (error) {
    // What another attempt can't change leaves nothing on blue.
    if (error instanceof PermanentError && error.sqlstate !== '57014') await dropPublication(blue, publication).catch(() => {});
    throw error;
  }
  const { confirmed } = await readSlot(blue, slot);
  const estimates = await readEstimates(context);
  await green.transaction(async () => {
    for (const table of tables)
      for (const leaf of table.source.leaves)
        await writeUnit(green, { oid: leaf.oid, unit: dotted(leaf), source: table.name, cursor: null, done: false, rows: 0, estimate: estimates.get(leaf.oid) ?? 0 }, (text) => context.masks.seal(text));
    const identity = { ...(await readIdentity(blue, green)), pair: context.pair, publication: JSON.stringify(await readPublication(blue, publication)), ...(context.state.identity.closed === true && { closed: true }) };
    context.state = { ...context.state, phase: 'copying', applied: confirmed, identity };
    await writeState(green, context.state);
  });
  context.log.info('the migration begins', { slot, publication, tables: tables.map(({ name }) => name) });
}

/**
 * Columns that the mapping leaves to green's defaults: they say when and in what order a row came over, not what blue holds, and a row that is replaced on a change
 * gets them anew.
 * @param {Context} context
 */
function reportDefaults({ tables, log }) {
  const columns = tables.flatMap(({ plan, target, targetName }) =>
    target.columns.filter(({ name, hasDefault, generated }) => hasDefault && !generated && !plan.targetColumns.includes(name)).map(({ name }) => `${targetName}.${name}`));
  if (columns.length > 0) log.warn('green fills these columns by its own defaults', { columns });
}

/** @param {Context} context */
export async function checkDatabases({ blue, green }) {
  const [level] = await blue.row('SHOW wal_level');
  if (level !== 'logical')
    throw new PermanentError('NO_LOGICAL_DECODING', "blue: wal_level is not logical", {
      hint: 'set rds.logical_replication=1 in the cluster parameter group (wal_level=logical elsewhere) and restart blue',
    });
  const [[from], [to]] = await Promise.all([blue.row('SHOW server_encoding'), green.row('SHOW server_encoding')]);
  if (from !== 'UTF8' || to !== 'UTF8')
    throw new PermanentError('ENCODING', 'both databases must have the encoding UTF8', { hint: 'logical decoding hands out text in the encoding of the database' });
}

/** Green may be live already: nothing there is ever overwritten by a copy from the start. @param {Context} context */
async function checkEmpty({ green, tables }) {
  for (const { onGreen, targetName } of tables) {
    const [row] = await green.rows(`SELECT 1 FROM ${onGreen} LIMIT 1`);
    if (row !== undefined)
      throw new PermanentError('TARGET_NOT_EMPTY', `green's table ${targetName} has rows, and no migration is under way`, {
        table: targetName, hint: 'if they are of no use, empty the mapped tables on green (TRUNCATE) and run again; if green is live already, the migration is over',
      });
  }
  const [child] = await inheriting(green, tables.map(({ target }) => target.oid));
  const parent = tables.find(({ target }) => target.oid === child?.parent);
  if (child !== undefined && parent !== undefined)
    throw new PermanentError('TARGET_NOT_EMPTY', `green's table ${parent.targetName} is inherited by ${child.name}, which has rows or may not be read: who reads ${parent.targetName} reads them too`, {
      table: child.name, hint: 'empty it, or take it out of the inheritance (ALTER TABLE ... NO INHERIT)',
    });
}

/**
 * Where traffic will be split, green's services may be running already: they must not take up rows that are being copied, since blue does that. From here on green's application reads only, until control
 * prepares the split or the migration is stopped. Called again it takes partitions in that were made since.
 * @param {Context} context
 */
export async function closeGreen({ green, tables, deadline, pair }) {
  const roots = tables.map(({ target }) => target);
  const { state, complete, ended } = await readFence(green, roots);
  if (state === 'closed' && complete && ended === undefined) return;
  await raiseFence(green, roots, { state: STATES.closed, pair, marker: randomUUID(), allows: (ms) => deadline.allows(ms) });
}

/** What green's application has written until then is found. @param {Context} context */
async function closeEmpty(context) {
  await closeGreen(context);
  try {
    await checkEmpty(context);
  } catch (error) {
    await dropFence(context.green);
    context.state = { ...context.state, phase: 'stopped', identity: {} };
    await writeState(context.green, context.state);
    throw error;
  }
}

/** @param {Context} context @returns {Promise<Map<number, number>>} */
async function readEstimates({ blue, tables }) {
  const oids = tables.flatMap(({ source }) => source.leaves.map(({ oid }) => oid));
  const rows = await blue.rows('SELECT oid, greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = ANY ($1::oid[])', [oids]);
  return new Map(rows.map(([oid, estimate]) => [Number(oid), Number(estimate)]));
}

/**
 * A table that was dropped and made again is not in the publication any more: its changes would be missed.
 * @param {Context} context
 */
export async function checkPublication({ blue, tables, state }) {
  const hint = 'stop, empty the tables on green, and run again from the start';
  const now = await readPublication(blue, state.publication);
  if (now === undefined) throw new PermanentError('SCHEMA_CHANGED', `blue's publication ${state.publication} is gone`, { hint });
  const published = new Set(now.tables.map(([oid]) => oid));
  const missing = tables.find(({ source }) => !published.has(source.oid));
  if (missing !== undefined)
    throw new PermanentError('SCHEMA_CHANGED', `blue's table ${missing.name} was dropped and made again, or taken out of the publication`, { table: missing.name, hint });
  if (JSON.stringify(now) !== state.identity.publication)
    throw new PermanentError('SCHEMA_CHANGED', `blue's publication ${state.publication} was changed: changes in between may be missing in the stream`, { hint });
}
