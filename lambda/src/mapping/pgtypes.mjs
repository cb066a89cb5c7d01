import { withoutDomains } from '../pg/types.mjs';

/**
 * PostgreSQL's types: their names, as `format_type` prints them and as people write them, and what stands behind a name.
 *
 * @typedef {import('../pg/types.mjs').TypeDefinition} TypeDefinition
 *
 * @typedef {object} PgType
 * @property {string} text as it was given; without the domain
 * @property {string} [domain] the name of the domain that it was given as
 * @property {'blue' | 'green'} [side] whose column has it
 * @property {TypeDefinition} [definition] where it was read from a catalog, of a type outside of the list below
 * @property {Family} family
 * @property {string} name the short name: `varchar`, `int8`, `timestamptz`; for other types the given text
 * @property {number[]} args length; precision and scale
 * @property {readonly string[] | undefined} labels of an enum
 * @property {boolean} [deterministic] false: of a column whose collation calls different texts equal
 *
 * @typedef {'text' | 'integer' | 'numeric' | 'float' | 'boolean' | 'date' | 'timestamp' | 'timestamptz' | 'uuid' | 'json' | 'jsonb'
 *   | 'bytea' | 'enum' | 'other'} Family
 */

/** @type {ReadonlyMap<string, [string, Family]>} */
const KNOWN = new Map(
  Object.entries({
    text: ['text', 'text'],
    'character varying': ['varchar', 'text'],
    varchar: ['varchar', 'text'],
    character: ['bpchar', 'text'],
    char: ['bpchar', 'text'],
    bpchar: ['bpchar', 'text'],
    smallint: ['int2', 'integer'],
    int2: ['int2', 'integer'],
    integer: ['int4', 'integer'],
    int: ['int4', 'integer'],
    int4: ['int4', 'integer'],
    bigint: ['int8', 'integer'],
    int8: ['int8', 'integer'],
    numeric: ['numeric', 'numeric'],
    decimal: ['numeric', 'numeric'],
    real: ['float4', 'float'],
    float4: ['float4', 'float'],
    'double precision': ['float8', 'float'],
    float8: ['float8', 'float'],
    boolean: ['bool', 'boolean'],
    bool: ['bool', 'boolean'],
    date: ['date', 'date'],
    'timestamp without time zone': ['timestamp', 'timestamp'],
    timestamp: ['timestamp', 'timestamp'],
    'timestamp with time zone': ['timestamptz', 'timestamptz'],
    timestamptz: ['timestamptz', 'timestamptz'],
    uuid: ['uuid', 'uuid'],
    json: ['json', 'json'],
    jsonb: ['jsonb', 'jsonb'],
    bytea: ['bytea', 'bytea'],
  }),
);

/** What a `cast` may name, besides enums of the target. */
export const CASTABLE = [
  'text', 'varchar(n)', 'char(n)', 'smallint', 'integer', 'bigint', 'numeric', 'numeric(p,s)', 'boolean', 'date', 'timestamp',
  'timestamptz', 'uuid', 'json', 'jsonb', 'bytea',
];

/**
 * @param {string} text
 * @param {Record<string, readonly string[]>} [enums]
 * @returns {PgType}
 */
export function parseType(text, enums = {}) {
  const labels = Object.hasOwn(enums, text) ? enums[text] : undefined;
  if (labels !== undefined) return { text, family: 'enum', name: text, args: [], labels };
  const parts = /^([a-z0-9 ]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\))?( with(?:out)? time zone)?$/i.exec(text.trim());
  const known = parts && KNOWN.get(`${parts[1]}${parts[4] ?? ''}`.toLowerCase());
  if (!parts || !known) return { text, family: 'other', name: text, args: [], labels: undefined };
  const args = [parts[2], parts[3]].filter((arg) => arg !== undefined).map(Number);
  if (known[0] === 'bpchar' && args.length === 0) args.push(1);
  return { text, family: known[1], name: known[0], args, labels: undefined };
}

