import { reversed } from '../lib/config.mjs';
import { loadJson } from '../mapping/load.mjs';
import { readCatalog } from '../pg/catalog.mjs';
import { mappedNames, openBoth } from '../sync/context.mjs';
import { status as streamStatus } from '../sync/manage.mjs';
import { readFence } from '../sync/fence.mjs';

/**
 * `{"action": "status"}`: who takes the writes, and how both streams stand. It changes nothing.
 * @param {import('../sync/context.mjs').Invocation} invocation
 */
export async function status(invocation) {
  const json = await loadJson(invocation.config, invocation.secrets, invocation.deadline); // before the migration there is no hash key
  const names = mappedNames(json);
  const [blue, green] = await openBoth(invocation);
  try {
    const [source, target] = await Promise.all([readCatalog(blue, names.source), readCatalog(green, names.target)]);
    const fences = { blue: await readFence(blue, Object.values(source.tables)), green: await readFence(green, Object.values(target.tables)) };
    const open = (/** @type {import('../sync/fence.mjs').Fence} */ { state, complete }) => !complete || state === 'none' || state.startsWith('open');
    const writer = open(fences.blue) ? (open(fences.green) ? 'both' : 'blue') : open(fences.green) ? 'green' : 'none';
    const forward = await streamStatus(invocation);
    const reverse = await streamStatus({ ...invocation, config: reversed(invocation.config) });
    return { status: 'ok', writer, fences, forward, reverse };
  } finally {
    await Promise.all([blue.close(), green.close()]);
  }
}
