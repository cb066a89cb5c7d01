/**
 * The contract between the mapping and the copy (sync, verify).
 *
 * All values are in PostgreSQL's text representation (datestyle ISO, timezone UTC, bytea hex): strings; `null` is NULL;
 * `undefined` is a large column that an update did not change (its value is not in the change stream).
 *
 * @typedef {string | null | undefined} Value
 *
 * @typedef {object} Column
 * @property {string} name
 * @property {string} type as `format_type` prints it: `numeric(20,4)`, `timestamp with time zone`, `payment_status`, `text[]`
 * @property {import('../pg/types.mjs').TypeDefinition} [definition] what the type is; the name decides where it is not known
 * @property {boolean} notNull
 * @property {string | null} [collation] its quoted name
 * @property {boolean} [deterministic] false: its collation calls different texts equal
 * @property {boolean} [domainNotNull] its type is a domain that takes no NULL
 * @property {boolean} generated `GENERATED ALWAYS AS (...) STORED`: never written. An identity column is not generated
 * @property {string} [computed] how a generated column is computed, as SQL
 * @property {string[]} [computedFrom] the columns that it is computed from
 * @property {boolean} [hasDefault] has a default or is an identity column: a target column may then be left to it
 *
 * @typedef {object} CatalogTable
 * @property {Column[]} columns
 * @property {string[]} primaryKey
 * @property {boolean} partitioned
 *
 * @typedef {object} Catalog what is in a database, read from pg_catalog
 * @property {Record<string, CatalogTable>} tables keyed by `schema.name`
 * @property {string[]} [known] all tables there are, to tell a misspelt one from
 * @property {Record<string, string[]>} enums labels by type name, as `format_type` prints it
 * @property {import('../pg/types.mjs').TypeDefinition[]} [types] all that columns of the tables are made from
 *
 * @typedef {{kind: 'row', values: Value[]}} Row
 * @typedef {{kind: 'skip'}} Skip the row filter leaves this row out
 * @typedef {{kind: 'quarantine', reason: string, column?: string}} Quarantine never a value, only what is wrong and where
 * @typedef {{kind: 'needsFullRow'}} NeedsFullRow a target column is computed from a changed and an unchanged source
 * @typedef {Row | Skip | Quarantine | NeedsFullRow} Transformed
 *
 * @typedef {object} TablePlan
 * @property {{schema: string, name: string}} source
 * @property {{schema: string, name: string}} target
 * @property {string[]} key the primary key of the source table
 * @property {string[]} sourceColumns read from the source, in the order in which `transform` takes them
 * @property {string[]} targetColumns written to the target, in the order in which `transform` answers them
 * @property {string[]} targetKey the primary key of the target table, which the key of the source determines
 * @property {boolean} identity the row filter is empty and every source column is carried with its text unchanged, in the order of
 *   `sourceColumns`: COPY streams can be joined without parsing
 * @property {string[]} computed columns that both sides compute in the same words, from columns that are carried under their names: they are not written, but `verify` compares
 *   them, since the same words may mean something else on green (another function of that name, another collation)
 * @property {(values: Value[]) => Transformed} transform takes the values of `sourceColumns`. A row that an update moved out
 *   of the row filter answers `skip`: it has to be deleted from the target
 * @property {(keyValues: Value[]) => Transformed} transformKey takes the values of `key` alone (a delete, the old key of
 *   an update) and answers the values of `targetKey`, or why there are none; never `skip` or `needsFullRow`
 * @property {(string | null)[]} carriedFrom for each target column the source column that it carries unchanged (kept or renamed,
 *   no other transformation; the same type on both sides, or an integer type and a wider one), else null. The copy uses it for key ranges, sequences and partition truncates
 *
 * @typedef {object} Mapping
 * @property {TablePlan[]} tables in the order of the mapping file
 * @property {{quarantine: number}} limits `quarantine`: rows in quarantine at which a run still goes on
 * @property {'read-only' | 'two-way' | undefined} mode of a split of the traffic
 * @property {(import('../split/rules.mjs').Rule | undefined)[]} rules of the tables, for rows that both sides have changed
 * @property {{name: string, violations: string}[]} invariants queries on green for the rows for which something does not hold
 * @property {SequenceRules} sequences
 *
 * @typedef {object} SequenceRules
 * @property {bigint | undefined} gap by which green's sequences go on beyond blue's
 * @property {Record<string, string>} pairs blue's sequence for one of green's, by `schema.name`
 * @property {string[]} alone sequences that need no partner on the other side, and columns of green (`schema.table.column`) whose default gives values that are free
 */

export {};
