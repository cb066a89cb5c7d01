import { dotted, ident } from '../pg/text.mjs';

/**
 * The sequences of one side: where they stand, and which columns take values from them, by ownership, identity or a default, whoever owns the sequence.
 *
 * @typedef {{table: number, column: string, plain: boolean, part?: number}} Feed `plain`: the column's values are the sequence's, nothing is made of them; `part`: only of this partition's rows, by a default of its own
 *
 * @typedef {object} Sequence
 * @property {string} name `schema.name`
 * @property {string} schema
 * @property {string} relation its name in the schema
 * @property {bigint} increment
 * @property {bigint} min
 * @property {bigint} max
 * @property {boolean} cycles
 * @property {bigint} cache how many values a session takes at once
 * @property {boolean} readable
 * @property {bigint | null} last the last value it gave; null when it gave none, or may not be read
 * @property {bigint} next
 * @property {Feed[]} feeds
 * @property {boolean} loose it feeds no column of any table
 */

const SEQUENCES = `
SELECT c.oid, n.nspname, c.relname, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle, has_sequence_privilege(c.oid, 'SELECT'),
       NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid IN ('pg_attrdef'::regclass, 'pg_type'::regclass) AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid), s.seqcache
  FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND has_schema_privilege(n.oid, 'USAGE') AND c.relpersistence <> 't'
 ORDER BY n.nspname, c.relname`;

/** Sequence, table, column and the default (its own or its domain's), of identity columns and owned sequences too. */
const FEEDS = `
SELECT d.objid, d.refobjid, a.attname, NULL FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
 WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjid = ANY ($1::oid[])
UNION
SELECT d.refobjid, def.adrelid, a.attname, pg_get_expr(def.adbin, def.adrelid)
  FROM pg_attrdef def JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = def.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid = 0
  JOIN pg_class c ON c.oid = d.refobjid AND c.relkind = 'S' JOIN pg_attribute a ON a.attrelid = def.adrelid AND a.attnum = def.adnum
 WHERE def.adrelid = ANY ($1::oid[])
UNION
SELECT d.refobjid, a.attrelid, a.attname, t.typdefault
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid AND t.typtype = 'd' JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_class'::regclass
  JOIN pg_class c ON c.oid = d.refobjid AND c.relkind = 'S'
 WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.atthasdef`;

/** A number is rarely free by chance: a function of an extension that makes one counts as the user's own. Those that make texts and UUIDs (uuid-ossp, pgcrypto) do so by chance. */
const NUMBERS = "('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)";
/** Functions of PostgreSQL itself are in no dependency. @param {string} type @param {string} depends of pg_depend `d` */
const calls = (type, depends) => `EXISTS (SELECT FROM pg_depend d WHERE ${depends} AND d.refclassid = 'pg_proc'::regclass AND (${type} IN ${NUMBERS}
       OR NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = d.refobjid AND e.deptype = 'e')))`;

/** Defaults, of columns and of their domains, that name a sequence by a text, which leaves no trace in the catalog, or call a function of the user's own. */
const HIDDEN = `
SELECT def.adrelid, a.attname, pg_get_expr(def.adbin, def.adrelid), n.nspname FROM pg_attrdef def JOIN pg_attribute a ON a.attrelid = def.adrelid AND a.attnum = def.adnum
  JOIN pg_class c ON c.oid = def.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE def.adrelid = ANY ($1::oid[]) AND a.attgenerated = '' AND (pg_get_expr(def.adbin, def.adrelid) ~ 'nextval\\(.*::text'
    OR ${calls('a.atttypid', "d.classid = 'pg_attrdef'::regclass AND d.objid = def.oid")})
UNION ALL
SELECT a.attrelid, a.attname, t.typdefault, n.nspname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid AND t.typtype = 'd' AND t.typdefault IS NOT NULL
  JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.atthasdef AND (t.typdefault ~ 'nextval\\(.*::text'
    OR ${calls('t.typbasetype', "d.classid = 'pg_type'::regclass AND d.objid = t.oid")})`;

/** A partition may have defaults of its own, for rows that are written to it under its name. */
const TREE = 'SELECT p.relid::oid, root.oid FROM unnest($1::oid[]) AS root(oid) CROSS JOIN LATERAL pg_partition_tree(root.oid) AS p';

/**
 * @param {import('../pg/session.mjs').Session} session @param {number[]} tables whose columns matter
 * @returns {Promise<{sequences: Sequence[], unresolved: Feed[]}>} `unresolved`: defaults of which the sequence is not known
 */
