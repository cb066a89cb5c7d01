import { PermanentError } from '../lib/errors.mjs';
import { retry } from '../lib/retry.mjs';
import { inheriting } from '../pg/inheriting.mjs';
import { readSlot } from '../pg/slot.mjs';
import { formatLsn } from '../pg/text.mjs';
import { Context } from '../sync/context.mjs';
import { releaseLock } from '../sync/lock.mjs';
import { SCHEMA, writeVerified } from '../sync/state.mjs';
import { catchUp, lagSeconds } from '../sync/run.mjs';
import { checkPublication } from '../sync/start.mjs';
import { findOrphans } from './foreign-keys.mjs';
import { checkInvariants } from './invariants.mjs';
import { Moved } from './moment.mjs';
import { reasonsOf } from './reasons.mjs';
import { raiseSequences } from './sequences.mjs';
import { countSessions } from './sessions.mjs';
import { settle } from './settle.mjs';
import { verifyTable } from './table.mjs';
import { findWriter, momentOf } from './writer.mjs';

/**
 * Parity of blue and green at one moment, and a verdict on which traffic can be shifted.
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 * @typedef {object} VerifyAnswer
 * @property {boolean} ok everything that was asked for was compared, and nothing differs, is in quarantine or is not known to be right
 * @property {string} verdict one word: `equal`, `different`, `held-back`, `incomplete`, `not-following`
 * @property {{lsn: string, at: string} | null} moment of blue, at which both were compared
 * @property {import('./table.mjs').TableAnswer[]} tables
 * @property {string[]} notCompared tables for which the time did not suffice, or that changed under the comparison: call again with `{"tables": [...]}`
 * @property {string[]} problems why the verdict is not `equal`, beyond what the tables say
 * @property {number} mismatches rows that differ
 * @property {import('./foreign-keys.mjs').Orphans[]} orphans rows that green's own foreign keys would refuse
 * @property {import('./invariants.mjs').Invariant[]} invariants of the mapping, when all tables were asked for
 * @property {number} quarantined rows in quarantine
 * @property {number | null} lagSeconds at the end
 * @property {number} lagBytes at the end
 * @property {{checked: number, raised: number}} sequences
 * @property {'blue' | 'green' | 'both'} [writer] which side takes the writes, where there is a way back
 * @property {number} [unreversed] rows of green that could not go back to blue as they are
 * @property {import('./sessions.mjs').Sessions} [sessions] where their tables are named, and all tables were asked for
 * @property {string[]} newColumns of blue since the migration began: not copied, and not compared
 */

const ATTEMPTS = 40;
/** A run of sync that is at work is waited for. */
const LOCK_WAIT_MS = 30_000;
const RESERVE_MS = 3_000;

/** @param {Invocation} invocation @param {unknown} [tables] `schema.name` on blue; all by default @returns {Promise<VerifyAnswer>} */
export function verify(invocation, tables) {
  const { deadline, log } = invocation;
  return retry(() => once(invocation, tables), {
    deadline, attempts: ATTEMPTS, capMs: 3_000,
    onRetry: (error, attempt, pauseMs) => log.warn('a transient failure, trying again', { error, attempt, pauseMs }),
  });
}

/** @param {Invocation} invocation @param {unknown} wanted @returns {Promise<VerifyAnswer>} */
async function once(invocation, wanted) {
  const context = await Context.open(invocation, { lockWaitMs: LOCK_WAIT_MS });
  try {
    const answer = await compare(context, wanted);
    await context.close();
    return answer;
  } catch (error) {
    context.destroy();
    throw error;
  }
}

