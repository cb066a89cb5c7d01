import { PermanentError } from '../lib/errors.mjs';

/**
 * The rule for schema changes on blue during a migration: a new column is not copied and reported; a column whose type changed or that was
 * made anew, a table that was rewritten under an altered column, a renamed label of an enum (these change rows without a trace in the
 * stream), another primary key, and a column or table that is gone, end the run with nothing half-applied.
 *
 * @typedef {import('../pg/catalog.mjs').Catalog} Catalog
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {Record<string, Record<string, string>>} Labels of enums, by type and the label's OID
 * @typedef {{columns: [name: string, type: string, number: number][], key: string[], unique: number[], versions: Record<string, string>, types: Record<string, string>, labels: Labels, targetLabels: Labels}} TableRecord
 *   a table of blue when the copy began. `unique`: OIDs of its unique indexes; `versions`: of its columns; `types`: what composite types consist of;
 *   `targetLabels`: of the enums of green's table
 */

/** @param {SyncTable} table @returns {TableRecord} */
export const recordOf = ({ source, target }) => ({
  columns: source.columns.map((column) => [column.name, column.type, column.number]), key: source.primaryKey, unique: source.uniqueIndexes.map(({ oid }) => oid),
  versions: versionsOf(source), types: typesOf(source), labels: labelsOf(source), targetLabels: labelsOf(target),
});

/** @param {import('../pg/catalog.mjs').Table} table @returns {Record<string, string>} */
const versionsOf = (table) => Object.fromEntries(table.columns.map(({ name, version }) => [name, version]));

/** @param {import('../pg/catalog.mjs').Table} table @returns {Record<string, string>} */
const typesOf = (table) => Object.fromEntries(table.columns.flatMap(({ name, definition }) => (definition === undefined ? [] : [[name, shape(definition)]])));

/** @param {import('../pg/types.mjs').TypeDefinition} type @returns {string} */
const shape = ({ base, attributes }) =>
  `${base === undefined ? '' : `${base.text}<${shape(base.definition)}>`}${(attributes ?? []).map(({ name, text, definition }) => `${JSON.stringify(name)} ${text}<${shape(definition)}>`).join(', ')}`;

/** @param {import('../pg/catalog.mjs').Table} table @returns {Labels} */
function labelsOf(table) {
  /** @type {Labels} */
  const labels = {};
  const visit = (/** @type {import('../pg/types.mjs').TypeDefinition | undefined} */ type) => {
    if (type === undefined || Object.hasOwn(labels, type.name)) return;
    if (type.labels !== undefined) labels[type.name] = Object.fromEntries((type.labelIds ?? []).map((id, i) => [id, type.labels?.[i] ?? '']));
    visit(type.base?.definition);
    for (const attribute of type.attributes ?? []) visit(attribute.definition);
  };
  for (const { definition } of table.columns) visit(definition);
  return labels;
}

const HINT = 'stop, bring the mapping up to date, empty the tables on green, and run again';

/** @param {string} table @param {string} what @param {string} [column] @param {string} [hint] */
const changed = (table, what, column, hint = HINT) => new PermanentError('SCHEMA_CHANGED', what, { table, column, hint });

/**
 * Before the mapping is compiled: new columns are taken out of blue's catalog.
 * @param {Record<string, TableRecord>} before by table of blue
 * @param {Catalog} source @param {Catalog} target
 * @returns {string[]} new columns, `table.column`
 */
export function compareSchema(before, source, target) {
  /** @type {string[]} */
  const newColumns = [];
  for (const [name, record] of Object.entries(before)) {
    const table = source.tables[name];
    if (table === undefined) throw changed(name, `blue's table ${name} is gone`);
    for (const [column, type, number] of record.columns) {
      const now = table.columns.find((candidate) => candidate.name === column);
      if (now === undefined) throw changed(name, `column ${column} of blue's table ${name} is gone`, column);
      if (now.number !== number) throw changed(name, `column ${column} of blue's table ${name} is another one now`, column);
      if (now.type !== type || (now.definition !== undefined && record.types[column] !== shape(now.definition)))
        throw changed(name, `the type of column ${column} of blue's table ${name} changed`, column);
    }
    if (JSON.stringify(table.primaryKey) !== JSON.stringify(record.key)) throw changed(name, `the primary key of blue's table ${name} changed`);
    compareLabels(name, record, labelsOf(table), Object.values(target.tables).map(labelsOf));
    const fresh = table.columns.filter((candidate) => !record.columns.some(([column]) => column === candidate.name));
    newColumns.push(...fresh.map((column) => `${name}.${column.name}`));
    table.columns = table.columns.filter((column) => !fresh.includes(column));
  }
  return newColumns;
}

