import { MigrationError } from '../lib/errors.mjs';
import { dotted, qualified } from './text.mjs';

/**
 * Tables that inherit from a mapped one without being its partitions (`INHERITS`). Their rows are neither written nor compared, and yet whoever reads the mapped table reads them too.
 *
 * @typedef {import('./session.mjs').Session} Session
 */

/** On all levels. A partition has no such children, and neither has a partitioned table. */
const CHILDREN = `
WITH RECURSIVE tree(root, oid) AS (
  SELECT oid, oid FROM unnest($1::oid[]) AS root(oid) UNION SELECT tree.root, i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid JOIN pg_class p ON p.oid = tree.oid AND p.relkind = 'r'
)
SELECT DISTINCT tree.root, n.nspname, c.relname FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT tree.oid = ANY ($1::oid[]) ORDER BY 2, 3`;

/**
 * @param {Session} session @param {number[]} oids of the mapped tables of this side
 * @returns {Promise<{parent: number, name: string}[]>} those that are not mapped themselves and have rows, or may not be read
 */
export async function inheriting(session, oids) {
  const found = [];
  for (const [root, schema, name] of /** @type {string[][]} */ (await session.rows(CHILDREN, [oids]))) {
    const child = { schema: schema ?? '', name: name ?? '' };
    const rows = await session.rows(`SELECT 1 FROM ONLY ${qualified(child)} LIMIT 1`).catch((error) => {
      if (error instanceof MigrationError && error.sqlstate === '42501') return [[]];
      throw error;
    });
    if (rows.length > 0) found.push({ parent: Number(root), name: dotted(child) });
  }
  return found;
}
