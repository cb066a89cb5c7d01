import { PermanentError, withSidesExchanged } from '../lib/errors.mjs';
import { loadJson, loadMapping } from '../mapping/load.mjs';
import { nearest } from '../mapping/nearest.mjs';
import { readCatalog } from '../pg/catalog.mjs';
import { compileBack } from '../sync/back.mjs';
import { actAsReplica, mappedNames, openBoth } from '../sync/context.mjs';
import { checkNames, readFence } from '../sync/fence.mjs';
import { named } from './prepare.mjs';

const HASH_KEY_BYTES = 32;
const WHOLE = 'REPLICA IDENTITY FULL on tables with the rules state-machine and merged, until finish or stop (lock at most 700 ms, 5 times)';

/** More than these at once help nobody. */
const SHOWN = 20;

/**
 * The application makes green's tables. @param {string[]} names that the mapping writes to @param {import('../pg/catalog.mjs').Catalog} green
 */
function checkTables(names, green) {
  const missing = names.filter((name) => !Object.hasOwn(green.tables, name));
  if (missing.length === 0) return;
  const shown = missing.slice(0, SHOWN).map((name) => {
    const near = nearest(name, green.known);
    return near === undefined ? name : `${name} (perhaps ${near})`;
  });
  const more = missing.length > SHOWN ? ` and ${missing.length - SHOWN} more` : '';
  throw new PermanentError('NO_TABLES', `green has not got ${missing.length} of the ${names.length} mapped tables: ${shown.join(', ')}${more}`, {
    hint: "make them with the application's own migrations, or correct the mapping where they have other names",
  });
}

/**
 * `{"action": "plan"}`: what would become of each column of blue on the way back, and what would be made on both sides. It changes nothing.
 * @param {import('../sync/context.mjs').Invocation} invocation
 */
export async function plan(invocation) {
  const { json, hashKey } = await load(invocation);
  const [blue, green] = await openBoth(invocation);
  try {
    const names = mappedNames(json);
    const [source, target] = await Promise.all([readCatalog(blue, names.source), readCatalog(green, names.target)]);
    checkTables(names.target, target);
    const twoWay = /** @type {{mode?: unknown}} */ (json).mode === 'two-way';
    const back = await compileBack(json, source, target, hashKey, blue, green);
    await back.compile().catch((error) => {
      throw withSidesExchanged(error);
    });
    const roots = [Object.values(source.tables), Object.values(target.tables)];
    const [onBlue, onGreen] = [await readFence(blue, roots[0] ?? []), await readFence(green, roots[1] ?? [])];
    await checkNames(blue, roots[0] ?? []);
    await checkNames(green, roots[1] ?? []);
    for (const session of [green, blue]) await actAsReplica(session); // for this session: proves that it may
    const irreversible = back.lines.filter(({ kind }) => kind === 'irreversible');
    const without = new Set(back.lines.filter(({ kind, required }) => required && (kind === 'irreversible' || kind === 'kept')).map(({ table }) => table));
    return {
      status: 'ok', reversible: irreversible.length === 0, exact: named(back.lines, 'exact'), guarded: named(back.lines, 'guarded'), kept: named(back.lines, 'kept'), irreversible: named(back.lines, 'irreversible'),
      newRowsHeld: [...without], fences: { blue: onBlue.state, green: onGreen.state },
      changes: {
        blue: ['publication and slot (made by sync, lock at most 50 ms, tried again)', 'schema payment_migration', 'at a cutover: trigger deployer_fence on the mapped tables and their partitions (lock at most 700 ms, 5 times)', ...(twoWay ? [WHOLE] : [])],
        green: ['publication and slot', 'trigger deployer_fence on the mapped tables and their partitions (lock at most 700 ms, 5 times)', ...(twoWay ? [WHOLE, 'trigger deployer_one_writer on tables with the rule reference'] : [])],
      },
    };
  } finally {
    await Promise.all([blue.close(), green.close()]);
  }
}

/**
 * The mapping and its hash key. Before the migration begins the secret is empty, and any key will do: no row is read, so nothing is hashed.
 * @param {import('../sync/context.mjs').Invocation} invocation
 */
async function load({ config, secrets, deadline }) {
  const { hashKeySecretArn: arn } = config;
  if (arn === undefined || (await secrets.presence(arn, deadline)) !== 'empty') return loadMapping(config, secrets, deadline);
  return { json: await loadJson(config, secrets, deadline), hashKey: Buffer.alloc(HASH_KEY_BYTES) };
}
