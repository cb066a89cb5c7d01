import { SCHEMA } from '../sync/state.mjs';

/**
 * Why a partitioned table may differ although every change in blue's log is on green: rows that went with a partition, or while it was a table of its own, are not in the log.
 * @param {import('../sync/context.mjs').Context} context @param {import('../sync/table.mjs').SyncTable[]} differing @returns {Promise<string[]>}
 */
export async function reasonsOf({ green, state }, differing) {
  /** @type {string[]} */
  const reasons = [];
  for (const table of differing.filter(({ source }) => source.partitioned)) {
    const units = await green.rows(`SELECT oid, unit FROM ${SCHEMA}.copy WHERE source = $1 ORDER BY unit`, [table.name]);
    const now = new Set(table.source.leaves.map(({ oid }) => oid));
    for (const [oid = '', unit] of /** @type {string[][]} */ (units))
      if (state.identity.joined?.[oid] !== undefined) reasons.push(`${table.name}: its partition ${unit} was detached and attached again since the copy began; rows that were deleted from it meanwhile are still on green: delete them there`);
      else if (!now.has(Number(oid))) reasons.push(`${table.name}: its partition ${unit} was detached or dropped since the copy began; rows that it had then are still on green: delete them there`);
  }
  return reasons;
}