/** @param {Context} context @param {unknown} wanted @returns {Promise<VerifyAnswer>} */
async function compare(context, wanted) {
  const chosen = choose(context, wanted);
  if (context.state.phase !== 'following') return nothing('not-following', context.quarantine.total);
  await checkPublication(context);
  await catchUp(context);
  const writer = await findWriter(context);
  if (writer.writer === 'both') {
    const derived = chosen.filter(({ rule }) => rule?.kind === 'derived');
    if (derived.length > 0 && wanted !== undefined && wanted !== null)
      throw new PermanentError('EVENT', `the event names ${derived[0]?.name}, which each side computes by itself while traffic is split`, { hint: 'leave it out: it is not compared' });
  }
  if (writer.undecided) return { ...nothing('incomplete', context.quarantine.total), notCompared: chosen.map(({ name }) => name), problems: writer.problems };
  try {
    return await compareAt(context, chosen, await momentOf(context, writer.back), writer);
  } finally {
    await writer.back?.close();
  }
}

/**
 * @param {Context} context @param {import('../sync/table.mjs').SyncTable[]} asked @param {import('./moment.mjs').Moment} moment @param {import('./writer.mjs').Writer} writer
 * @returns {Promise<VerifyAnswer>}
 */
async function compareAt(context, asked, moment, { writer, back, wayBack, problems }) {
  const { metrics, log, quarantine } = context;
  const whole = asked.length === context.tables.length;
  const chosen = writer === 'both' ? asked.filter(({ rule }) => rule?.kind !== 'derived') : asked;
  log.debug('the moment', { lsn: formatLsn(moment.lsn) });
  try {
    await releaseLock(context.green);
    if (back !== undefined) await releaseLock(back.green);
    const held = await heldKeys(moment, quarantine);
    /** @type {Map<string, string[][]>} */
    const found = new Map();
    const { tables, notCompared } = await compareTables(moment, chosen, held, problems, context, writer === 'both' ? found : undefined);
    let orphans = await orphansOf(moment, chosen, notCompared, problems, context);
    if (wayBack) problems.push(...(await orphansOnBlue(moment, chosen, notCompared, context)));
    let invariants = whole ? await invariantsOf(moment, problems, context) : [];
    await moment.close();
    let unreversed = back?.quarantine.total ?? 0;
    let { syncedUntil } = context.state;
    if (writer === 'both') {
      const settled = await settle(context.invocation, found, { orphans, invariants, compared: tables.map(({ source }) => source) });
      ({ orphans, invariants, unreversed, syncedUntil } = settled);
      for (const table of tables) recount(table, settled.differing.get(table.source) ?? [], context);
      if (settled.moving > 0) problems.push(`${settled.moving} rows changed at each reading, so they could not be compared: ask again`);
    }
    problems.push(...(await reasonsOf(context, chosen.filter(({ name }) => tables.some(({ source, ok }) => source === name && !ok)))));
    const { problems: sequenceProblems, ...sequences } = await raiseSequences(context.blue, context.green, context.tables, context.sequences, wayBack);
    problems.push(...sequenceProblems, ...(await inheritedOf(context, chosen)));
    if (unreversed > 0) problems.push(`${unreversed} rows of green could not go back to blue as they are: payment_migration.quarantine on blue names them`);
    const sessions = whole ? await sessionsOf(context, problems) : undefined;
    const slot = await readSlot(context.blue, context.state.slot);
    const mismatches = tables.reduce((sum, { missing, extra, different }) => sum + missing + extra + different, 0);
    const quarantined = Math.max(
      chosen.reduce((sum, table) => sum + (held.get(table.name)?.size ?? 0), 0),
      tables.reduce((sum, { heldBack }) => sum + heldBack, 0),
    );
    const differs = orphans.length > 0 || invariants.some(({ violations }) => violations > 0) || tables.some(({ ok }) => !ok);
    const verdict = differs ? 'different' : notCompared.length + problems.length > 0 ? 'incomplete' : quarantined > 0 ? 'held-back' : 'equal';
    const lag = lagSeconds(slot.now, syncedUntil);
    metrics.count('ParityMismatches', mismatches);
    metrics.gauge('RowsQuarantined', quarantine.total);
    metrics.gauge('LagBytes', slot.lagBytes);
    if (lag !== null) metrics.gauge('LagSeconds', lag);
    if (whole) await writeVerified(context.green, verdict);
    log.info('verified', { verdict, mismatches, quarantined, sequences: sequences.raised, lsn: formatLsn(moment.lsn) });
    return {
      ok: verdict === 'equal', verdict, moment: { lsn: formatLsn(moment.lsn), at: moment.at }, tables, notCompared, problems, mismatches, orphans, invariants,
      quarantined, lagSeconds: lag, lagBytes: slot.lagBytes, sequences, newColumns: context.newColumns, ...(sessions === undefined ? {} : { sessions }), ...(wayBack ? { writer, unreversed } : {}),
    };
  } catch (error) {
    moment.destroy();
    throw error;
  }
}