export async function readSequences(session, tables) {
  const tree = await session.rows(TREE, [tables]);
  /** The mapped table of each partition, on any level. */
  const rootOf = new Map([...tree.map(([oid, root]) => /** @type {const} */ ([Number(oid), Number(root)])), ...tables.map((oid) => /** @type {const} */ ([oid, oid]))]);
  const placeOf = (/** @type {string | null | undefined} */ oid) => {
    const root = rootOf.get(Number(oid)) ?? 0;
    return root === Number(oid) ? { table: root } : { table: root, part: Number(oid) };
  };
  const all = [...rootOf.keys()];
  const [rows, feeds, hidden] = [await session.rows(SEQUENCES), await session.rows(FEEDS, [all]), await session.rows(HIDDEN, [all])];
  const positions = await readPositions(session, rows);
  /** @type {Map<string, Sequence>} */
  const sequences = new Map();
  for (const [oid, schema, relation, start, increment, min, max, cycles, , loose, cache] of /** @type {string[][]} */ (rows)) {
    const position = positions.get(oid ?? '');
    const last = position?.called === true ? position.last : null;
    const step = BigInt(increment ?? 1);
    sequences.set(oid ?? '', {
      name: dotted({ schema: schema ?? '', name: relation ?? '' }), schema: schema ?? '', relation: relation ?? '', increment: step, min: BigInt(min ?? 0), max: BigInt(max ?? 0),
      cycles: cycles === 't', cache: BigInt(cache ?? 1), readable: position !== undefined, last, next: last === null ? (position?.last ?? BigInt(start ?? 1)) : last + step, feeds: [], loose: loose === 't',
    });
  }
  /** @type {Feed[]} */
  const unresolved = [];
  for (const [oid, table, column, expression] of feeds) {
    const feed = { ...placeOf(table), column: column ?? '', plain: expression === null || PLAIN.test(expression ?? '') };
    const sequence = sequences.get(oid ?? '');
    if (sequence === undefined) unresolved.push(feed); // in a schema that the user may not use
    else add(sequence, feed);
  }
  for (const [table, column, expression, schema] of /** @type {string[][]} */ (hidden)) {
    const feed = { ...placeOf(table), column: column ?? '', plain: false };
    const name = /nextval\(\(?'((?:[^']|'')+)'::text\)?(?:::regclass)?\)/.exec(expression ?? '')?.[1]?.replaceAll('"', '');
    const found = [...sequences.values()].find((sequence) => name !== undefined && (sequence.name === name || sequence.name === `${schema}.${name}` || sequence.name === `public.${name}`));
    if (found === undefined) unresolved.push(feed);
    else {
      found.loose = false;
      add(found, { ...feed, plain: /^nextval\(/.test(expression ?? '') });
    }
  }
  return { sequences: [...sequences.values()], unresolved };
}

/** `nextval('public.shared'::regclass)`, perhaps cast to a narrower type. */
const PLAIN = /^\(*nextval\('(?:[^']|'')+'::regclass\)\)*(?:::[a-z]+)?$/;

/** Partitions mostly have the default of the whole table. @param {Sequence} sequence @param {Feed} feed */
function add(sequence, feed) {
  const alike = sequence.feeds.filter(({ table, column }) => table === feed.table && column === feed.column);
  const whole = alike.find(({ part }) => part === undefined);
  const known = whole ?? alike.find(({ part }) => part === feed.part);
  if (known !== undefined) known.plain &&= feed.plain;
  else {
    if (feed.part === undefined) sequence.feeds = sequence.feeds.filter((other) => !alike.includes(other));
    sequence.feeds.push(feed);
  }
}

/** @param {import('../pg/session.mjs').Session} session @param {import('../pg/session.mjs').Row[]} rows @returns {Promise<Map<string, {last: bigint, called: boolean}>>} of those that may be read */
async function readPositions(session, rows) {
  const readable = rows.filter((row) => row[8] === 't');
  if (readable.length === 0) return new Map();
  const parts = readable.map(([oid, schema, name]) => `SELECT ${oid}, last_value, is_called FROM ${ident(schema ?? '')}.${ident(name ?? '')}`);
  const positions = await session.rows(parts.join(' UNION ALL '));
  return new Map(positions.map(([oid, last, called]) => [oid ?? '', { last: BigInt(last ?? 0), called: called === 't' }]));
}
