import { MigrationError } from '../lib/errors.mjs';
import { isKey, typedValue, withKeys } from '../pg/keys.mjs';
import { ident } from '../pg/text.mjs';
import { whatDiffers } from './roundtrip.mjs';
import { refusesRow } from './refusals.mjs';
import { Stage } from './stage.mjs';
import { ruled } from '../split/apply.mjs';

/**
 * Applies batches of changes to green, inside the transaction that the caller holds open.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {import('./batch.mjs').Pending} Pending
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('../mapping/types.mjs').Value} Value
 * @typedef {{key: string[], row: import('../pg/pgoutput.mjs').Tuple, values: Value[]}} Wanted a row for green, with its key and row on blue
 */

const PROVISIONAL_GROUP = 200;
export class Applier {
  /**
   * @param {object} parts
   * @param {Omit<import('../split/apply.mjs').Place, 'mayHold'>} parts.place
   * @param {Session} parts.green
   * @param {import('./quarantine.mjs').Quarantine} parts.quarantine
   * @param {import('./backfill.mjs').Backfill} parts.backfill
   * @param {import('./leaves.mjs').Leaves} parts.leaves
   * @param {(applier: Applier, step: import('./batch.mjs').TruncateStep) => Promise<void>} parts.truncate
   * @param {number} parts.mostProvisional see tuning.mjs
   */
  constructor({ place, green, quarantine, backfill, leaves, truncate, mostProvisional }) {
    this.mostProvisional = mostProvisional;
    this.place = { ...place, mayHold: (/** @type {SyncTable} */ table, /** @type {string[][]} */ keys) => quarantine.mayHold(table, keys) };
    /** Rows that both sides had changed, merged in the open transaction. */
    this.merged = 0;
    this.green = green;
    this.stage = new Stage(green);
    this.leaves = leaves;
    this.quarantine = quarantine;
    this.backfill = backfill;
    this.truncate = truncate;
    /** Until green is consistent, rows of different moments stand beside each other: their unique values may collide. */
    this.evict = true;
    /** What is being applied leads to a state that blue never committed: green's constraints say nothing about it. */
    this.cut = false;
    /** Rows that green refused in this run while it was a mixture of moments. */
    this.mixed = 0;
    /** Nothing is overwritten: see contested.mjs. */
    this.contested = false;
    /** Rows are offered for good: what green refuses now is judged. */
    this.offering = false;
    this.onlyEqual = false;
  }

  /** @param {import('./batch.mjs').Batch} batch */
  async apply(batch) {
    for (const [i, step] of batch.steps.entries()) {
      this.cut = batch.cut || i < batch.steps.length - 1;
      if (step.kind === 'leaf') await this.leaves.add(step.oid, step.source, step.bounds);
      else if (step.kind === 'rows') for (const [table, rows] of step.tables) await this.rows(table, [...rows.values()]);
      else if (step.kind === 'truncate') await this.truncate(this, step);
      else await this.#move(step);
    }
    this.cut = false;
  }

  /** @param {SyncTable} table @param {Pending[]} pending */
  async rows(table, pending) {
    if (table.rule !== undefined && !this.contested) return await this.#ruled(table, pending);
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
    const unread = [...incomplete, ...baseless];
    // On the way back a row keeps what is not written, so it is not taken away until it is read.
    const taken = !table.keepsRows && !this.contested ? unread.map(({ key }) => key) : [];
    await this.#write(table, wanted, [...gone, ...taken], held);
    await this.#fetched(table, unread);
  }

