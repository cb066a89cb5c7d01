import { compileColumn, compileExpression } from './expression.mjs';
import { compileFilter } from './filter.mjs';
import { sameText, typeOf } from './pgtypes.mjs';
import { buildTransform, buildTransformKey } from './transform.mjs';
import { columnsUsed } from './uses.mjs';

/**
 * @typedef {import('./types.mjs').Catalog} Catalog
 * @typedef {import('./types.mjs').CatalogTable} CatalogTable
 * @typedef {import('./types.mjs').Column} Column
 * @typedef {import('./types.mjs').TablePlan} TablePlan
 * @typedef {import('./schema.mjs').TableSpec} TableSpec
 * @typedef {import('./operand.mjs').Context} Context
 * @typedef {import('./problems.mjs').Problems} Problems
 *
 * @typedef {object} Delivered a column of the target and how it comes about
 * @property {Column} column
 * @property {NonNullable<ReturnType<typeof compileColumn>>} expression
 *
 * @typedef {object} Settings what holds for all tables
 * @property {Catalog} source
 * @property {Catalog} target
 * @property {ReadonlyMap<string, number>} exponents
 * @property {Buffer | null} hashKey
 * @property {import('./literals.mjs').Literals} literals
 * @property {Problems} problems
 * @property {ReadonlyMap<string, string[]>} [back] see `compileMapping`
 */

/**
 * One table of the mapping, checked against both databases.
 * @param {TableSpec} spec
 * @param {string} path
 * @param {Settings} settings
 * @returns {TablePlan | undefined} `undefined`: what is wrong has been noted
 */
export function compileTable(spec, path, settings) {
  const { problems } = settings;
  const source = find(settings.source, spec.source, `${path}.source`, 'blue', problems);
  const targetName = spec.target ?? spec.source;
  const target = find(settings.target, targetName, `${path}.${spec.target === undefined ? 'source' : 'target'}`, 'green', problems);
  if (source === undefined || target === undefined) return undefined;

  const before = problems.found.length;
  const { cx, sourceColumns } = context(source, settings);
  checkNames(spec, path, source, target, problems);
  const back = settings.back?.get(spec.source);
  const assigned = assign(spec, path, source, target, problems, back !== undefined);
  const delivered = target.columns.flatMap((column) => {
    const at = assigned.get(column.name);
    const expression = at && compileColumn(cx, at.spec, at.path, column);
    return expression === undefined ? [] : [{ column, expression }];
  });
  const filter = spec.where === undefined ? undefined : compileFilter(cx, spec.where, `${path}.where`);
  if (problems.found.length === before) checkKey(spec.source, targetName, path, source, target, delivered, problems);
  if (problems.found.length > before) return undefined;

  for (const name of back ?? []) cx.slot(name);
  const raw = delivered.map(({ expression }) => (expression.raw ? /** @type {string} */ (expression.column) : null));
  return {
    source: split(spec.source),
    target: split(targetName),
    key: source.primaryKey,
    sourceColumns,
    targetColumns: delivered.map(({ column }) => column.name),
    targetKey: target.primaryKey,
    identity: filter === undefined && raw.length === sourceColumns.length && raw.every((name, i) => name === sourceColumns[i]),
    carriedFrom: delivered.map(({ expression }) => expression.carried),
    computed: back === undefined ? computedAlike(spec, source, target, delivered) : [],
    transform: buildTransform(delivered, raw.map((name) => (name === null ? -1 : sourceColumns.indexOf(name))), filter),
    transformKey: buildTransformKey(delivered, source.primaryKey, target.primaryKey, sourceColumns),
  };
}

/** @param {CatalogTable} source @param {Settings} settings */
function context(source, settings) {
  /** @type {string[]} */
  const sourceColumns = [];
  /** @type {Context} */
  const cx = {
    columns: new Map(source.columns.filter((column) => !column.generated).map((column) => [column.name, column])),
    slot: (name) => {
      const known = sourceColumns.indexOf(name);
      return known >= 0 ? known : sourceColumns.push(name) - 1;
    },
    compile: (spec, path, expected) => compileExpression(cx, spec, path, expected),
    sourceEnums: settings.source.enums,
    targetEnums: settings.target.enums,
    exponents: settings.exponents,
    hashKey: settings.hashKey,
    literals: settings.literals,
    problems: settings.problems,
  };
  return { cx, sourceColumns };
}

/** @param {Catalog} catalog @param {string} name @param {string} path @param {string} side @param {Problems} problems */
function find(catalog, name, path, side, problems) {
  const table = Object.hasOwn(catalog.tables, name) ? catalog.tables[name] : undefined;
  if (table === undefined) problems.unknown(path, name, `a table of ${side}`, catalog.known ?? Object.keys(catalog.tables));
  else if (table.primaryKey.length === 0)
    problems.add(path, name, `a table of ${side} needs a primary key: without one a change can't be told to its row`);
  return table !== undefined && table.primaryKey.length > 0 ? table : undefined;
}

/** @param {TableSpec} spec @param {string} path @param {CatalogTable} source @param {CatalogTable} target @param {Problems} problems */
function checkNames(spec, path, source, target, problems) {
  const known = source.columns.map(({ name }) => name);
  for (const [i, name] of (spec.drop ?? []).entries())
    if (!known.includes(name)) problems.unknown(`${path}.drop[${i}]`, name, `a column of ${spec.source}`, known);
  const writable = target.columns.filter(({ generated }) => !generated).map(({ name }) => name);
  for (const name of Object.keys(spec.columns ?? {}))
    if (!writable.includes(name)) problems.unknown(`${path}.columns.${name}`, name, `a column of the target that can be written`, writable);
}

