import { checkShape } from './schema.mjs';
import { converter, goesInto } from './convert.mjs';
import { scale, typeOf } from './pgtypes.mjs';
import { columnsUsed } from './uses.mjs';

/**
 * The way back: from a mapping of blue to green the one of green to blue, in the same language. What the mapping makes of a column is inverted where that is
 * possible; where it is not, the mapping says how (`reverse.columns`), or the column of blue is left as it is there.
 *
 * @typedef {import('./types.mjs').Catalog} Catalog
 * @typedef {import('./types.mjs').CatalogTable} CatalogTable
 * @typedef {import('./types.mjs').Column} Column
 * @typedef {import('./schema.mjs').TableSpec} TableSpec
 * @typedef {'exact' | 'guarded' | 'kept' | 'irreversible'} Kind
 *   `exact`: whatever blue can hold comes back as it was; `guarded`: the row is compared after it was written, and held where it does not lead to what green has;
 *   `kept`: blue's own column, which green has nothing of; `irreversible`: green has something of it, from which it can't be made
 * @typedef {object} Line one column of blue
 * @property {string} table
 * @property {string} column
 * @property {Kind} kind
 * @property {string[]} from columns of green
 * @property {boolean} required it takes no NULL and has no default: where it is not written, rows that blue has not can't come there
 */

/** No currency has more. */
const MOST_DECIMALS = 4;

/**
 * @param {unknown} mappingJson @param {Catalog} blue @param {Catalog} green that the mapping was checked against
 * @returns {{json: Record<string, unknown>, lines: Line[]}}
 */
export function deriveReverse(mappingJson, blue, green) {
  const spec = checkShape(mappingJson);
  /** @type {Line[]} */
  const lines = [];
  const tables = spec.tables.map((table) => {
    const columns = reverseTable(table, blue, green, lines);
    return { source: table.target ?? table.source, target: table.source, others: 'drop', columns };
  });
  return { json: { version: 1, ...pick(spec, ['limits', 'currencies', 'extensions']), tables }, lines };
}

/** @param {object} from @param {string[]} names */
const pick = (from, names) => Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));

/** @param {TableSpec} spec @param {Catalog} blue @param {Catalog} green @param {Line[]} lines @returns {Record<string, unknown>} expressions by column of blue */
function reverseTable(spec, blue, green, lines) {
  const source = /** @type {CatalogTable} */ (blue.tables[spec.source]);
  const target = /** @type {CatalogTable} */ (green.tables[spec.target ?? spec.source]);
  const forward = assigned(spec, source, target);
  const used = columnsUsed([...forward.values()]);
  const kept = new Set(spec.reverse?.keep ?? []);
  const declared = spec.reverse?.columns ?? {};
  const cx = { forward, target, typeOnGreen: types(target, green), typeOnBlue: types(source, blue) };
  /** @type {Record<string, unknown>} */
  const columns = {};
  for (const column of source.columns) {
    const { name } = column;
    if (column.generated) continue;
    const found = kept.has(name) ? undefined : Object.hasOwn(declared, name) ? { expression: declared[name], kind: /** @type {const} */ ('guarded') } : inverse(cx, column);
    if (found !== undefined) columns[name] = found.expression;
    lines.push({
      table: spec.source, column: name, kind: found?.kind ?? (used.has(name) ? 'irreversible' : 'kept'), from: found === undefined ? [] : [...columnsUsed(found.expression)],
      required: (column.notNull || column.domainNotNull === true) && column.hasDefault !== true,
    });
  }
  for (const [name, expression] of Object.entries(declared)) columns[name] ??= expression; // what is unknown is for the compiler to say
  return columns;
}

/** What each column of green is made from. @param {TableSpec} spec @param {CatalogTable} source @param {CatalogTable} target @returns {Map<string, unknown>} */
function assigned(spec, source, target) {
  const written = spec.columns ?? {};
  const used = columnsUsed(Object.values(written));
  /** @type {Map<string, unknown>} */
  const found = new Map();
  for (const { name, generated } of target.columns) {
    if (generated) continue;
    if (Object.hasOwn(written, name)) found.set(name, written[name]);
    else if (spec.others !== 'drop' && !used.has(name) && !spec.drop?.includes(name) && source.columns.some((column) => column.name === name && !column.generated)) found.set(name, name);
  }
  return found;
}

/** @param {CatalogTable} table @param {Catalog} catalog */
const types = (table, catalog) => new Map(table.columns.map((column) => [column.name, typeOf(column, catalog.enums)]));