  /** In mode two-way. @param {SyncTable} table @param {Pending[]} pending */
  async #ruled(table, pending) {
    const { wanted, fresh, gone, held, settled, merged } = await ruled(this.place, table, pending, this.offering);
    if (this.onlyEqual) return await this.quarantine.remove(table, settled);
    this.merged += merged;
    await this.stage.prepare(table);
    const refused = await this.stage.merge(table, wanted.map(({ values }) => values), gone.map(({ values }) => values), false, { group: 1, most: this.quarantine.limit }, fresh);
    const refusals = new Map(refused.map(({ index, error }) => [index, error]));
    for (const [index, error] of refusals) held.push({ key: /** @type {Wanted} */ (wanted[index]).key, reason: refusal(error), column: error.column, refused: true });
    const written = wanted.filter((_, i) => !refusals.has(i));
    await this.quarantine.remove(table, [...settled, ...gone.map(({ key }) => key), ...written.map(({ key }) => key)]);
    if (table.forward !== undefined) held.push(...(await whatDiffers(this.green, table, written)));
    await this.quarantine.put(table, held, false);
  }

  /** Rows whose unsent values are read from blue. @param {SyncTable} table @param {Pending[]} unread */
  async #fetched(table, unread) {
    for await (const { found, missing } of this.backfill.fetch(table, unread)) {
      this.evict = true; // parts of them are of a later moment
      // Blue deletes those, or gives them another key, later in the stream. On the way back they wait for that, since they have what can't be made again.
      const gone = (!table.keepsRows && !this.contested) || (table.rule !== undefined && this.offering) ? missing.map((key) => ({ key, row: null })) : [];
      const pending = [...found, ...gone];
      await this.rows(table, pending);
    }
  }

  /**
   * Rows that are held, as blue has them now.
   * @param {SyncTable} table @param {string[][]} keys
   * @param {boolean} [onlyEqual] they are held for another reason than that green refused them: they are not written, but leave quarantine where both sides have become equal
   */
  async offer(table, keys, onlyEqual = false) {
    const nothing = table.plan.sourceColumns.map(() => undefined);
    this.offering = true;
    this.onlyEqual = onlyEqual;
    await this.#fetched(table, keys.map((key) => ({ key, row: nothing })));
    this.offering = this.onlyEqual = false;
  }

  /** Deletes on green the rows with those of these keys that blue has no more. @param {SyncTable} table @param {string[][]} keys */
  async removeWhatBlueLacks(table, keys) {
    const missing = await this.backfill.missing(table, keys);
    this.evict = true; // what is there is of a later moment
    await this.rows(table, missing.map((key) => ({ key, row: null })));
  }

  /** In a state that blue never committed it is not worth finding the rows that green refuses: all around them are looked at again at the end. */
  #search() {
    if (this.cut) return { group: PROVISIONAL_GROUP, most: Infinity };
    return { group: 1, most: this.quarantine.limit + (this.evict ? this.mostProvisional : 0) };
  }

  /** @param {SyncTable} table @param {Wanted[]} wanted @param {string[][]} gone @param {import('./quarantine.mjs').Held[]} held by the mapping */
  async #write(table, wanted, gone, held) {
    if (this.contested) [wanted, gone] = await this.#uncontested(table, wanted, gone, held);
    const leaving = !table.keepsRows && !this.contested ? [...gone, ...held.map(({ key }) => key)] : gone; // on the way back what can't be written stays as it is on blue
    const deletions = leaving.flatMap((key) => {
      const result = table.plan.transformKey(key);
      return result.kind === 'row' ? [result.values] : []; // such a key can't be on green
    });
    await this.stage.prepare(table);
    const search = this.#search();
    const refused = await this.stage.merge(table, wanted.map(({ values }) => values), deletions, (this.evict || this.cut) && !this.contested, search);
    const refusals = new Map(refused.map(({ index, error }) => [index, error]));
    for (const [index, error] of refusals) held.push({ key: /** @type {Wanted} */ (wanted[index]).key, reason: refusal(error), column: error.column, refused: true, provisional: this.#isProvisional(error) });
    const written = wanted.filter((_, i) => !refusals.has(i));
    const differing = table.forward === undefined ? [] : await whatDiffers(this.green, table, written);
    await this.quarantine.remove(table, [...gone, ...written.map(({ key }) => key)]);
    held.push(...differing);
    await this.quarantine.put(table, held, this.cut);
    if (!this.cut) this.mixed += held.filter(({ provisional }) => provisional).length;
    if (refused.length > search.most || this.mixed > this.quarantine.limit + this.mostProvisional) {
      const last = refused.at(-1)?.error;
      this.quarantine.refuse(table, last && refusal(last), last?.column);
    }
  }

  /**
   * What may be written without overwriting: rows that are not there. Those that are there and differ, and those that would be deleted, are held.
   * @param {SyncTable} table @param {Wanted[]} wanted @param {string[][]} gone @param {import('./quarantine.mjs').Held[]} held
   * @returns {Promise<[Wanted[], string[][]]>}
   */
  async #uncontested(table, wanted, gone, held) {
    const { plan, onGreen, targetKey, targetKeyAt } = table;
    const leaving = gone.map((key) => ({ key, values: table.plan.transformKey(key) })).flatMap(({ key, values }) => (values.kind === 'row' ? [{ key, values: values.values }] : []));
    const keys = [...wanted.map(({ values }) => targetKeyAt.map((at) => values[at])), ...leaving.map(({ values }) => values)];
    if (keys.length === 0) return [wanted, gone];
    const rows = await this.green.rows(`SELECT ${plan.targetColumns.map((column) => `t.${ident(column)}`).join(', ')} FROM ${withKeys(targetKey, onGreen, keys)}`);
    const there = new Map(rows.map((row) => [targetKeyAt.map((at) => row[at]).join('\0'), row]));
    const reason = 'both sides have changed it, or only one of them has it';
    for (const { key, values } of leaving) if (there.has(values.join('\0'))) held.push({ key, reason });
    const fresh = wanted.filter(({ key, values }) => {
      const row = there.get(targetKeyAt.map((at) => values[at]).join('\0'));
      if (row === undefined) return true;
      const column = plan.targetColumns.find((_, i) => values[i] !== undefined && values[i] !== row[i]);
      if (column !== undefined) held.push({ key, reason, column });
      return false;
    });
    return [fresh, []];
  }

  /** In a mixture of moments a row may only be in the way of another that is stale. @param {MigrationError} error */
  #isProvisional(error) {
    return this.cut || (this.evict && !this.offering && /^(23505|23P01)$/.test(error.sqlstate ?? ''));
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
    if (this.contested) {
      await this.rows(table, [{ key: from, row: null }]);
      return await this.#fetched(table, [{ key, row }]);
    }
    const carried = before.kind === 'row' && after.kind === 'row' && !fixed && !this.backfill.isUnconfirmed(table, from, lsn);
    if (table.forward !== undefined) return await this.#moveBack(table, from, key, row, before.kind === 'row' && after.kind === 'row' ? [before.values, after.values] : undefined);
    if (carried && (await this.#rename(table, before.values, after.values))) return await this.rows(table, [{ key: from, row: null }, { key, row }]);
    await this.rows(table, [{ key: from, row: null }]);
    await this.#fetched(table, [{ key, row }]);
  }

  /**
   * On the way back: blue's row gets the new key and keeps what is not written. Where it can't, it stays, and the new key is held.
   * @param {SyncTable} table @param {string[]} from @param {string[]} key @param {import('../pg/pgoutput.mjs').Tuple} row @param {[Value[], Value[]] | undefined} keys before and after, on blue
   */
  async #moveBack(table, from, key, row, keys) {
    const { onGreen, targetKey } = table;
    if (keys !== undefined) {
      const [before, after] = keys;
      const values = targetKey.map((column, i) => `${ident(column.name)} = ${typedValue(column, after[i])}`);
      await this.green.run('SAVEPOINT rename');
      try {
        await this.green.run(`UPDATE ${onGreen} SET ${values.join(', ')} WHERE ${isKey(targetKey, before)}`);
        await this.green.run('RELEASE SAVEPOINT rename');
      } catch (cause) {
        const error = this.green.told(cause);
        if (!refusesRow(error, table) && error.sqlstate !== '428C9') throw error; // a column GENERATED ALWAYS
        await this.green.run('ROLLBACK TO SAVEPOINT rename; RELEASE SAVEPOINT rename');
        return await this.quarantine.put(table, [{ key, reason: refusal(error), column: error.column, refused: true }], this.cut);
      }
    }
    await this.quarantine.remove(table, [from]);
    await this.rows(table, [{ key, row }]);
  }

  /** @param {SyncTable} table @param {Value[]} before @param {Value[]} after @returns {Promise<boolean>} whether there was such a row */
  async #rename(table, before, after) {
    const { onGreen, targetKey } = table;
    const [there] = await this.green.rows(`SELECT 1 FROM ${onGreen} WHERE ${isKey(targetKey, before)}`);
    if (there === undefined) return false;
    const values = targetKey.map((column, i) => `${ident(column.name)} = ${typedValue(column, after[i])}`);
    await this.green.run('SAVEPOINT rename');
    try {
      await this.green.run(`DELETE FROM ${onGreen} WHERE ${isKey(targetKey, after)} AND NOT (${isKey(targetKey, before)})`);
      await this.green.run(`UPDATE ${onGreen} SET ${values.join(', ')} WHERE ${isKey(targetKey, before)}`);
      await this.green.run('RELEASE SAVEPOINT rename');
      return true;
    } catch (cause) {
      // Green has no place for the new key: the row as a whole is for the stage to refuse.
      const error = this.green.told(cause);
      if (!refusesRow(error, table)) throw error;
      await this.green.run('ROLLBACK TO SAVEPOINT rename; RELEASE SAVEPOINT rename');
      return false;
    }
  }
}

/** @param {MigrationError} error */
const refusal = (error) => `green refuses it: SQLSTATE ${error.sqlstate}${error.constraint === undefined ? '' : `, constraint ${error.constraint}`}`;
