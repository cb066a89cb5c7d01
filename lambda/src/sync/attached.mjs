import { beyond } from '../pg/keys.mjs';
import { columnList, ident, qualified } from '../pg/text.mjs';
import { writeState } from './state.mjs';

/**
 * Partitions of blue that were tables of their own before. What they held when they were attached is not in the log, and PostgreSQL 14 leaves out what is written to them afterwards, too, as long as it decodes
 * in one go what was written before (pgoutput.c keeps what it found out about a table when it met it first). So all of their rows are read from blue and offered to green, once.
 *
 * @typedef {import('./context.mjs').Context} Context
 */

/**
 * Leaves that joined a mapped table after the publication was made, by themselves or with the partition that they are part of: the transactions in which that was, and whether it was by ATTACH. Of a partition that was
 * made as one the catalog has type and columns from the same command; when a table is attached the rows of its columns are written anew. (So they are by some other changes: then it is read for nothing.)
 */
const JOINED = `
SELECT leaf.oid, string_agg(i.xmin::text, ' ' ORDER BY i.inhrelid),
       bool_or(EXISTS (SELECT FROM pg_class c JOIN pg_type t ON t.oid = c.reltype JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.oid = i.inhrelid AND NOT (a.xmin = t.xmin AND a.cmin = t.cmin)))
  FROM unnest($1::oid[]) AS leaf(oid) CROSS JOIN LATERAL pg_partition_ancestors(leaf.oid) AS up(relid) JOIN pg_inherits i ON i.inhrelid = up.relid JOIN pg_publication p ON p.pubname = $2
 WHERE age(i.xmin) < age(p.xmin) GROUP BY leaf.oid`;

const AT_ONCE = 2_000;
const RESERVE_MS = 3_000;

/** Writes down which partitions were attached since the last run. @param {Context} context */
export async function noteAttached(context) {
  const { tables, blue, green } = context;
  const leaves = tables.filter(({ source }) => source.partitioned).flatMap(({ source }) => source.leaves.map(({ oid }) => oid));
  if (leaves.length === 0) return;
  const { joined: before = {}, attached = {} } = context.state.identity;
  /** @type {[string, string, string][]} */
  const found = /** @type {any} */ (await blue.rows(JOINED, [leaves, context.state.publication]));
  const fresh = found.filter(([oid, when]) => before[oid] !== when);
  if (fresh.length === 0) return;
  const joined = Object.fromEntries(found);
  const identity = { ...context.state.identity, joined, attached: { ...attached, ...Object.fromEntries(fresh.filter(([, , byAttach]) => byAttach === 't').map(([oid]) => [oid, null])) } };
  context.state = { ...context.state, identity };
  await writeState(green, context.state);
}

/**
 * Green has all that the stream has.
 * @param {Context} context @returns {Promise<'nothing' | 'done' | 'later'>} `done`: green is of a later moment than before
 */
export async function fillAttached(context) {
  const { tables, blue, masks, applier, deadline, log } = context;
  const pending = Object.entries(context.state.identity.attached ?? {});
  if (pending.length === 0 || applier.contested) return 'nothing';
  for (const [oid, sealed] of pending) {
    const table = tables.find(({ source }) => source.leaves.some((leaf) => leaf.oid === Number(oid)));
    const leaf = table?.source.leaves.find((one) => one.oid === Number(oid));
    let cursor = sealed === null ? null : /** @type {string[]} */ (JSON.parse(masks.open(sealed)));
    for (let rows = 0, more = true; more; ) {
      if (!deadline.allows(RESERVE_MS)) return 'later';
      /** @type {string[][]} */
      let keys = [];
      if (table !== undefined && leaf !== undefined) {
        const { plan, sourceKey } = table;
        keys = /** @type {string[][]} */ (await blue.rows(
          `SELECT ${columnList(plan.key)} FROM ONLY ${qualified(leaf)}${cursor === null ? '' : ` WHERE ${beyond(sourceKey, cursor, 'gt')}`} ORDER BY ${plan.key.map(ident).join(', ')} LIMIT ${AT_ONCE}`));
      }
      context.leaves.unread.delete(Number(oid));
      await context.begin();
      if (table !== undefined && keys.length > 0) await applier.offer(table, keys);
      cursor = keys.at(-1) ?? cursor;
      more = keys.length === AT_ONCE;
      rows += keys.length;
      const { [oid]: _, ...others } = context.state.identity.attached ?? {};
      const attached = more ? { ...others, [oid]: masks.seal(JSON.stringify(cursor)) } : others;
      context.state = { ...context.state, identity: { ...context.state.identity, attached: Object.keys(attached).length === 0 ? undefined : attached } };
      await context.commit({ applied: context.state.applied, inside: context.state.inside, syncedUntil: context.state.syncedUntil });
      if (!more && table !== undefined) log.info('a partition that was attached is read as a whole', { table: table.name, rows });
    }
  }
  return 'done';
}
