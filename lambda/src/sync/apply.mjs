import { MigrationError } from '../lib/errors.mjs';
import { ident, literal, qualified } from '../pg/text.mjs';
import { Stage } from './stage.mjs';

/**
 * Applies batches of changes to green, inside the transaction that the caller holds open.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('./batch.mjs').Pending} Pending
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('../mapping/types.mjs').Value} Value
 * @typedef {{key: string[], values: Value[]}} Wanted a row for green, with its key on blue
 */

export class Applier {
  /**
   * @param {object} parts
   * @param {Session} parts.green
   * @param {import('./quarantine.mjs').Quarantine} parts.quarantine
   * @param {import('./heal.mjs').Healer} parts.healer
   * @param {(applier: Applier, step: import('./batch.mjs').TruncateStep) => Promise<void>} parts.truncate
   */
  constructor({ green, quarantine, healer, truncate }) {
    this.green = green;
    this.stage = new Stage(green);
    this.quarantine = quarantine;
    this.healer = healer;
    this.truncate = truncate;
    /** Until green is consistent, rows of different moments stand beside each other: their unique values may collide. */
    this.evict = true;
  }

  /** @param {import('./batch.mjs').Batch} batch */
  async apply(batch) {
    for (const step of batch.steps) {
      if (step.kind === 'rows') for (const [table, rows] of step.tables) await this.rows(table, [...rows.values()]);
      else if (step.kind === 'truncate') await this.truncate(this, step);
      else await this.#move(step.table, step.from, step.row);
    }
  }

  /** @param {SyncTable} table @param {Pending[]} pending */
  async rows(table, pending) {
    /** @type {Wanted[]} */
    let wanted = [];
    /** @type {string[][]} */
    const gone = [];
    /** @type {import('./quarantine.mjs').Held[]} */
    const held = [];
    /** @type {string[][]} */
    const incomplete = [];
    const sort = (/** @type {string[]} */ key, /** @type {import('../pg/pgoutput.mjs').Tuple} */ row) => {
      const result = table.plan.transform(row);
      if (result.kind === 'row') wanted.push({ key, values: result.values });
      else if (result.kind === 'needsFullRow') incomplete.push(key);
      else if (result.kind === 'skip') gone.push(key);
      else held.push({ key, reason: result.reason, column: result.column });
    };
    for (const { key, row } of pending) if (row === null) gone.push(key); else sort(key, row);
    const [based, baseless] = await this.healer.split(table, wanted);
    wanted = based;
    incomplete.push(...baseless);
    // Those that blue no longer has are deleted, or get another key, later in the stream.
    const { found, missing } = await this.healer.fetch(table, incomplete);
    if (found.length > 0) this.evict = true; // they are of a later moment than their neighbours
    for (const row of found) sort(table.keyOf(row), row);
    gone.push(...missing);
    await this.#write(table, wanted, gone, held);
  }

  /** @param {SyncTable} table @param {Wanted[]} wanted @param {string[][]} gone @param {import('./quarantine.mjs').Held[]} held */
  async #write(table, wanted, gone, held) {
    await this.quarantine.remove(table, [...gone, ...wanted.map(({ key }) => key)]);
    await this.stage.prepare(table);
    await this.#merge(table, wanted, [...gone, ...held.map(({ key }) => key)], held);
    await this.quarantine.put(table, held);
  }

  /**
   * Merges rows; those that green refuses (a constraint, a value out of range) are found by halving and held back.
   * @param {SyncTable} table @param {Wanted[]} wanted @param {string[][]} gone @param {import('./quarantine.mjs').Held[]} held grows by what green refuses
   * @returns {Promise<void>}
   */
  async #merge(table, wanted, gone, held) {
    const deletions = gone.flatMap((key) => {
      const result = table.plan.transformKey(key);
      return result.kind === 'row' ? [result.values] : []; // such a key can't be on green
    });
    await this.green.run('SAVEPOINT merge');
    try {
      await this.stage.merge(table, wanted.map(({ values }) => values), deletions, this.evict);
      await this.green.run('RELEASE SAVEPOINT merge');
    } catch (cause) {
      const error = this.green.told(cause);
      const [first] = wanted;
      if (!refusesRow(error) || first === undefined) throw error;
      await this.green.run('ROLLBACK TO SAVEPOINT merge');
      if (wanted.length === 1) {
        held.push({ key: first.key, reason: refusal(error), column: error.column });
        return this.#merge(table, [], [...gone, first.key], held);
      }
      const middle = wanted.length >> 1;
      await this.#merge(table, [], [...gone, ...wanted.slice(middle).map(({ key }) => key)], held); // unique values must be free
      await this.#merge(table, wanted.slice(0, middle), [], held);
      await this.#merge(table, wanted.slice(middle), [], held);
    }
  }

  /**
   * A key change of a row whose large value was not sent: it is still under the old key on green, unless the copy saw a later moment.
   * @param {SyncTable} table @param {string[]} from @param {import('../pg/pgoutput.mjs').Tuple} row
   */
  async #move(table, from, row) {
    const { plan } = table;
    const key = table.keyOf(row);
    const result = plan.transform(row);
    const before = plan.transformKey(from);
    const after = plan.transformKey(key);
    if (result.kind === 'row' && before.kind === 'row' && after.kind === 'row') {
      const at = (/** @type {Value[]} */ values) => plan.targetKey.map((column, i) => `${ident(column)} = ${literal(/** @type {string} */ (values[i]))}`).join(' AND ');
      const name = qualified(plan.target);
      const [there] = await this.green.rows(`SELECT 1 FROM ${name} WHERE ${at(before.values)}`);
      if (there !== undefined) {
        await this.green.run(`DELETE FROM ${name} WHERE ${at(after.values)}`);
        const set = plan.targetKey.map((column, i) => `${ident(column)} = ${literal(/** @type {string} */ (after.values[i]))}`).join(', ');
        await this.green.run(`UPDATE ${name} SET ${set} WHERE ${at(before.values)}`);
      }
    }
    await this.rows(table, [{ key: from, row: null }, { key, row }]);
  }
}

/** Class 22: the value does not fit its type. Class 23: a constraint. @param {MigrationError} error */
const refusesRow = (error) => /^2[23]/.test(error.sqlstate ?? '');

/** @param {MigrationError} error */
const refusal = (error) => `green refuses it: SQLSTATE ${error.sqlstate}${error.constraint === undefined ? '' : `, constraint ${error.constraint}`}`;
