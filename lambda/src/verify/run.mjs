import { PermanentError } from '../lib/errors.mjs';
import { retry } from '../lib/retry.mjs';
import { readSlot } from '../pg/slot.mjs';
import { formatLsn } from '../pg/text.mjs';
import { Context } from '../sync/context.mjs';
import { releaseLock } from '../sync/lock.mjs';
import { catchUp, lagSeconds } from '../sync/run.mjs';
import { checkPublication } from '../sync/start.mjs';
import { raiseSequences } from './sequences.mjs';
import { takeMoment } from './snapshot.mjs';
import { verifyTable } from './table.mjs';

/**
 * Parity of blue and green at one moment, and a verdict on which traffic can be shifted.
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 * @typedef {object} VerifyAnswer
 * @property {boolean} ok everything that was asked for was compared, and nothing differs or is in quarantine
 * @property {string} verdict one word: `equal`, `different`, `held-back`, `incomplete`, `not-following`
 * @property {{lsn: string, at: string} | null} moment of blue, at which both were compared
 * @property {import('./table.mjs').TableAnswer[]} tables
 * @property {string[]} notCompared tables for which the time did not suffice: call again with `{"tables": [...]}`
 * @property {number} mismatches rows that differ
 * @property {number} quarantined rows in quarantine
 * @property {number | null} lagSeconds at the end
 * @property {number} lagBytes at the end
 * @property {{checked: number, raised: number}} sequences
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
  const { deadline, metrics, log, quarantine } = context;
  const chosen = choose(context, wanted);
  if (context.state.phase !== 'following') return notFollowing(quarantine.total);
  await checkPublication(context);
  await catchUp(context);
  const moment = await takeMoment(context);
  const held = new Map(quarantine.counts);
  await releaseLock(context.green);
  try {
    /** @type {import('./table.mjs').TableAnswer[]} */
    const tables = [];
    for (const table of chosen) {
      const answer = await verifyTable(moment, table, held.get(table.name) ?? 0, () => deadline.allows(RESERVE_MS));
      if (answer === undefined) break;
      tables.push(answer);
      log.info('compared', { table: table.name, rows: answer.greenRows, mismatches: answer.missing + answer.extra + answer.different, quarantined: answer.heldBack });
    }
    await Promise.all([moment.blue.close(), moment.green.close()]);
    const sequences = await raiseSequences(context.blue, context.green, context.tables);
    const slot = await readSlot(context.blue, context.state.slot);
    const mismatches = tables.reduce((sum, { missing, extra, different }) => sum + missing + extra + different, 0);
    const quarantined = chosen.reduce((sum, table) => sum + (held.get(table.name) ?? 0), 0);
    const differs = tables.some(({ ok }) => !ok);
    const verdict = differs ? 'different' : tables.length < chosen.length ? 'incomplete' : quarantined > 0 ? 'held-back' : 'equal';
    const lag = lagSeconds(slot.now, context.state.syncedUntil);
    metrics.count('ParityMismatches', mismatches);
    metrics.gauge('RowsQuarantined', quarantine.total);
    metrics.gauge('LagBytes', slot.lagBytes);
    if (lag !== null) metrics.gauge('LagSeconds', lag);
    log.info('verified', { verdict, mismatches, quarantined, sequences: sequences.raised, lsn: formatLsn(moment.lsn) });
    return {
      ok: verdict === 'equal', verdict, moment: { lsn: formatLsn(moment.lsn), at: moment.at }, tables,
      notCompared: chosen.slice(tables.length).map(({ name }) => name), mismatches, quarantined, lagSeconds: lag, lagBytes: slot.lagBytes, sequences,
    };
  } catch (error) {
    moment.blue.destroy();
    moment.green.destroy();
    throw error;
  }

}

/** @param {number} quarantined @returns {VerifyAnswer} */
const notFollowing = (quarantined) => ({
  ok: false, verdict: 'not-following', moment: null, tables: [], notCompared: [], mismatches: 0, quarantined, lagSeconds: null, lagBytes: 0, sequences: { checked: 0, raised: 0 },
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
