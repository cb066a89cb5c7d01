import { randomUUID } from 'node:crypto';
import { loadJson } from '../mapping/load.mjs';
import { readCatalog } from '../pg/catalog.mjs';
import { mappedNames, openBoth } from '../sync/context.mjs';
import { STATES, raiseFence, readFence } from '../sync/fence.mjs';
import { pairName } from '../sync/marks.mjs';
import { readState } from '../sync/state.mjs';
import { checkTables } from './plan.mjs';

/**
 * `{"action": "close"}`: closes green to its application before the first row comes. What it would do with a payment that was copied (capture it, say), blue's
 * application does too. Nothing is changed where a way back is prepared: then a side was decided on, or both take writes.
 * @param {import('../sync/context.mjs').Invocation} invocation
 */
export async function close(invocation) {
  const names = mappedNames(await loadJson(invocation.config, invocation.secrets, invocation.deadline));
  const [blue, green] = await openBoth(invocation);
  try {
    const target = await readCatalog(green, names.target);
    checkTables(names.target, target);
    const roots = Object.values(target.tables);
    const { state, complete } = await readFence(green, roots);
    const back = await readState(blue);
    if (back !== undefined && back.phase !== 'stopped') return { status: 'prepared', fence: state };
    if (state === 'closed' && complete) return { status: 'closed', already: true };
    const { deadline } = invocation;
    await raiseFence(green, roots, { state: STATES.closed, pair: pairName(invocation.config), marker: randomUUID(), allows: (ms) => deadline.allows(ms) });
    return { status: 'closed', already: false };
  } finally {
    await Promise.all([blue.close(), green.close()]);
  }
}
