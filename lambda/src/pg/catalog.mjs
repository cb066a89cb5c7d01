import { readTypes, withoutDomains } from './types.mjs';

/**
 * What is in a database, read from pg_catalog: for the mapping (types.mjs `Catalog`) and, beyond that, what the copy needs.
 *
 * @typedef {import('../mapping/types.mjs').Column & {number: number, typeOid: number, typeModifier: number, baseType: string, equal: string, storageType: string, identityAlways: boolean, collated: boolean, collation: string | null, version: string}} Column
 *   `number`: never given to another column of the table, even after a drop; `equal`: the operator of its type, as SQL; `baseType`: the quoted name, without modifiers, of the type (of a domain: the type
 *   underneath), for casts that check nothing; `storageType`: the same with its modifiers, for helper tables: the domain's checks are left out; `collated`: its
 *   order is that of a language; `collation`: its quoted name; `version`: changes with each ALTER of the column
 * @typedef {{eq: string, lt: string, le: string, ge: string, gt: string}} Operators of an index column, as SQL, schema included
 * @typedef {object} Leaf a plain table that holds rows: the table itself or a partition
 * @property {number} oid
 * @property {string} schema
 * @property {string} name
 * @property {string} replicaIdentity d, n, f or i
 * @property {boolean} logged its changes are in the log
 * @property {boolean} identified PostgreSQL can name its rows in the log: else a published table refuses updates and deletes
 * @property {string[]} identityKey columns of the index that names them
 * @property {string[]} columns that the log has, in its order
 * @property {string | null} bounds of a partition, as a condition
 * @property {string} storage changes when ALTER TABLE rewrites the table (not with VACUUM FULL, CLUSTER or, where it has a TOAST table, TRUNCATE)
 * @property {string[]} writers the transactions that changed the catalog's rows of the table and of its indexes last; ALTER TABLE changes all of them when it rewrites the table
 * @typedef {object} UniqueIndex other than the primary key
 * @property {number} oid
 * @property {string} name
 * @property {(string | null)[]} columns null: an expression
 * @property {string[]} expressions all of them, columns too
 * @property {Operators[]} operators
 * @property {string | null} predicate
 * @property {boolean} valid it covers all rows (not of a CREATE INDEX CONCURRENTLY that failed; that refuses new rows all the same)
 * @property {boolean} immediate not DEFERRABLE
 * @property {boolean} binary equal means the same value: no collation that calls different texts equal
 * @property {string[]} uses all columns that it reads
 * @property {boolean} local only of one partition
 * @typedef {object} Table
 * @property {number} oid
 * @property {string} schema
 * @property {string} name
 * @property {Column[]} columns
 * @property {string[]} primaryKey
 * @property {Operators[]} keyOperators of the primary key's columns
 * @property {boolean} keyImmediate the primary key is not DEFERRABLE
 * @property {boolean} partitioned
 * @property {boolean} exclusions it or a partition has an EXCLUDE constraint
 * @property {boolean} updateRules it has a rule for UPDATE, active or not: PostgreSQL refuses INSERT ... ON CONFLICT then
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
    `SELECT c.oid, n.nspname, c.relname, c.relkind = 'p',
            EXISTS (SELECT FROM pg_index x WHERE x.indisexclusion AND (x.indrelid = c.oid OR x.indrelid IN (SELECT relid FROM pg_partition_tree(c.oid)))),
            EXISTS (SELECT FROM pg_rewrite u WHERE u.ev_class = c.oid AND u.ev_type = '2')
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND ${USER_SCHEMA} AND n.nspname || '.' || c.relname = ANY ($1)`,
    [names],
  );
  /** @type {Map<string, Table>} */
  const byOid = new Map();
  for (const [oid, schema, name, partitioned, exclusions, updateRules] of /** @type {string[][]} */ (found)) {
    /** @type {Table} */
    const table = {
      oid: Number(oid), schema: schema ?? '', name: name ?? '', columns: [], primaryKey: [], keyOperators: [], keyImmediate: true,
      partitioned: partitioned === 't', exclusions: exclusions === 't', updateRules: updateRules === 't', leaves: [], uniqueIndexes: [],
    };
    tables[`${schema}.${name}`] = table;
    byOid.set(oid ?? '', table);
  }
  const oids = [...byOid.keys()];
  const types = await readTypes(session, oids);
  await readColumns(session, oids, byOid, types);
  const tree = await readTree(session, oids);
  await readIndexes(session, tree, byOid);
  await readLeaves(session, tree, byOid);
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

