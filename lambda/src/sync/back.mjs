import { compileWithServers } from '../mapping/compile.mjs';
import { deriveReverse } from '../mapping/reverse.mjs';
import { readState } from './state.mjs';

/**
 * The mapping of the way back, from the forward one and both catalogs.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('../pg/catalog.mjs').Catalog} Catalog
 */

/**
 * @param {unknown} json the forward mapping @param {Catalog} blue @param {Catalog} green @param {Buffer | null} hashKey
 * @param {Session} onBlue @param {Session} onGreen
 */
export async function compileBack(json, blue, green, hashKey, onBlue, onGreen) {
  await leaveOutNewColumns(blue, onGreen);
  const forward = await compileWithServers(json, blue, green, { hashKey }, onBlue, onGreen);
  const derived = deriveReverse(json, blue, green);
  const read = new Map(forward.tables.map(({ target, targetColumns }) => [`${target.schema}.${target.name}`, targetColumns]));
  return {
    json: derived.json, lines: derived.lines, forward: forward.tables,
    compile: async () => ({ ...(await compileWithServers(derived.json, green, blue, { hashKey: null, back: read }, onGreen, onBlue)), sequences: forward.sequences, mode: forward.mode, rules: forward.rules }),
  };
}

/** Columns that blue has got since the migration began are not copied, so they do not come back. @param {Catalog} blue @param {Session} onGreen */
async function leaveOutNewColumns(blue, onGreen) {
  const state = await readState(onGreen);
  for (const [name, { columns }] of Object.entries(state?.phase === 'stopped' ? {} : (state?.schema ?? {}))) {
    const table = blue.tables[name];
    if (table !== undefined) table.columns = table.columns.filter((column) => columns.some(([known]) => known === column.name));
  }
}
