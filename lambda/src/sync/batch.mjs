/**
 * Changes of one or more transactions, in an order that is cheap to apply: within a segment the last state of a row counts.
 * What depends on the order of rows (a truncate, a key change of a row with an unsent large value) stands between segments.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/pgoutput.mjs').Tuple} Tuple
 *
 * @typedef {object} Pending
 * @property {string[]} key
 * @property {Tuple | null} row null: the row is deleted
 * @property {Tuple | null} [before] in mode two-way what the row was before the first of these changes; null: it was not there; undefined: that is not known
 * @property {Tuple[]} [echoes] in mode two-way states that came from where they go to
 * @property {boolean} [moved] its key was changed
 *
 * @typedef {{before: Tuple | null | undefined, echo: boolean}} Past of a change, in mode two-way
 *
 * @typedef {{kind: 'rows', tables: Map<SyncTable, Map<string, Pending>>}} RowsStep
 * @typedef {{kind: 'truncate', tables: {table: SyncTable, leaves: number[] | null}[]}} TruncateStep `leaves` null: the whole table
 * @typedef {{kind: 'move', table: SyncTable, from: string[], row: Tuple, lsn: bigint}} MoveStep
 * @typedef {{kind: 'leaf', oid: number, source: string, bounds: string | null}} LeafStep a partition that the stream names for the first time
 * @typedef {RowsStep | TruncateStep | MoveStep | LeafStep} Step
 */

export class Batch {
  constructor() {
    /** @type {Step[]} */
    this.steps = [];
    /** @type {RowsStep | undefined} */
    this.segment = undefined;
    this.changes = 0;
    this.bytes = 0;
    /** It ends within a transaction: blue never committed the state that it leads to. */
    this.cut = false;
  }

  /** @param {SyncTable} table @param {Tuple} row @param {Past} past */
  insert(table, row, past) {
    this.put(table, table.keyOf(row), row, past);
  }

  /**
   * @param {SyncTable} table
   * @param {Tuple | undefined} old the key before (or the whole row), when blue sent it
   * @param {Tuple} row
   * @param {bigint} lsn of the transaction
   * @param {Past} past
   */
  update(table, old, row, lsn, past) {
    complete(row, old, true); // first of all: a key that is stored out of line is not sent again
    const key = table.keyOf(row);
    const before = old === undefined ? key : table.keyOf(old);
    const known = this.#rows(table).get(keyText(before))?.row;
    complete(row, known ?? undefined, false);
    if (keyText(before) === keyText(key)) return this.put(table, key, row, past);
    if (table.rule !== undefined) {
      this.put(table, before, null, past, true);
      return this.put(table, key, row, { ...past, before: null }, true);
    }
    if (!row.includes(undefined) && table.forward === undefined) {
      this.put(table, before, null);
      return this.put(table, key, row);
    }
    this.#step({ kind: 'move', table, from: before, row, lsn });
  }

  /** @param {SyncTable} table @param {Tuple} old @param {Past} past */
  delete(table, old, past) {
    this.put(table, table.keyOf(old), null, past);
  }

  /** @param {TruncateStep['tables']} tables */
  truncate(tables) {
    this.#step({ kind: 'truncate', tables });
  }

  /** @param {Omit<LeafStep, 'kind'>} leaf */
  leaf(leaf) {
    this.#step({ kind: 'leaf', ...leaf });
  }

  /** @param {SyncTable} table @param {string[]} key @param {Tuple | null} row @param {Past} [past] @param {boolean} [moved] */
  put(table, key, row, past, moved = false) {
    const rows = this.#rows(table);
    if (table.rule === undefined) return void rows.set(keyText(key), { key, row });
    const text = keyText(key);
    const known = rows.get(text);
    const echoes = past?.echo === true && row !== null ? [...(known?.echoes ?? []), row] : known?.echoes;
    rows.set(text, { key, row, before: known === undefined ? past?.before : known.before, echoes, moved: moved || known?.moved === true });
  }

  /** @param {SyncTable} table */
  #rows(table) {
    if (this.segment === undefined) {
      this.segment = { kind: 'rows', tables: new Map() };
      this.steps.push(this.segment);
    }
    let rows = this.segment.tables.get(table);
    if (rows === undefined) this.segment.tables.set(table, (rows = new Map()));
    return rows;
  }

  /** @param {Step} step */
  #step(step) {
    this.steps.push(step);
    this.segment = undefined;
  }
}

/** @param {string[]} key */
const keyText = (key) => (key.length === 1 ? /** @type {string} */ (key[0]) : key.join('\0'));

/**
 * Fills unsent values from what is known of the row before. A key sent alone has NULL for all other columns: only a value that
 * is there says something then (an unsent value is large, so it is not NULL).
 * @param {Tuple} row @param {Tuple | undefined} before @param {boolean} maybeKeyOnly
 */
function complete(row, before, maybeKeyOnly) {
  if (before === undefined) return;
  for (let i = 0; i < row.length; i += 1)
    if (row[i] === undefined && !(maybeKeyOnly && before[i] === null)) row[i] = before[i];
}
