import { MigrationError, PermanentError, TransientError } from '../lib/errors.mjs';
import { retry } from '../lib/retry.mjs';
import { flushLog, readSlot } from '../pg/slot.mjs';
import { formatLsn } from '../pg/text.mjs';
import { fillAttached } from './attached.mjs';
import { Context } from './context.mjs';
import { beginContested, endContested } from './contested.mjs';
import { copyAll } from './copy.mjs';
import { readFence } from './fence.mjs';
import { follow, heldSlot } from './follow.mjs';
import { recheck } from './recheck.mjs';
import { checkPublication, closeGreen, start } from './start.mjs';
import { readUnits, writeState } from './state.mjs';

/**
 * `{"action": "run"}`: begins or goes on. Ends when green is up to date, or in good time before the deadline.
 *
 * @typedef {import('./context.mjs').Invocation} Invocation
 * @typedef {object} RunAnswer
 * @property {'synced' | 'continue'} status `continue`: call again at once, there is more to do; `synced`: call again at the next interval
 * @property {string} phase
 * @property {number} progressPercent of the full copy
 * @property {number} rowsCopied since the migration began
 * @property {number} changesApplied since the migration began
 * @property {number} quarantined rows in quarantine now
 * @property {boolean} consistent green equals blue at one moment
 * @property {number | null} lagSeconds age of the state that green has
 * @property {number | null} lagBytes of blue's log that green has not seen
 * @property {number | null} retainedBytes of blue's log that the slot holds back
 * @property {string[]} newColumns of blue, not copied
 */

/** A failover takes a minute; what takes longer is told rather than waited for. */
const ATTEMPTS = 40;
/** After a pass that took longer than this green is not up to date: another follows, in the same run or in the next. */
const LONG_PASS_MS = 2_000;
const MAX_PASSES = 20;

/** @param {Invocation} invocation @returns {Promise<RunAnswer>} */
export function run(invocation) {
  const { deadline, log } = invocation;
  return retry((attempt) => once(invocation, attempt), {
    deadline, attempts: ATTEMPTS, capMs: 3_000,
    onRetry: (error, attempt, pauseMs) => log.warn('a transient failure, trying again', { error, attempt, pauseMs }),
  });
}

/** @param {Invocation} invocation @param {number} attempt @returns {Promise<RunAnswer>} */
async function once(invocation, attempt) {
  const context = await Context.open(invocation);
  try {
    const complete = await advance(context, attempt);
    const answer = await report(context, complete);
    await context.close();
    return answer;
  } catch (error) {
    context.destroy();
    if (outOfTime(context, error)) return told(context, false, undefined, []);
    throw error;
  }
}

/**
 * The time ended within a statement: blue waits for a long transaction to make the slot, or reads a long stretch of its log.
 * What was begun is rolled back, what is committed stays.
 * @param {Context} context @param {unknown} error
 */
const outOfTime = ({ deadline }, error) => !deadline.allows(1) && error instanceof MigrationError && (error.sqlstate === '57014' || error instanceof TransientError);

/** @param {Context} context @param {number} attempt @returns {Promise<boolean>} whether green is up to date */
async function advance(context, attempt) {
  const { phase } = context.state;
  context.log.debug('connected', { phase, attempt });
  if (phase === 'stopped' || phase === 'starting') {
    if (context.invocation.config.direction === 'reverse')
      throw new PermanentError('NOT_PREPARED', 'the way back is not prepared', { hint: 'invoke control with {"action": "prepare"} first' });
    await start(context);
  } else {
    if (context.state.identity.closed === true) await closeGreen(context);
    await checkPublication(context);
  }
  if (context.state.phase === 'copying') {
    await heldSlot(context);
    if (!(await copyAll(context))) return false;
    await beginToFollow(context);
  }
  return await catchUp(context);
}

/** Passes until green is up to date and consistent, or time is short. @param {Context} context */
export async function catchUp(context) {
  const contested = await beginContested(context);
  const complete = await passes(context);
  if (contested && complete) await endContested(context);
  return complete;
}