/** The columns that a generated column is computed from: PostgreSQL 14 notes them for the column, 15 for its expression (heap.c, StoreAttrDefault). */
const COMPUTED_FROM = `(SELECT json_agg(DISTINCT r.attname) FROM pg_depend d JOIN pg_attribute r ON r.attrelid = d.refobjid AND r.attnum = d.refobjsubid
   WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid > 0 AND d.refobjsubid <> a.attnum
     AND (d.classid = 'pg_class'::regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum
       OR d.classid = 'pg_attrdef'::regclass AND d.objid IN (SELECT oid FROM pg_attrdef WHERE adrelid = a.attrelid AND adnum = a.attnum)))`;

/** @param {import('./session.mjs').Session} session @param {string[]} oids @param {Map<string, Table>} byOid @param {Map<number, import('./types.mjs').TypeDefinition>} types */
async function readColumns(session, oids, byOid, types) {
  const columns = await session.rows(
    `SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '', a.atttypid, a.atttypmod,
            quote_ident(tn.nspname) || '.' || quote_ident(t.typname), a.attidentity = 'a',
            a.attgenerated = '' AND a.atthasdef OR a.attidentity <> '', a.attcollation <> 0, a.xmin, quote_ident(con.nspname) || '.' || quote_ident(co.collname), co.collisdeterministic,
            CASE WHEN a.attgenerated <> '' THEN (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) END,
            CASE WHEN a.attgenerated <> '' THEN ${COMPUTED_FROM} END
       FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
       LEFT JOIN pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_namespace con ON con.oid = co.collnamespace
      WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`,
    [oids],
  );
  for (const [oid, number, name, type, notNull, generated, typeOid, typeModifier, ownType, always, hasDefault, collated, version, collation, deterministic, computed, computedFrom] of /** @type {string[][]} */ (columns)) {
    const definition = types.get(Number(typeOid));
    const domain = definition && withoutDomains({ text: type ?? '', definition });
    byOid.get(oid ?? '')?.columns.push({
      number: Number(number), name: name ?? '', type: type ?? '', definition, notNull: notNull === 't', domainNotNull: domain?.notNull === true, generated: generated === 't',
      typeOid: Number(typeOid), typeModifier: Number(typeModifier), baseType: domain?.definition.ident ?? ownType ?? '', equal: domain?.definition.equal ?? '=', storageType: domain?.text ?? type ?? '',
      identityAlways: always === 't', hasDefault: hasDefault === 't' || definition?.hasDefault === true, collated: collated === 't', collation: collation ?? null, deterministic: deterministic !== 'f', version: version ?? '',
      computed: computed ?? undefined, computedFrom: JSON.parse(computedFrom ?? '[]'),
    });
  }
}

/**
 * The tables and their partitions on all levels, each beside the table it belongs to. Asked for by itself: PostgreSQL does not know how few they are, and in a larger query would ask for them again
 * with each row of the catalog.
 * @param {import('./session.mjs').Session} session @param {string[]} oids @returns {Promise<[string[], string[]]>} for `TREE`
 */
async function readTree(session, oids) {
  const rows = /** @type {string[][]} */ (await session.rows(
    'SELECT root.oid, part.relid::oid FROM unnest($1::oid[]) AS root(oid) CROSS JOIN LATERAL (SELECT relid FROM pg_partition_tree(root.oid) UNION SELECT root.oid::regclass) AS part', [oids]));
  return [rows.map(([root]) => root ?? ''), rows.map(([, oid]) => oid ?? '')];
}

const TREE = 'unnest($1::oid[], $2::oid[]) AS tree(root, oid)';

/** The operators of an index column's own operator class: `=` under a search path may be that of another type. Strategies 1 to 5 of a btree. */
const OPERATORS = `(SELECT json_object_agg(o.strategy, o.operator) FROM (
  SELECT ao.amopstrategy AS strategy, 'OPERATOR(' || quote_ident(opn.nspname) || '.' || op.oprname || ')' AS operator
    FROM pg_opclass oc JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype AND ao.amoppurpose = 's'
    JOIN pg_operator op ON op.oid = ao.amopopr JOIN pg_namespace opn ON opn.oid = op.oprnamespace
   WHERE oc.oid = i.indclass[k.n - 1]) AS o)`;

/** @param {string | null | undefined} json @returns {Operators} */
function parseOperators(json) {
  const found = /** @type {Record<string, string>} */ (JSON.parse(json ?? '{}'));
  return { lt: found['1'] ?? '', le: found['2'] ?? '', eq: found['3'] ?? '', ge: found['4'] ?? '', gt: found['5'] ?? '' };
}

