/**
 * What the types of columns are, read from the catalog of one side, so that the two sides are compared by definition: a domain of the
 * same name may round, a composite type may have its attributes in another order, an extension may be of another version.
 *
 * @typedef {object} TypeDefinition
 * @property {'builtin' | 'domain' | 'enum' | 'composite' | 'range' | 'multirange' | 'array' | 'extension' | 'custom'} kind
 *   `custom`: a base type with functions of its own, outside of any extension
 * @property {string} name as `format_type` prints it, without modifiers
 * @property {string} ident its quoted name, for casts that check no modifiers
 * @property {Typed} [base] of a domain, an array (its elements), a range (its bounds) or a multirange (its ranges)
 * @property {string} [equal] the operator by which an index on it compares, where that is its own, as SQL; '=' under a search path may be that of another type
 * @property {boolean} [notNull] the domain, or one that it is made from, takes no NULL
 * @property {boolean} [hasDefault] of a domain
 * @property {string[]} [labels] of an enum, in its order
 * @property {number[]} [labelIds] OIDs of the labels: a renamed label keeps its own
 * @property {(Typed & {name: string, loose: string | null})[]} [attributes] of a composite type; `loose`: a collation that calls different texts equal
 * @property {string} [extension]
 * @property {string} [version] of the extension
 * @property {string} [detail] what else two definitions must have in common: operator class and functions of a range, functions of a custom type
 *
 * @typedef {{text: string, definition: TypeDefinition}} Typed `text` has the modifiers: `numeric(12,4)`
 */

const REACHED = `
WITH RECURSIVE reached(oid) AS (
  SELECT atttypid FROM pg_attribute WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped
  UNION
  SELECT next.oid FROM reached JOIN pg_type t ON t.oid = reached.oid CROSS JOIN LATERAL (
    SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
    UNION ALL SELECT e.oid FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid
    UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid
    UNION ALL SELECT r.rngtypid FROM pg_range r WHERE r.rngmultitypid = t.oid
  ) AS next
)
SELECT t.oid, format_type(t.oid, NULL), quote_ident(n.nspname) || '.' || quote_ident(t.typname), t.typname, n.nspname = 'pg_catalog', t.typtype, x.extname, x.extversion,
       coalesce(element.oid, nullif(t.typbasetype, 0), r.rngsubtype, m.rngtypid), format_type(nullif(t.typbasetype, 0), t.typtypmod), element.oid IS NOT NULL,
       t.typnotnull, t.typdefault IS NOT NULL,
       (SELECT json_agg(json_build_array(e.oid::int8, e.enumlabel) ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
       (SELECT json_agg(json_build_array(a.attname, a.atttypid::int8, format_type(a.atttypid, a.atttypmod), (SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname) FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation AND NOT co.collisdeterministic)) ORDER BY a.attnum)
          FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
       CASE WHEN t.typtype = 'r' THEN (SELECT concat_ws(' ', opcname, r.rngcanonical, r.rngsubdiff, (SELECT collname FROM pg_collation c WHERE c.oid = r.rngcollation)) FROM pg_opclass WHERE oid = r.rngsubopc)
            ELSE (SELECT concat_ws(' ', i.prosrc, i.probin, o.prosrc, o.probin) FROM pg_proc i, pg_proc o WHERE i.oid = t.typinput AND o.oid = t.typoutput) END,
       (SELECT 'OPERATOR(' || quote_ident(opn.nspname) || '.' || op.oprname || ')'
          FROM pg_opclass oc JOIN pg_am am ON am.oid = oc.opcmethod AND am.amname = 'btree' JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amoplefttype = t.oid AND ao.amoprighttype = t.oid AND ao.amopstrategy = 3
          JOIN pg_operator op ON op.oid = ao.amopopr JOIN pg_namespace opn ON opn.oid = op.oprnamespace
         WHERE oc.opcintype = t.oid AND oc.opcdefault)
  FROM reached JOIN pg_type t ON t.oid = reached.oid JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_type element ON element.oid = t.typelem AND element.typarray = t.oid
  LEFT JOIN pg_range r ON r.rngtypid = t.oid LEFT JOIN pg_range m ON m.rngmultitypid = t.oid
  LEFT JOIN LATERAL (SELECT e.extname, e.extversion FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
     WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' LIMIT 1) AS x ON true`;

/**
 * The types of these tables' columns, and all that they are made from, by OID.
 * @param {import('./session.mjs').Session} session @param {string[]} oids of tables
 * @returns {Promise<Map<number, TypeDefinition>>}
 */
export async function readTypes(session, oids) {
  /** @type {Map<number, TypeDefinition>} */
  const types = new Map();
  const rows = await session.rows(REACHED, [oids]);
  for (const [oid, name, ident, , builtin, kind, extension] of rows)
    types.set(Number(oid), { kind: kindOf(kind ?? '', builtin === 't', extension !== null), name: name ?? '', ident: ident ?? '' });
  for (const [oid, , , typname, , , extension, version, base, baseText, isArray, notNull, hasDefault, labels, attributes, detail, equal] of rows) {
    const type = /** @type {TypeDefinition} */ (types.get(Number(oid)));
    const inner = base === null ? undefined : types.get(Number(base));
    if (isArray === 't') type.kind = 'array';
    if (equal != null) type.equal = equal;
    if (inner !== undefined) type.base = { text: baseText ?? inner.name, definition: inner };
    if (type.kind === 'domain') Object.assign(type, { notNull: notNull === 't', hasDefault: hasDefault === 't' });
    if (type.kind === 'enum') {
      const found = /** @type {[number, string][]} */ (JSON.parse(labels ?? '[]'));
      Object.assign(type, { labels: found.map(([, label]) => label), labelIds: found.map(([id]) => id) });
    }
    if (type.kind === 'extension') Object.assign(type, { extension, version, detail: typname });
    if (type.kind === 'range' || type.kind === 'custom') type.detail = detail ?? '';
    if (type.kind === 'composite')
      type.attributes = JSON.parse(attributes ?? '[]').map((/** @type {[string, number, string, string | null]} */ [attribute, of, text, loose]) => ({ name: attribute, text, loose, definition: types.get(of) }));
  }
  return types;
}

/** @param {string} typtype @param {boolean} builtin @param {boolean} extension @returns {TypeDefinition['kind']} */
function kindOf(typtype, builtin, extension) {
  const kind = /** @type {Record<string, TypeDefinition['kind']>} */ ({ d: 'domain', e: 'enum', c: 'composite' })[typtype];
  if (kind !== undefined) return kind;
  if (extension) return 'extension';
  if (builtin) return 'builtin';
  return typtype === 'r' ? 'range' : typtype === 'm' ? 'multirange' : 'custom';
}

/** A type without the domains around it, and whether one of them refuses NULL. @param {Typed} typed @returns {Typed & {notNull: boolean}} */
export function withoutDomains(typed) {
  let { text, definition } = typed;
  let notNull = false;
  while (definition.kind === 'domain' && definition.base !== undefined) {
    notNull ||= definition.notNull === true;
    ({ text, definition } = definition.base);
  }
  return { text, definition, notNull };
}

/** Is this type in the other, at any depth? @param {TypeDefinition} definition @param {(part: TypeDefinition) => boolean} wanted @returns {boolean} */
export const contains = (definition, wanted) =>
  wanted(definition) || (definition.base !== undefined && contains(definition.base.definition, wanted)) ||
  (definition.attributes ?? []).some((attribute) => contains(attribute.definition, wanted));
