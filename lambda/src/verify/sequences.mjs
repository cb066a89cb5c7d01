import { dotted, ident, literal } from '../pg/text.mjs';

/**
 * Brings green's sequences up to blue's, so that the first insert after the traffic shift takes no number twice. They only move
 * forward. Logical decoding does not carry sequences.
 *
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 * @typedef {{schema: string, name: string, owner: string | null, column: string | null, increment: bigint, last: bigint | null}} Sequence
 */

/** @param {import('../pg/session.mjs').Session} session @returns {Promise<Sequence[]>} */
async function readSequences(session) {
  const rows = await session.rows(
    `SELECT s.schemaname, s.sequencename, t.schema || '.' || t.name, t.column, s.increment_by, s.last_value
       FROM pg_sequences s LEFT JOIN LATERAL (
              SELECT tn.nspname AS schema, tc.relname AS name, a.attname AS column
                FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S' JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_class tc ON tc.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = tc.relnamespace
                JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
               WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
                 AND n.nspname = s.schemaname AND c.relname = s.sequencename LIMIT 1) t ON true`);
  return rows.map(([schema, name, owner, column, increment, last]) => ({
    schema: schema ?? '', name: name ?? '', owner: owner ?? null, column: column ?? null, increment: BigInt(increment ?? 1),
    last: last === null || last === undefined ? null : BigInt(last),
  }));
}

/**
 * @param {import('../pg/session.mjs').Session} blue @param {import('../pg/session.mjs').Session} green @param {SyncTable[]} tables
 * @returns {Promise<{checked: number, raised: number}>}
 */
export async function raiseSequences(blue, green, tables) {
  const [sources, targets] = await Promise.all([readSequences(blue), readSequences(green)]);
  let checked = 0;
  let raised = 0;
  for (const target of targets) {
    const source = sources.find((candidate) => sameColumn(candidate, target, tables)) ?? sources.find((candidate) => dotted(candidate) === dotted(target));
    if (source === undefined) continue;
    checked += 1;
    if (source.last === null || !behind(target, source.last)) continue;
    await green.run(`SELECT setval(${literal(`${ident(target.schema)}.${ident(target.name)}`)}, ${source.last})`);
    raised += 1;
  }
  return { checked, raised };
}

/** Does the one feed the column that the mapping carries into the other's? @param {Sequence} source @param {Sequence} target @param {SyncTable[]} tables */
function sameColumn(source, target, tables) {
  if (source.owner === null || target.column === null) return false;
  const table = tables.find(({ name, targetName }) => name === source.owner && targetName === target.owner);
  return table !== undefined && table.plan.carriedFrom[table.plan.targetColumns.indexOf(target.column)] === source.column;
}

/** @param {Sequence} sequence @param {bigint} last */
const behind = ({ last: own, increment }, last) => own === null || (increment > 0n ? own < last : own > last);
