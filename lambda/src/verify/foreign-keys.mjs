import { dotted, ident, qualified } from '../pg/text.mjs';

/**
 * Rows of green that its own foreign keys would refuse. They are not checked while rows arrive, since blue has done so; but the mapping may
 * leave out rows that others point to, and green may have keys that blue has not.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {{table: string, constraint: string, rows: number}} Orphans `rows`: at least so many
 */

/** More are not counted. */
const COUNTED = 1000;

/** @param {Session} green under the snapshot @param {number[]} tables @param {() => boolean} inTime @returns {Promise<{orphans: Orphans[], complete: boolean}>} */
export async function findOrphans(green, tables, inTime) {
  const keys = await green.rows(
    `SELECT f.conname, n.nspname, c.relname, c.relkind = 'p', rn.nspname, r.relname, r.relkind = 'p',
            (SELECT json_agg(json_build_array(a.attname, ra.attname, quote_ident(opn.nspname) || '.' || op.oprname) ORDER BY k.place)
               FROM unnest(f.conkey, f.confkey, f.conpfeqop) WITH ORDINALITY AS k(own, referenced, operator, place)
               JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.own JOIN pg_attribute ra ON ra.attrelid = f.confrelid AND ra.attnum = k.referenced
               JOIN pg_operator op ON op.oid = k.operator JOIN pg_namespace opn ON opn.oid = op.oprnamespace)
       FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_class r ON r.oid = f.confrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
      WHERE f.contype = 'f' AND f.convalidated AND f.conparentid = 0 AND f.conrelid = ANY ($1::oid[]) ORDER BY n.nspname, c.relname, f.conname`,
    [tables],
  );
  /** @type {Orphans[]} */
  const orphans = [];
  for (const [constraint, schema, table, parted, otherSchema, other, otherParted, columns] of /** @type {string[][]} */ (keys)) {
    if (!inTime()) return { orphans, complete: false };
    /** @type {[string, string, string][]} */
    const pairs = JSON.parse(columns ?? '[]');
    const own = { schema: schema ?? '', name: table ?? '' };
    const [rows] = await green.row(
      `SELECT count(*) FROM (SELECT FROM ${parted === 't' ? '' : 'ONLY '}${qualified(own)} c
         WHERE ${pairs.map(([column]) => `c.${ident(column)} IS NOT NULL`).join(' AND ')}
           AND NOT EXISTS (SELECT FROM ${otherParted === 't' ? '' : 'ONLY '}${qualified({ schema: otherSchema ?? '', name: other ?? '' })} r
                            WHERE ${pairs.map(([column, referenced, operator]) => `r.${ident(referenced)} OPERATOR(${operator}) c.${ident(column)}`).join(' AND ')})
         LIMIT ${COUNTED}) AS orphans`);
    if (rows !== '0') orphans.push({ table: dotted(own), constraint: constraint ?? '', rows: Number(rows) });
  }
  return { orphans, complete: true };
}
