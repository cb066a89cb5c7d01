import { loadJson } from '../mapping/load.mjs';
import { readCatalog } from '../pg/catalog.mjs';
import { formatLsn } from '../pg/text.mjs';
import { mappedNames, open } from '../sync/context.mjs';
import { STATES, readFence, removeTriggers, setFence } from '../sync/fence.mjs';
import { takeFromHolder, takeLock } from '../sync/lock.mjs';
import { readState, writeState } from '../sync/state.mjs';
import { notPrepared } from './canary.mjs';

/**
 * The way back when green can't be reached: blue is opened with what it has. What green has acknowledged since comes when green is there again, without overwriting
 * anything (sync/contested.mjs).
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 * @typedef {{status: 'forced', writer: 'blue', already: boolean, blueHas: {until: string | null, lsn: string}, undo: object}} Forced `until`: green's clock; what it has committed up to then is on blue
 */

/** Another run that holds the lock of blue has so long to end by itself. Without green it can bring nothing over. */
const HOLDER_MS = 500;

/** @param {Invocation} invocation @returns {Promise<Forced>} */
export async function forceBlue(invocation) {
  const json = await loadJson(invocation.config, invocation.secrets, invocation.deadline);
  const blue = await open(invocation, 'source');
  try {
    await takeLock(blue, invocation.deadline, HOLDER_MS).catch(() => takeFromHolder(blue, invocation.deadline));
    const state = await readState(blue);
    if (state?.phase !== 'following') throw notPrepared();
    const roots = Object.values((await readCatalog(blue, mappedNames(json).source)).tables);
    const fence = await readFence(blue, roots);
    const takesWrites = !fence.state.startsWith('closed');
    await writeState(blue, { ...state, identity: { ...state.identity, contested: true } }); // before the first write that it speaks of
    if (!takesWrites) await setFence(blue, STATES.open);
    await removeTriggers(blue, roots, 'DISABLE').catch(() => {});
    invocation.log.warn('green could not be reached: blue takes the writes with what it has', { lsn: formatLsn(state.applied) });
    return { status: 'forced', writer: 'blue', already: takesWrites, blueHas: { until: state.syncedUntil, lsn: formatLsn(state.applied) }, undo: { action: 'cutover' } };
  } finally {
    await blue.close();
  }
}