/**
 * Keys of blue whose rows are in quarantine at the moment, by table, as JSON. @param {import('./moment.mjs').Moment} moment @param {import('../sync/quarantine.mjs').Quarantine} quarantine
 * @returns {Promise<Map<string, Set<string>>>}
 */
async function heldKeys(moment, quarantine) {
  /** @type {Map<string, Set<string>>} */
  const held = new Map();
  if (quarantine.total === 0) return held;
  for (const [source, sealed] of /** @type {string[][]} */ (await moment.green.holder.rows(`SELECT source, source_key FROM ${SCHEMA}.quarantine`))) {
    const keys = held.get(source ?? '') ?? new Set();
    held.set(source ?? '', keys.add(quarantine.masks.open(sealed ?? '')));
  }
  return held;
}

/** @param {import('./moment.mjs').Moment} moment @param {import('../sync/table.mjs').SyncTable[]} chosen @param {Map<string, Set<string>>} held @param {string[]} problems @param {Context} context @param {Map<string, string[][]>} [found] where green's keys of rows that differ are put */
async function compareTables(moment, chosen, held, problems, { deadline, log, masks }, found) {
  /** @type {import('./table.mjs').TableAnswer[]} */
  const tables = [];
  /** @type {string[]} */
  const notCompared = [];
  for (const table of chosen) {
    const keys = held.get(table.name);
    const holds = (/** @type {string[]} */ key) => keys !== undefined && keys.has(JSON.stringify(key));
    try {
      /** @type {string[][]} */
      const all = [];
      const answer = await verifyTable(moment, table, { any: keys !== undefined, holds }, () => deadline.allows(RESERVE_MS), found && all);
      found?.set(table.name, all);
      if (answer === undefined) notCompared.push(table.name);
      else {
        tables.push({
          ...answer, checksum: masks.checksum(answer.target, answer.checksum),
          firstKeys: answer.firstKeys.map((key) => masks.masked(answer.target, Object.keys(key), Object.values(key))),
        });
        log.info('compared', { table: table.name, rows: answer.greenRows, mismatches: answer.missing + answer.extra + answer.different, quarantined: answer.heldBack });
      }
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
      notCompared.push(table.name);
      problems.push(error.reason);
      log.warn('a table changed under the comparison', { table: table.name });
    }
  }
  return { tables, notCompared };
}

/** @param {import('./moment.mjs').Moment} moment @param {import('../sync/table.mjs').SyncTable[]} chosen @param {string[]} notCompared @param {string[]} problems @param {Context} context */
async function orphansOf(moment, chosen, notCompared, problems, { deadline }) {
  const compared = chosen.filter(({ name }) => !notCompared.includes(name));
  if (compared.length === 0) return [];
  const green = await moment.green.begin();
  const found = await findOrphans(green, compared.map(({ target }) => target.oid), () => deadline.allows(RESERVE_MS));
  await green.run('ROLLBACK');
  if (!found.complete) problems.push("the time did not suffice to check all of green's foreign keys");
  return found.orphans;
}

/**
 * What comes back to blue is not checked there by blue's foreign keys: a row may refer to one that could not come back.
 * @param {import('./moment.mjs').Moment} moment @param {import('../sync/table.mjs').SyncTable[]} chosen @param {string[]} notCompared @param {Context} context @returns {Promise<string[]>} problems
 */
