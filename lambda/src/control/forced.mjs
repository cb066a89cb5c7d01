import { MigrationError, PermanentError } from '../lib/errors.mjs';
import { loadJson } from '../mapping/load.mjs';
import { readCatalog } from '../pg/catalog.mjs';
import { formatLsn } from '../pg/text.mjs';
import { mappedNames, open } from '../sync/context.mjs';
import { STATES, readFence, removeTriggers, setFence } from '../sync/fence.mjs';
import { takeLock } from '../sync/lock.mjs';
import { readState, writeState } from '../sync/state.mjs';
import { notPrepared } from './canary.mjs';

/**
 * The way back when green can't be reached: blue is opened with what it has. What green has acknowledged since comes when green is there again, without overwriting
 * anything (sync/contested.mjs).
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 * @typedef {{status: 'forced', writer: 'blue', blueHas: {until: string | null, lsn: string}, undo: object}} Forced `until`: green's clock; what it has committed up to then is on blue
 */

const WAIT_MS = 5_000;
const PAUSE_MS = 500;

/** Is it green that could not be reached, and still can't? @param {Invocation} invocation @param {unknown} error */
export async function isGone(invocation, error) {
  const network = /^(E[A-Z]+|CONNECTION_LOST|TIME_ENDED|DATABASE_TRANSIENT)$/;
  if (!(error instanceof MigrationError) || !error.message.startsWith('green: ') || !network.test(error.code)) return false;
  const end = performance.now() + WAIT_MS;
  do {
    try {
      await (await open(invocation, 'target')).close();
      return false;
    } catch (again) {
      if (again instanceof MigrationError && again.code === 'READER') return false; // the writer is under another address by now, and may take writes
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  } while (performance.now() < end);
  return true;
}

/** @param {Invocation} invocation @returns {Promise<Forced>} */
export async function forceBlue(invocation) {
  const json = await loadJson(invocation.config, invocation.secrets, invocation.deadline);
  const blue = await open(invocation, 'source');
  try {
    await takeLock(blue, invocation.deadline);
    const state = await readState(blue);
    if (state?.phase !== 'following') throw notPrepared();
    const roots = Object.values((await readCatalog(blue, mappedNames(json).source)).tables);
    const fence = await readFence(blue, roots);
    const takesWrites = !fence.state.startsWith('closed');
    if (takesWrites && state.identity.split !== true) throw new PermanentError('WRITER', 'blue takes the writes already', { hint: 'nothing is to be done; green could not be reached' });
    await writeState(blue, { ...state, identity: { ...state.identity, contested: true } }); // before the first write that it speaks of
    if (!takesWrites) await setFence(blue, STATES.open);
    await removeTriggers(blue, roots, 'DISABLE').catch(() => {});
    invocation.log.warn('green could not be reached: blue takes the writes with what it has', { lsn: formatLsn(state.applied) });
    return { status: 'forced', writer: 'blue', blueHas: { until: state.syncedUntil, lsn: formatLsn(state.applied) }, undo: { action: 'cutover' } };
  } finally {
    await blue.close();
  }
}
