import { readTypes, withoutDomains } from './types.mjs';

/**
 * What is in a database, read from pg_catalog: for the mapping (types.mjs `Catalog`) and, beyond that, what the copy needs.
 *
 * @typedef {import('../mapping/types.mjs').Column & {number: number, typeOid: number, typeModifier: number, baseType: string, identityAlways: boolean, collated: boolean}} Column
 *   `number`: never given to another column of the table, even after a drop; `baseType`: the type's quoted name without modifiers, for casts that check nothing; `collated`: its order is that of a language
 * @typedef {{oid: number, schema: string, name: string, replicaIdentity: string, logged: boolean}} Leaf a plain table that holds rows: the table
 *   itself or a partition. `replicaIdentity`: d, n, f or i; `logged`: its changes are in the log
 * @typedef {{name: string, expressions: string[], predicate: string | null}} UniqueIndex other than the primary key
 * @typedef {object} Table
 * @property {number} oid
 * @property {string} schema
 * @property {string} name
 * @property {Column[]} columns
 * @property {string[]} primaryKey
 * @property {boolean} partitioned
 * @property {Leaf[]} leaves
 * @property {UniqueIndex[]} uniqueIndexes
 *
 * @typedef {{tables: Record<string, Table>, enums: Record<string, string[]>, types: import('./types.mjs').TypeDefinition[], known: string[]}} Catalog
 *   `known`: all tables, where some of those of interest were not found, so that a misspelt one can be told from its neighbours
 */

const USER_SCHEMA = `n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`;

/**
 * @param {import('./session.mjs').Session} session
 * @param {string[]} names `schema.name` of the tables of interest; others are left out
 * @returns {Promise<Catalog>}
 */
export async function readCatalog(session, names) {
  /** @type {Record<string, Table>} */
  const tables = {};
  const found = await session.rows(
    `SELECT c.oid, n.nspname, c.relname, c.relkind = 'p'
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND ${USER_SCHEMA} AND n.nspname || '.' || c.relname = ANY ($1)`,
    [names],
  );
  /** @type {Map<string, Table>} */
  const byOid = new Map();
  for (const [oid, schema, name, partitioned] of /** @type {string[][]} */ (found)) {
    /** @type {Table} */
    const table = {
      oid: Number(oid), schema: schema ?? '', name: name ?? '', columns: [], primaryKey: [], partitioned: partitioned === 't',
      leaves: [], uniqueIndexes: [],
    };
    tables[`${schema}.${name}`] = table;
    byOid.set(oid ?? '', table);
  }
  const oids = [...byOid.keys()];
  const types = await readTypes(session, oids);
  await readColumns(session, oids, byOid, types);
  await readIndexes(session, oids, byOid);
  await readLeaves(session, oids, byOid);
  const complete = names.every((name) => name in tables);
  const enums = Object.fromEntries([...types.values()].flatMap(({ name, labels }) => (labels === undefined ? [] : [[name, labels]])));
  return { tables, enums, types: [...types.values()], known: complete ? names : await readNames(session) };
}

/** @param {import('./session.mjs').Session} session @returns {Promise<string[]>} */
async function readNames(session) {
  const rows = await session.rows(
    `SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND ${USER_SCHEMA} ORDER BY 1`,
  );
  return rows.map(([name]) => name ?? '');
}

/** @param {import('./session.mjs').Session} session @param {string[]} oids @param {Map<string, Table>} byOid @param {Map<number, import('./types.mjs').TypeDefinition>} types */
async function readColumns(session, oids, byOid, types) {
  const columns = await session.rows(
    `SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '', a.atttypid, a.atttypmod,
            quote_ident(tn.nspname) || '.' || quote_ident(t.typname), a.attidentity = 'a',
            a.attgenerated = '' AND a.atthasdef OR a.attidentity <> '', a.attcollation <> 0
       FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
      WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`,
    [oids],
  );
  for (const [oid, number, name, type, notNull, generated, typeOid, typeModifier, baseType, always, hasDefault, collated] of /** @type {string[][]} */ (columns)) {
    const definition = types.get(Number(typeOid));
    const domain = definition && withoutDomains({ text: type ?? '', definition });
    byOid.get(oid ?? '')?.columns.push({
      number: Number(number), name: name ?? '', type: type ?? '', definition, notNull: notNull === 't', domainNotNull: domain?.notNull === true, generated: generated === 't',
      typeOid: Number(typeOid), typeModifier: Number(typeModifier), baseType: baseType ?? '', identityAlways: always === 't',
      hasDefault: hasDefault === 't' || definition?.hasDefault === true, collated: collated === 't',
    });
  }
}

/** @param {import('./session.mjs').Session} session @param {string[]} oids @param {Map<string, Table>} byOid */
async function readIndexes(session, oids, byOid) {
  const indexes = await session.rows(
    `SELECT i.indrelid, i.indisprimary, c.relname, pg_get_expr(i.indpred, i.indrelid), k.n, pg_get_indexdef(i.indexrelid, k.n, false), a.attname
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid CROSS JOIN LATERAL generate_series(1, i.indnkeyatts::int) AS k(n)
       LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n - 1] AND a.attnum > 0
      WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indisvalid ORDER BY i.indexrelid, k.n`,
    [oids],
  );
  for (const [oid, primary, name, predicate, , expression, column] of indexes) {
    const table = byOid.get(oid ?? '');
    if (table === undefined) continue;
    if (primary === 't') {
      table.primaryKey.push(column ?? '');
      continue;
    }
    let index = table.uniqueIndexes.find((known) => known.name === name);
    if (index === undefined) table.uniqueIndexes.push((index = { name: name ?? '', expressions: [], predicate: predicate ?? null }));
    index.expressions.push(expression ?? '');
  }
}

/** @param {import('./session.mjs').Session} session @param {string[]} oids @param {Map<string, Table>} byOid */
async function readLeaves(session, oids, byOid) {
  const leaves = await session.rows(
    `SELECT root.oid, tree.relid::oid, n.nspname, c.relname, c.relreplident, c.relpersistence = 'p'
       FROM unnest($1::oid[]) AS root(oid) CROSS JOIN LATERAL (
              SELECT relid FROM pg_partition_tree(root.oid) WHERE isleaf UNION SELECT root.oid::regclass
            ) AS tree
       JOIN pg_class c ON c.oid = tree.relid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' ORDER BY 1, c.relname`,
    [oids],
  );
  for (const [root, oid, schema, name, replicaIdentity, logged] of /** @type {string[][]} */ (leaves))
    byOid.get(root ?? '')?.leaves.push({ oid: Number(oid), schema: schema ?? '', name: name ?? '', replicaIdentity: replicaIdentity ?? '', logged: logged === 't' });
}