/**
 * Which expression each column of the target gets: the one that is written down, or the column of the same name. A column of
 * blue that is used in an expression is not carried as well unless that is written down: it may be a card number.
 * @param {TableSpec} spec @param {string} path @param {CatalogTable} source @param {CatalogTable} target @param {Problems} problems
 * @param {boolean} back columns may be left as they are
 */
function assign(spec, path, source, target, problems, back) {
  const written = spec.columns ?? {};
  const used = columnsUsed(Object.values(written));
  const dropped = new Set(spec.drop ?? []);
  const targets = new Map(target.columns.map((column) => [column.name, column]));
  /** @type {Map<string, {spec: unknown, path: string}>} */
  const assigned = new Map();
  for (const [name, expression] of Object.entries(written))
    if (targets.get(name)?.generated === false) assigned.set(name, { spec: expression, path: `${path}.columns.${name}` });
  for (const column of source.columns) {
    const { name, generated } = column;
    if (dropped.has(name) || Object.hasOwn(written, name)) continue;
    const namesake = targets.get(name);
    const here = `${path} (${spec.source}): column ${name}`;
    if (generated) {
      if (namesake !== undefined && spec.others !== 'drop' && !back) checkComputed(column, namesake, here, problems);
    } else if (used.has(name)) {
      if (namesake?.generated === false) problems.add(here, name, 'it is used in an expression, and green has such a column too: name it in "columns" or in "drop"');
    } else if (spec.others === 'drop') continue;
    else if (namesake === undefined) problems.add(here, name, 'green has no such column: name it in "columns" (to rename it) or in "drop"');
    else if (namesake.generated) problems.add(here, name, 'green computes this column by itself: name it in "drop"');
    else assigned.set(name, { spec: name, path: here });
  }
  if (back) return assigned;
  for (const { name, generated, notNull, domainNotNull, hasDefault } of target.columns)
    if (!assigned.has(name) && !generated && (notNull || domainNotNull) && hasDefault === false)
      problems.add(`${path}.columns.${name}`, undefined, 'the column of green takes no NULL and has no default, so it needs a value');
  return assigned;
}

/**
 * What blue computes is not in its log. Green has to compute it too, and in the same way; otherwise a column of the same name would be empty, or mean something else.
 * @param {Column} column of blue @param {Column} namesake of green @param {string} here @param {Problems} problems
 */
function checkComputed(column, namesake, here, problems) {
  if (!namesake.generated)
    problems.add(here, column.name, 'blue computes this column, so its log does not have it: let green compute it too (GENERATED ALWAYS AS), say in "columns" how it comes about, or name it in "drop"');
  else if (column.computed !== namesake.computed || !sameText(typeOf(column), typeOf(namesake)))
    problems.add(here, column.name, 'green computes this column in another way than blue, or as another type: name it in "drop" when that is meant');
}

/** @param {TableSpec} spec @param {CatalogTable} source @param {CatalogTable} target @param {Delivered[]} delivered */
function computedAlike(spec, source, target, delivered) {
  if (spec.others === 'drop') return [];
  const carried = new Set(delivered.flatMap(({ column, expression }) => (expression.carried === column.name ? [column.name] : [])));
  const named = new Set([...(spec.drop ?? []), ...Object.keys(spec.columns ?? {})]);
  return source.columns.flatMap(({ name, generated, computedFrom = [] }) =>
    generated && !named.has(name) && target.columns.some((column) => column.name === name && column.generated) && computedFrom.every((from) => carried.has(from)) ? [name] : []);
}

/**
 * A delete brings nothing but blue's key, so green's key has to follow from it, all of it, and different keys must stay different.
 * @param {string} sourceName @param {string} targetName @param {string} path @param {CatalogTable} source @param {CatalogTable} target
 * @param {Delivered[]} delivered @param {Problems} problems
 */
function checkKey(sourceName, targetName, path, source, target, delivered, problems) {
  const used = new Set();
  for (const name of target.primaryKey) {
    const expression = delivered.find(({ column }) => column.name === name)?.expression;
    const at = `${path}.columns.${name}`;
    if (expression === undefined) {
      problems.add(at, undefined, `it is part of the primary key of ${targetName} and needs a value`);
      continue;
    }
    const strange = expression.uses.filter((column) => !source.primaryKey.includes(column));
    if (strange.length > 0)
      problems.add(at, strange.join(', '), `a part of the primary key of ${targetName} can only come from the primary key of ${sourceName} (${source.primaryKey.join(', ')})`);
    if (!expression.distinct) problems.add(at, name, `a part of the primary key of ${targetName} takes only what keeps different keys different (carry, cast, hash)`);
    const column = target.columns.find((candidate) => candidate.name === name);
    const carried = source.columns.find((candidate) => candidate.name === expression.carried);
    if (column?.deterministic === false && (carried?.deterministic !== false || carried.collation !== column.collation))
      problems.add(at, name, `the collation ${column.collation} of green's key calls texts equal that are different to blue's key; use the same collation on both sides`);
    for (const column of expression.uses) used.add(column);
  }
  const missing = source.primaryKey.filter((column) => !used.has(column));
  if (missing.length > 0)
    problems.add(`${path} (${sourceName})`, missing.join(', '), `every column of the primary key has to go into the primary key of ${targetName}`);
}

/** @param {string} qualified */
function split(qualified) {
  const [schema = '', name = ''] = qualified.split('.');
  return { schema, name };
}