/** @param {Context} context */
async function passes(context) {
  let rechecked = false;
  for (let passes = 1; ; passes += 1) {
    const began = Date.now();
    const { exhausted, changes } = await follow(context);
    context.log.debug('followed', { changes, lsn: formatLsn(context.state.applied), ms: Date.now() - began });
    if (exhausted) {
      const filled = await fillAttached(context);
      if (filled === 'later') return false;
      if (filled === 'done') continue;
    }
    if (exhausted && !rechecked && context.quarantine.total > 0 && context.state.applied >= context.state.consistent) {
      rechecked = true;
      if ((await sourceWrites(context)) && (await recheck(context))) continue;
    }
    const { applied, consistent } = context.state;
    if (exhausted && Date.now() - began < LONG_PASS_MS && (applied >= consistent || passes >= MAX_PASSES)) return true;
    if (!context.deadline.allows(LONG_PASS_MS)) return false;
    if (applied >= consistent || changes > 0) continue;
    await flushLog(context.blue);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What a closed side has is older than what the other one has. @param {Context} context */
async function sourceWrites({ blue, tables }) {
  const { state, complete } = await readFence(blue, tables.map(({ source }) => source));
  return state !== 'closed' || !complete;
}

/** @param {Context} context */
async function beginToFollow(context) {
  const { current } = await readSlot(context.blue, context.state.slot);
  const state = { ...context.state, phase: /** @type {const} */ ('following'), consistent: current, copied: current };
  await writeState(context.green, state);
  context.committed(state);
  context.backfill.load(state);
  context.log.info('the full copy is complete', { rows: Number(state.rowsCopied) });
}

/** @param {Context} context @param {boolean} complete @returns {Promise<RunAnswer>} */
async function report(context, complete) {
  const slot = await readSlot(context.blue, context.state.slot);
  const units = context.state.phase === 'following' ? [] : await readUnits(context.green);
  return told(context, complete, slot, units);
}

/**
 * The answer, also as log line and metrics.
 * @param {Context} context @param {boolean} complete
 * @param {import('../pg/slot.mjs').SlotState | undefined} slot undefined when there was no time to ask
 * @param {import('./state.mjs').CopyUnit[]} units
 * @returns {RunAnswer}
 */
function told({ state, metrics, quarantine, newColumns, log, blue, connectedAt }, complete, slot, units) {
  const lag = slot === undefined ? null : lagSeconds(slot.now, state.syncedUntil);
  const betweenTransactions = state.inside.lsn < state.applied || state.inside.changes === 0;
  /** @type {RunAnswer} */
  const answer = {
    status: complete ? 'synced' : 'continue', phase: state.phase, progressPercent: progress(state.phase, units), rowsCopied: Number(state.rowsCopied),
    changesApplied: Number(state.changesApplied), quarantined: quarantine.total,
    consistent: state.phase === 'following' && state.applied >= state.consistent && betweenTransactions,
    lagSeconds: lag, lagBytes: slot?.lagBytes ?? null, retainedBytes: slot?.retainedBytes ?? null, newColumns,
  };
  if (answer.lagBytes !== null) metrics.gauge('LagBytes', answer.lagBytes);
  if (lag !== null) metrics.gauge('LagSeconds', lag);
  if (slot !== undefined) metrics.gauge('ProgressPercent', answer.progressPercent);
  metrics.gauge('RowsQuarantined', answer.quarantined);
  metrics.count('ChangesApplied', 0);
  log.info('run', {
    state: answer.status, phase: answer.phase, percent: answer.progressPercent, rows: answer.rowsCopied, changes: answer.changesApplied, quarantined: answer.quarantined,
    lsn: formatLsn(state.applied), lagSeconds: lag, lagBytes: answer.lagBytes, ms: Date.now() - connectedAt, bytes: blue.bytesRead,
  });
  return answer;
}

/** @param {string} now @param {string | null} syncedUntil both of blue's clock */
export function lagSeconds(now, syncedUntil) {
  if (syncedUntil === null) return null;
  return Math.max(0, Math.round(milliseconds(now) - milliseconds(syncedUntil)) / 1000);
}

/** PostgreSQL's ISO text. @param {string} timestamp */
const milliseconds = (timestamp) => Date.parse(timestamp.replace(' ', 'T').replace(/\+00$/, 'Z').replace(/(\.\d{3})\d+/, '$1'));

/** @param {string} phase @param {import('./state.mjs').CopyUnit[]} units */
export function progress(phase, units) {
  if (phase === 'following') return 100;
  const weight = (/** @type {import('./state.mjs').CopyUnit} */ unit) => Math.max(unit.estimate, unit.rows, 1);
  const all = units.reduce((sum, unit) => sum + weight(unit), 0);
  const done = units.reduce((sum, unit) => sum + (unit.done ? weight(unit) : unit.rows), 0);
  if (units.length > 0 && units.every((unit) => unit.done)) return 100;
  return all === 0 ? 0 : Math.min(99.9, Math.floor((1000 * done) / all) / 10);
}