async function orphansOnBlue(moment, chosen, notCompared, { deadline }) {
  /** @type {string[]} */
  const problems = [];
  for (const table of chosen) {
    if (notCompared.includes(table.name)) continue;
    try {
      const { orphans, complete } = await moment.read(table, (blue) => findOrphans(blue, [table.source.oid], () => deadline.allows(RESERVE_MS)));
      problems.push(...orphans.map(({ table: name, constraint, rows }) => `${rows} rows of blue's table ${name} refer to rows that are not there (${constraint}): what they refer to could not come back from green, see payment_migration.quarantine on blue`));
      if (!complete) return [...problems, "the time did not suffice to check all of blue's foreign keys"];
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
      problems.push(`${error.reason} (blue's foreign keys)`);
    }
  }
  return problems;
}

/** Rows that green's application reads with a mapped table's, and that are not compared. @param {Context} context @param {import('../sync/table.mjs').SyncTable[]} chosen @returns {Promise<string[]>} problems */
async function inheritedOf({ green, tables }, chosen) {
  const found = await inheriting(green, tables.map(({ target }) => target.oid));
  return found.flatMap(({ parent, name }) => {
    const table = chosen.find(({ target }) => target.oid === parent);
    return table === undefined ? [] : [`green's table ${table.targetName} is inherited by ${name}, which has rows or may not be read: who reads ${table.targetName} reads them too, and they are not compared (empty it, or ALTER TABLE ... NO INHERIT)`];
  });
}

/** @param {import('./moment.mjs').Moment} moment @param {string[]} problems @param {Context} context */
async function invariantsOf(moment, problems, { invariants, deadline }) {
  if (invariants.length === 0) return [];
  const green = await moment.green.begin();
  const { found, problems: more } = await checkInvariants(green, invariants, () => deadline.allows(RESERVE_MS));
  await green.run('ROLLBACK');
  problems.push(...more);
  return found;
}

/** @param {Context} context @param {string[]} problems */
async function sessionsOf({ invocation: { config, deadline } }, problems) {
  if (config.sessions === undefined) return undefined;
  const counted = await countSessions(config.sessions, deadline, () => deadline.allows(RESERVE_MS)).catch((error) => {
    problems.push(`the sessions could not be counted (${error.message})`);
    return null;
  });
  if (counted === null) return undefined;
  if (counted === undefined) problems.push('the time did not suffice to count the sessions');
  return counted;
}

/** What is left of the differences, now that both streams have passed the comparison. @param {import('./table.mjs').TableAnswer} answer @param {string[][]} keys of green @param {Context} context */
function recount(answer, keys, { masks, tables }) {
  const columns = tables.find(({ name }) => name === answer.source)?.plan.targetKey ?? [];
  answer.missing = answer.extra = 0;
  answer.different = keys.length;
  answer.ok = keys.length === 0;
  answer.firstKeys = keys.slice(0, 10).map((key) => masks.masked(answer.target, columns, key));
}

/** @param {string} verdict @param {number} quarantined @returns {VerifyAnswer} */
const nothing = (verdict, quarantined) => ({
  ok: false, verdict, moment: null, tables: [], notCompared: [], problems: [], mismatches: 0, orphans: [], invariants: [], quarantined, lagSeconds: null, lagBytes: 0, sequences: { checked: 0, raised: 0 }, newColumns: [],
});

/** @param {Context} context @param {unknown} wanted */
function choose({ tables }, wanted) {
  if (wanted === undefined || wanted === null) return tables;
  const accepted = tables.map(({ name }) => name);
  const hint = `"tables" takes a list of: ${accepted.join(', ')}`;
  if (!Array.isArray(wanted) || wanted.length === 0) throw new PermanentError('EVENT', 'the event\'s "tables" is no list of tables', { hint });
  const unknown = wanted.findIndex((name) => !accepted.includes(name));
  if (unknown !== -1) throw new PermanentError('EVENT', `the event's tables[${unknown}] is not in the mapping`, { hint });
  return tables.filter(({ name }) => wanted.includes(name));
}
