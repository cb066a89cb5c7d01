/**
 * PostgreSQL's type names, as `format_type` prints them and as people write them.
 *
 * @typedef {object} PgType
 * @property {string} text as it was given
 * @property {Family} family
 * @property {string} name the short name: `varchar`, `int8`, `timestamptz`; for other types the given text
 * @property {number[]} args length; precision and scale
 * @property {readonly string[] | undefined} labels of an enum
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
      return (from.labels ?? []).every((label) => to.labels?.includes(label));
    default:
      return from.name === to.name && same(from.args, to.args);
  }
}

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
  return from.family === to.family && from.name === to.name && same(from.args, to.args);
}

/** @param {PgType} type */
export const scale = (type) => type.args[1] ?? 0;

/** @param {readonly unknown[]} a @param {readonly unknown[]} b */
const same = (a, b) => a.length === b.length && a.every((item, i) => item === b[i]);
