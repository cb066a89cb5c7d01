/**
 * What green does by itself although `session_replication_role` is `replica`, and what it leaves undone because of that.
 *
 * @typedef {{root: number, table: string, name: string, kind: 'trigger' | 'rule' | 'exclusion', definition: string}} Machinery
 */

/** The deployer's own triggers, and those that call this migration's functions. */
const OWN = `t.tgname LIKE 'deployer\\_%' OR fn.nspname = 'payment_migration'`;

/**
 * Triggers and rules that act all the same, and EXCLUDE constraints that are DEFERRABLE: they are triggers, which do nothing.
 * @param {import('./session.mjs').Session} green @param {number[]} oids of tables, their partitions included
 * @returns {Promise<Machinery[]>}
 */
export async function readMachinery(green, oids) {
  const rows = await green.rows(
    `WITH tree AS (
       SELECT root.oid AS root, relid AS oid FROM unnest($1::oid[]) AS root(oid) CROSS JOIN LATERAL (SELECT relid FROM pg_partition_tree(root.oid) UNION SELECT root.oid::regclass) AS p
     ), found AS (
       SELECT root, t.tgrelid AS oid, t.tgname AS name, 'trigger' AS kind, '' AS definition
         FROM tree JOIN pg_trigger t ON t.tgrelid = tree.oid JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace fn ON fn.oid = f.pronamespace
        WHERE t.tgenabled IN ('A', 'R') AND NOT (${OWN})
       UNION ALL
       SELECT root, r.ev_class, r.rulename, 'rule', '' FROM tree JOIN pg_rewrite r ON r.ev_class = tree.oid WHERE r.ev_enabled IN ('A', 'R') AND r.ev_type <> '1'
       UNION ALL
       SELECT root, c.conrelid, c.conname, 'exclusion', pg_get_constraintdef(c.oid) FROM tree JOIN pg_constraint c ON c.conrelid = tree.oid WHERE c.contype = 'x' AND c.condeferrable
     ) SELECT root, n.nspname || '.' || c.relname, name, kind, definition FROM found JOIN pg_class c ON c.oid = found.oid JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2, 3`,
    [oids],
  );
  return rows.map(([root, table, name, kind, definition]) => ({
    root: Number(root), table: table ?? '', name: name ?? '', kind: /** @type {Machinery['kind']} */ (kind), definition: definition ?? '',
  }));
}
