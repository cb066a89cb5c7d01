import { MigrationError } from '../lib/errors.mjs';
import { ident, literal } from '../pg/text.mjs';
import { Stage } from './stage.mjs';

/**
 * Applies batches of changes to green, inside the transaction that the caller holds open.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('./batch.mjs').Pending} Pending
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('../mapping/types.mjs').Value} Value
 * @typedef {{key: string[], row: import('../pg/pgoutput.mjs').Tuple, values: Value[]}} Wanted a row for green, with its key and row on blue
 */

export class Applier {
  /**
   * @param {object} parts
   * @param {Session} parts.green
   * @param {import('./quarantine.mjs').Quarantine} parts.quarantine
   * @param {import('./backfill.mjs').Backfill} parts.backfill
   * @param {(applier: Applier, step: import('./batch.mjs').TruncateStep) => Promise<void>} parts.truncate
   */
  constructor({ green, quarantine, backfill, truncate }) {
    this.green = green;
    this.stage = new Stage(green);
    this.quarantine = quarantine;
    this.backfill = backfill;
    this.truncate = truncate;
    /** Until green is consistent, rows of different moments stand beside each other: their unique values may collide. */
    this.evict = true;
  }

  /** @param {import('./batch.mjs').Batch} batch */
  async apply(batch) {
    for (const step of batch.steps) {
      if (step.kind === 'rows') for (const [table, rows] of step.tables) await this.rows(table, [...rows.values()]);
      else if (step.kind === 'truncate') await this.truncate(this, step);
      else await this.#move(step);
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
    /** @type {Pending[]} */
    const incomplete = [];
    const sort = (/** @type {string[]} */ key, /** @type {import('../pg/pgoutput.mjs').Tuple} */ row) => {
      const result = table.plan.transform(row);
      if (result.kind === 'row') wanted.push({ key, row, values: result.values });
      else if (result.kind === 'needsFullRow') incomplete.push({ key, row });
      else if (result.kind === 'skip') gone.push(key);
      else held.push({ key, reason: result.reason, column: result.column });
    };
    for (const { key, row } of pending) if (row === null) gone.push(key); else sort(key, row);
    const [based, baseless] = await this.backfill.split(table, wanted);
    wanted = based;
    const { found, missing } = await this.backfill.fetch(table, [...incomplete, ...baseless]);
    if (found.length > 0) this.evict = true; // parts of them are of a later moment
    for (const { key, row } of found) sort(key, /** @type {import('../pg/pgoutput.mjs').Tuple} */ (row));
    gone.push(...missing); // blue deletes them, or gives them another key, later in the stream
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
   * Merges rows; those that green refuses (a constraint, a value out of range) are found by halving and put into quarantine.
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
      await this.backfill.completeFromGreen(table, wanted); // what they build on is about to be deleted
      const middle = wanted.length >> 1;
      await this.#merge(table, [], [...gone, ...wanted.slice(middle).map(({ key }) => key)], held); // unique values must be free
      await this.#merge(table, wanted.slice(0, middle), [], held);
      await this.#merge(table, wanted.slice(middle), [], held);
    }
  }

  /**
   * A key change of a row whose large value was not sent: it is on green under the old key, unless the copy saw another moment.
   * @param {import('./batch.mjs').MoveStep} step
   */
  async #move({ table, from, row, lsn }) {
    const key = table.keyOf(row);
    const before = table.plan.transformKey(from);
    const after = table.plan.transformKey(key);
    const fixed = table.target.columns.some(({ name, identityAlways }) => identityAlways && table.plan.targetKey.includes(name)); // green updates no such column
    const carried = before.kind === 'row' && after.kind === 'row' && !fixed && !this.backfill.isUnconfirmed(table, from, lsn);
    if (carried && (await this.#rename(table, before.values, after.values))) return await this.rows(table, [{ key: from, row: null }, { key, row }]);
    const { found, missing } = await this.backfill.fetch(table, [{ key, row }]);
    this.evict = true;
    await this.rows(table, [{ key: from, row: null }, ...found, ...missing.map((gone) => ({ key: gone, row: null }))]);
  }

  /** @param {SyncTable} table @param {Value[]} before @param {Value[]} after @returns {Promise<boolean>} whether there was such a row */
  async #rename({ plan, onGreen }, before, after) {
    const pairs = (/** @type {Value[]} */ values) => plan.targetKey.map((column, i) => `${ident(column)} = ${literal(/** @type {string} */ (values[i]))}`);
    const [there] = await this.green.rows(`SELECT 1 FROM ${onGreen} WHERE ${pairs(before).join(' AND ')}`);
    if (there === undefined) return false;
    await this.green.run(`DELETE FROM ${onGreen} WHERE ${pairs(after).join(' AND ')}`);
    await this.green.run(`UPDATE ${onGreen} SET ${pairs(after).join(', ')} WHERE ${pairs(before).join(' AND ')}`);
    return true;
  }
}

/** Class 22: the value does not fit its type. Class 23: a constraint. @param {MigrationError} error */
const refusesRow = (error) => /^2[23]/.test(error.sqlstate ?? '');

/** @param {MigrationError} error */
const refusal = (error) => `green refuses it: SQLSTATE ${error.sqlstate}${error.constraint === undefined ? '' : `, constraint ${error.constraint}`}`;