/**
 * The type of a column. A domain is what it is made from: its name says nothing of what it rounds or cuts; its checks refuse rows, which is seen.
 * @param {{type: string, definition?: TypeDefinition, deterministic?: boolean}} column
 * @param {Record<string, readonly string[]>} [enums]
 * @param {'blue' | 'green'} [side]
 * @returns {PgType}
 */
export function typeOf({ type, definition, deterministic }, enums = {}, side = undefined) {
  if (definition === undefined) return { ...parseType(type, enums), side, deterministic };
  const { text, definition: plain } = withoutDomains({ text: type, definition });
  const known = parseType(text, enums);
  const labelled = plain.labels === undefined ? known : { ...known, family: /** @type {const} */ ('enum'), labels: plain.labels };
  return { ...labelled, side, deterministic, ...(labelled.family === 'other' ? { definition: plain } : {}), ...(definition.kind === 'domain' ? { domain: definition.name } : {}) };
}

/** A type as messages name it. @param {PgType} type */
export const shown = ({ text, domain }) => (domain === undefined ? text : `${domain} (a domain over ${text})`);

export const TEXT = parseType('text');
export const NUMERIC = parseType('numeric');
export const BYTEA = parseType('bytea');

const INTEGER_ORDER = ['int2', 'int4', 'int8'];

/**
 * Does every value of `from` fit into `to` with its text unchanged?
 * @param {PgType} from @param {PgType} to
 */
export function sameText(from, to) {
  if (from.family !== to.family) return from.family === 'integer' && to.family === 'numeric' && to.args.length === 0;
  switch (from.family) {
    case 'integer':
      return INTEGER_ORDER.indexOf(from.name) <= INTEGER_ORDER.indexOf(to.name);
    case 'text':
      if (from.name === 'bpchar' || to.name === 'bpchar') return from.name === to.name && from.args[0] === to.args[0];
      return to.args.length === 0 || (from.args.length > 0 && Number(from.args[0]) <= Number(to.args[0]));
    case 'numeric':
      return to.args.length === 0 || (from.args.length > 0 && same(from.args, to.args) && scale(from) === scale(to));
    case 'timestamp':
    case 'timestamptz':
      return (from.args[0] ?? 6) <= (to.args[0] ?? 6);
    case 'enum':
      return sameOrder(from.labels ?? [], to.labels ?? []);
    case 'other':
      return from.definition === undefined || to.definition === undefined ? from.name === to.name : sameDefinition(from, to);
    default:
      return from.name === to.name && same(from.args, to.args);
  }
}

/** Are all labels of the one in the other, in the same order? Their order is what `<` and ORDER BY go by. @param {readonly string[]} labels @param {readonly string[]} wider */
function sameOrder(labels, wider) {
  const places = labels.map((label) => wider.indexOf(label));
  return places.every((place, i) => place >= 0 && (i === 0 || place > /** @type {number} */ (places[i - 1])));
}

/** Arrays, composite types, ranges, types of extensions: does a value's text mean the same? @param {PgType} from @param {PgType} to @returns {boolean} */
function sameDefinition(from, to) {
  const one = /** @type {TypeDefinition} */ (from.definition);
  const other = /** @type {TypeDefinition} */ (to.definition);
  if (one.kind !== other.kind) return false;
  switch (one.kind) {
    case 'array':
      return sameText(elementOf(from), elementOf(to));
    case 'composite':
      return (
        one.attributes?.length === other.attributes?.length &&
        (one.attributes ?? []).every((attribute, i) => {
          const namesake = other.attributes?.[i];
          return namesake !== undefined && attribute.name === namesake.name && (namesake.loose === null || namesake.loose === attribute.loose) && sameText(attributeOf(attribute), attributeOf(namesake));
        })
      );
    case 'range':
    case 'multirange':
      return one.detail === other.detail && one.base !== undefined && other.base !== undefined && exactly(attributeOf(one.base), attributeOf(other.base));
    case 'extension':
      return one.extension === other.extension && one.detail === other.detail && one.version === other.version && modifiers(from) === modifiers(to);
    case 'custom':
      return one.name === other.name && one.detail === other.detail && modifiers(from) === modifiers(to);
    default:
      return from.name === to.name;
  }
}