/**
 * A renamed label is another value in every row that has it. Where green's enum was renamed in the same way, so are green's rows.
 * @param {string} table @param {TableRecord} record @param {Labels} now @param {Labels[]} onGreen
 */
function compareLabels(table, record, now, onGreen) {
  for (const [type, labels] of Object.entries(record.labels))
    for (const [id, label] of Object.entries(labels)) {
      const renamed = now[type]?.[id];
      if (renamed === undefined || renamed === label) continue;
      const green = Object.entries(record.targetLabels).flatMap(([name, known]) =>
        Object.entries(known).flatMap(([greenId, greenLabel]) => (greenLabel === label ? [onGreen.map((tables) => tables[name]?.[greenId]).find((found) => found !== undefined)] : [])));
      if (green.length === 0 || green.some((found) => found !== renamed))
        throw changed(table, `a label of blue's enum ${type} was renamed, from ${JSON.stringify(label)} to ${JSON.stringify(renamed)}: the rows that have it changed without a trace in the stream`, undefined,
          green.length === 0 ? HINT : 'rename it on green in the same way (ALTER TYPE ... RENAME VALUE; a label that is added does not change the rows there) and run again; or put the former name back');
    }
}

/**
 * After the mapping is compiled.
 * @param {Record<string, TableRecord>} before @param {SyncTable[]} tables
 * @param {ReadonlyMap<SyncTable, ReadonlySet<string> | undefined>} rewritten tables whose storage was written anew since, and, where that may have been a TRUNCATE, by whom
 * @returns {Set<SyncTable>} tables with a label that was renamed on both sides: rows under way in the stream still have the former one
 */
export function compareRows(before, tables, rewritten) {
  /** @type {Set<SyncTable>} */
  const withRenamed = new Set();
  for (const table of tables) {
    const record = before[table.name];
    if (record === undefined) continue;
    const { source, target, plan, name } = table;
    const writers = rewritten.get(table);
    const altered = source.columns.find((column) => plan.sourceColumns.includes(column.name) && record.versions[column.name] !== column.version && (writers === undefined || writers.has(column.version)));
    if (rewritten.has(table) && altered !== undefined)
      throw changed(name, `column ${altered.name} of blue's table ${name} was altered and the table written anew: values may have changed without a trace in the stream`, altered.name,
        'stop, empty the tables on green, and run again');
    // A label that was renamed on both sides: only where green has the label as such, not as a text.
    const renamed = Object.entries(record.labels).flatMap(([type, labels]) => Object.entries(labels).some(([id, label]) => (labelsOf(source)[type]?.[id] ?? label) !== label) ? [type] : []);
    const asText = source.columns.find((column) => renamed.includes(column.definition?.name ?? '') && plan.sourceColumns.includes(column.name)
      && !target.columns.some((other) => other.definition?.labels !== undefined && plan.carriedFrom[plan.targetColumns.indexOf(other.name)] === column.name));
    if (asText !== undefined)
      throw changed(name, `a label of the enum of column ${asText.name} of blue's table ${name} was renamed, and green has it as something else than an enum`, asText.name);
    before[name] = { ...record, versions: versionsOf(source) };
    if (renamed.length > 0) withRenamed.add(table);
    else labelsAreKnown(before, table);
  }
  return withRenamed;
}

/** Labels that were added, or renamed on both sides, are as the migration began with them. @param {Record<string, TableRecord>} before @param {SyncTable} table */
export function labelsAreKnown(before, { name, source, target }) {
  before[name] = { .../** @type {TableRecord} */ (before[name]), labels: labelsOf(source), targetLabels: labelsOf(target) };
}