/**
 * An index that is not valid refuses duplicates as soon as it is ready. The indexes of partitions that are no part of an index of the
 * whole table are listed under it too.
 * @param {import('./session.mjs').Session} session @param {[string[], string[]]} tree @param {Map<string, Table>} byOid
 */
async function readIndexes(session, tree, byOid) {
  const indexes = await session.rows(
    `SELECT tree.root, i.indisprimary AND i.indrelid = tree.root, i.indexrelid, c.relname, pg_get_expr(i.indpred, i.indrelid), k.n, pg_get_indexdef(i.indexrelid, k.n, false), a.attname,
            ${OPERATORS}, i.indisvalid, i.indimmediate, i.indrelid <> tree.root,
            NOT EXISTS (SELECT FROM pg_collation co WHERE co.oid = ANY (i.indcollation::oid[]) AND NOT co.collisdeterministic),
            (SELECT array_to_json(array_agg(DISTINCT u.attname)) FROM pg_attribute u
              WHERE u.attrelid = i.indrelid AND u.attnum > 0 AND (u.attnum = ANY (i.indkey::int2[])
                 OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refclassid = 'pg_class'::regclass
                                                    AND d.refobjid = i.indrelid AND d.refobjsubid = u.attnum)))
       FROM ${TREE} JOIN pg_index i ON i.indrelid = tree.oid JOIN pg_class c ON c.oid = i.indexrelid CROSS JOIN LATERAL generate_series(1, i.indnkeyatts::int) AS k(n)
       LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n - 1] AND a.attnum > 0
      WHERE (i.indrelid = tree.root OR NOT c.relispartition) AND i.indisunique AND i.indisready AND i.indislive AND (i.indisvalid OR NOT i.indisprimary)
      ORDER BY i.indexrelid, k.n`,
    tree,
  );
  for (const [oid, primary, indexOid, name, predicate, , expression, column, operators, valid, immediate, local, binary, uses] of indexes) {
    const table = byOid.get(oid ?? '');
    if (table === undefined) continue;
    if (primary === 't') {
      table.primaryKey.push(column ?? '');
      table.keyOperators.push(parseOperators(operators));
      table.keyImmediate = immediate === 't';
      continue;
    }
    let index = table.uniqueIndexes.find((known) => known.oid === Number(indexOid));
    if (index === undefined) {
      index = {
        oid: Number(indexOid), name: name ?? '', columns: [], expressions: [], operators: [], predicate: predicate ?? null, valid: valid === 't', immediate: immediate === 't',
        binary: binary === 't', uses: JSON.parse(uses ?? '[]'), local: local === 't',
      };
      table.uniqueIndexes.push(index);
    }
    index.columns.push(column ?? null);
    index.expressions.push(expression ?? '');
    index.operators.push(parseOperators(operators));
  }
}

/** Of a partition `c`; null of any other table. A default partition that is alone takes everything. */
export const BOUNDS = "CASE WHEN c.relispartition THEN coalesce(pg_get_partition_constraintdef(c.oid), 'true') END";

/**
 * Which rows of a table the log can name follows from an index only where that is valid and not DEFERRABLE (relcache.c, RelationGetIndexList).
 * @param {import('./session.mjs').Session} session @param {[string[], string[]]} tree @param {Map<string, Table>} byOid
 */
async function readLeaves(session, tree, byOid) {
  const leaves = await session.rows(
    `SELECT tree.root, tree.oid, n.nspname, c.relname, c.relreplident, c.relpersistence = 'p', c.relreplident = 'f' OR named.key IS NOT NULL, named.key,
            ${BOUNDS}, CASE c.reltoastrelid WHEN 0 THEN 'f' || c.relfilenode ELSE 't' || c.reltoastrelid END,
            (SELECT json_agg(w.xmin::text) FROM pg_class w WHERE w.oid = c.oid OR w.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = c.oid)),
            (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')
       FROM ${TREE} JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN LATERAL (
              SELECT array_to_json(array_agg(a.attname ORDER BY a.attnum)) AS key FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
               WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
               GROUP BY i.indexrelid
            ) AS named ON true
      WHERE c.relkind = 'r' ORDER BY 1, c.relname`,
    tree,
  );
  for (const [root, oid, schema, name, replicaIdentity, logged, identified, key, bounds, storage, writers, columns] of leaves)
    byOid.get(root ?? '')?.leaves.push({
      oid: Number(oid), schema: schema ?? '', name: name ?? '', replicaIdentity: replicaIdentity ?? '', logged: logged === 't', identified: identified === 't',
      identityKey: JSON.parse(key ?? '[]'), columns: JSON.parse(columns ?? '[]'), bounds: bounds ?? null, storage: storage ?? '', writers: JSON.parse(writers ?? '[]'),
    });
}