/** @param {import('../pg/types.mjs').Typed} typed */
const attributeOf = ({ text, definition }) => typeOf({ type: text, definition });

/** `numeric(12,4)[]` is an array of `numeric(12,4)`. @param {PgType} array */
function elementOf({ text, definition }) {
  const element = /** @type {import('../pg/types.mjs').Typed} */ (definition?.base);
  return typeOf({ type: element.definition.kind === 'builtin' ? text.replace(/\[\]$/, '') : element.text, definition: element.definition });
}

/** @param {PgType} from @param {PgType} to */
const exactly = (from, to) => sameText(from, to) && sameText(to, from);

/** `(Point,4326)` @param {PgType} type */
const modifiers = ({ text }) => /\(.*\)/.exec(text)?.[0] ?? '';

/** What differs between two types that sameText tells apart, where their names do not say it. @param {PgType} from @param {PgType} to @returns {string | undefined} */
export function difference(from, to) {
  const [one, other] = [from.definition, to.definition];
  if (from.family === 'enum' && to.family === 'enum') {
    const missing = (from.labels ?? []).filter((label) => !to.labels?.includes(label));
    return missing.length > 0 ? `its labels ${missing.map((label) => JSON.stringify(label)).join(', ')} are not there; use "map"` : 'its labels stand in another order there; use "map" when that is meant';
  }
  if (one === undefined || other === undefined) return undefined;
  if (one.kind !== other.kind) return `one is ${article(one.kind)} type, the other ${article(other.kind)} type`;
  if (one.kind === 'extension' && one.extension === other.extension && one.version !== other.version)
    return `the extension ${one.extension} has version ${one.version} on blue and ${other.version} on green: update it, or name it in "extensions" where both versions are known to write values alike`;
  if (one.kind === 'composite') return `their attributes differ: ${list(one)} on blue, ${list(other)} on green`;
  if (one.kind === 'array') return difference(elementOf(from), elementOf(to)) ?? undefined;
  return `the definitions of ${one.name} differ`;
}

/** @param {TypeDefinition} definition */
const list = ({ attributes }) => `(${(attributes ?? []).map(({ name, text, loose }) => `${name} ${text}${loose === null ? '' : ` COLLATE ${loose}`}`).join(', ')})`;

/** @param {string} word */
const article = (word) => `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
/**
 * Does every value of `from` fit into `to`? Its text may change: numeric(8,5) shows more zeros than numeric(6,3).
 * @param {PgType} from @param {PgType} to
 */
export function widens(from, to) {
  if (sameText(from, to)) return true;
  if (from.family !== 'numeric' || to.family !== 'numeric' || from.args.length === 0) return false;
  return scale(to) >= scale(from) && Number(to.args[0]) - scale(to) >= Number(from.args[0]) - scale(from);
}

/** Are two columns of these types sorted alike and written alike? @param {PgType} from @param {PgType} to */
export function carriesOrder(from, to) {
  if (from.family === 'integer') return sameText(from, to) && to.family === 'integer';
  if (from.family === 'enum') return to.family === 'enum' && same(from.labels ?? [], to.labels ?? []);
  if (from.family === 'other') return to.family === 'other' && exactly(from, to);
  return from.family === to.family && from.name === to.name && same(from.args, to.args);
}

/** @param {PgType} type */
export const scale = (type) => type.args[1] ?? 0;

/** @param {readonly unknown[]} a @param {readonly unknown[]} b */
const same = (a, b) => a.length === b.length && a.every((item, i) => item === b[i]);