/**
 * @typedef {{forward: Map<string, unknown>, target: CatalogTable, typeOnGreen: Map<string, import('./pgtypes.mjs').PgType>, typeOnBlue: Map<string, import('./pgtypes.mjs').PgType>}} Known
 * @typedef {{expression: unknown, kind: 'exact' | 'guarded'}} Found
 */

/** @param {Known} cx @param {Column} column of blue @returns {Found | undefined} */
function inverse(cx, { name }) {
  const candidates = [...cx.forward].flatMap(([green, spec]) => {
    const found = inverseOf(cx, name, green, spec);
    return found === undefined ? [] : [found];
  });
  return candidates.find(({ kind }) => kind === 'exact') ?? candidates[0] ?? joined(cx, name);
}

/** From one column of green. @param {Known} cx @param {string} name of blue's column @param {string} green @param {unknown} spec what the mapping makes of it @returns {Found | undefined} */
function inverseOf(cx, name, green, spec) {
  if (spec === name) return carried(cx, name, green);
  if (typeof spec !== 'object' || spec === null) return undefined;
  const { from, minorUnits, currency, map, otherwise, ifNull } = /** @type {Record<string, unknown>} */ (spec);
  if (from === name && map === undefined) {
    const plain = carried(cx, name, green);
    return plain && ifNull !== undefined ? { ...plain, kind: 'guarded' } : plain;
  }
  if (from === name && (otherwise === undefined || otherwise === 'quarantine') && ifNull === undefined) return unmapped(cx, green, /** @type {Record<string, unknown>} */ (map));
  if (minorUnits === name && ifNull === undefined) {
    const code = [...cx.forward].find(([, other]) => other === currency || (typeof other === 'object' && other !== null && Object.keys(other).length === 1 && /** @type {{from?: unknown}} */ (other).from === currency))?.[0];
    const to = /** @type {import('./pgtypes.mjs').PgType} */ (cx.typeOnBlue.get(name));
    if (code === undefined) return undefined;
    const roomy = to.family === 'numeric' && (to.args.length === 0 || scale(to) >= MOST_DECIMALS);
    return { expression: { majorUnits: green, currency: code }, kind: roomy ? 'exact' : 'guarded' };
  }
  return undefined;
}

/** @param {Known} cx @param {string} name @param {string} green @returns {Found | undefined} */
function carried(cx, name, green) {
  const [from, to] = [cx.typeOnGreen.get(green), cx.typeOnBlue.get(name)];
  if (from === undefined || to === undefined) return undefined;
  if (goesInto(from, to)) return { expression: green, kind: 'exact' };
  if (to.family === 'other' || to.family === 'float' || converter(from, to) === undefined) return undefined;
  // What a wider type of green holds of blue's values, or its text, is blue's value again: the other values of green are why it is guarded.
  return { expression: { from: green, cast: to.text }, kind: 'guarded' };
}

/** @param {Known} cx @param {string} green @param {Record<string, unknown>} map @returns {Found | undefined} */
function unmapped(cx, green, map) {
  const pairs = Object.entries(map);
  const values = pairs.map(([, value]) => (value === null ? null : String(value)));
  if (values.includes(null) || new Set(values).size !== values.length) return undefined;
  const labels = cx.typeOnGreen.get(green)?.labels;
  const back = Object.fromEntries(pairs.map(([key], i) => [/** @type {string} */ (values[i]), key]));
  const all = labels !== undefined && labels.every((label) => Object.hasOwn(back, label));
  return { expression: { from: green, map: back, ...(all ? {} : { otherwise: 'quarantine' }) }, kind: all ? 'exact' : 'guarded' };
}

/** A text that was split in two, the second part with all that follows. @param {Known} cx @param {string} name @returns {Found | undefined} */
function joined(cx, name) {
  const parts = [...cx.forward].flatMap(([green, spec]) => {
    const { split, separator, part, rest } = /** @type {Record<string, unknown>} */ (typeof spec === 'object' && spec !== null ? spec : {});
    return split === name ? [{ green, separator, part, rest: rest === true }] : [];
  });
  const first = parts.find(({ part, rest }) => part === 1 && !rest);
  const others = parts.find(({ part, rest, separator }) => part === 2 && rest && separator === first?.separator);
  if (first === undefined || others === undefined) return undefined;
  return { expression: { merge: [first.green, others.green], separator: first.separator }, kind: 'guarded' };
}
