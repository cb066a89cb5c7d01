import { MigrationError } from '../lib/errors.mjs';
import { beyond } from '../pg/keys.mjs';
import { columnList, decodeRow, encodeRow, ident, qualified } from '../pg/text.mjs';
import { countRows, lastRow, wholeRows } from '../pg/rows.mjs';
import { valueLimit } from './limits.mjs';
import { Sink } from './streams.mjs';
import { refusesRow } from './stage.mjs';
import { readUnits, writeState, writeUnit } from './state.mjs';

/**
 * The full copy: each plain table of blue in the order of its key. Green commits a range of keys together with the key up to
 * which it goes; a killed run goes on from there. Ranges are seen at different moments, all after the slot's start: what
 * changed in between is in the slot's stream and is applied, without harm when it is there already, before green counts as consistent.
 *
 * @typedef {import('./context.mjs').Context} Context
 * @typedef {import('./state.mjs').CopyUnit} CopyUnit
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {{write: (block: any) => Promise<void>, end: () => Promise<void>}} Writer
 */

const RESERVE_MS = 2_500;

/** @param {Context} context @returns {Promise<boolean>} whether all is copied */
export async function copyAll(context) {
  const units = await readUnits(context.green, (sealed) => context.masks.open(sealed));
  for (const unit of units) {
    const table = context.tables.find(({ name }) => name === unit.source);
    const leaf = table?.source.leaves.find(({ oid }) => oid === unit.oid);
    if (table === undefined) continue;
    if (leaf === undefined) unit.done = true; // a partition that was dropped since: nothing left to copy
    let careful = 0; // rows still to be looked at one by one
    while (!unit.done) {
      if (!context.deadline.allows(RESERVE_MS)) return false;
      const before = unit.rows;
      try {
        await copyRange(context, table, /** @type {NonNullable<typeof leaf>} */ (leaf), unit, careful > 0);
        careful -= unit.rows - before;
      } catch (error) {
        if (careful > 0 || !(error instanceof MigrationError) || !refusesRow(error)) throw error;
        context.log.warn('green refuses a row, the range is copied row by row', { table: table.name, constraint: error.constraint, column: error.column });
        careful = context.tuning.chunkRows;
        await context.green.run('ROLLBACK');
        context.applier.stage.transactionEnded(false);
        await context.quarantine.load();
        await context.reopenBlue();
      }
    }
  }
  return true;
}

/**
 * @param {Context} context @param {SyncTable} table @param {import('../pg/catalog.mjs').Leaf} leaf @param {CopyUnit} unit
 * @param {boolean} careful
 */
async function copyRange(context, table, leaf, unit, careful) {
  const { green, deadline } = context;
  const { tuning } = context;
  const limits = careful
    ? { rows: tuning.carefulRows, bytes: tuning.carefulBytes, ms: tuning.chunkMs }
    : { rows: tuning.chunkRows, bytes: tuning.chunkBytes, ms: tuning.chunkMs };
  const rangeRows = careful ? tuning.chunkRows : tuning.rangeRows;
  await context.blue.run('SET enable_sort = off; SET enable_seqscan = off; SET enable_bitmapscan = off');
  const stream = context.blue.copyOut(`COPY (${selectRange(table, leaf, unit.cursor)} LIMIT ${rangeRows}) TO STDOUT`);
  /** @type {Chunk | undefined} */
  let chunk;
  let rows = 0;
  try {
    for await (const block of wholeRows(stream, valueLimit(table))) {
      chunk ??= await Chunk.begin(context, table, careful);
      await chunk.write(block);
      if (!chunk.reached(limits) && deadline.allows(RESERVE_MS)) continue;
      rows += chunk.rows;
      await chunk.commit(context, unit, false);
      chunk = undefined;
      if (!deadline.allows(RESERVE_MS)) return void (await context.reopenBlue());
    }
  } catch (cause) {
    throw cause instanceof MigrationError ? cause : (chunk?.failed === true ? green : context.blue).told(cause);
  }
  rows += chunk?.rows ?? 0;
  chunk ??= await Chunk.begin(context, table, true);
  await chunk.commit(context, unit, rows < rangeRows);
}

/** What goes onto green in one transaction. */
class Chunk {
  /** @param {SyncTable} table @param {Writer} writer */
  constructor(table, writer) {
    this.table = table;
    this.writer = writer;
    this.rows = 0;
    this.bytes = 0;
    this.began = Date.now();
    this.failed = false;
    /** @type {Buffer | undefined} */
    this.last = undefined;
  }

  /** @param {Context} context @param {SyncTable} table @param {boolean} careful */
  static async begin(context, table, careful) {
    await context.green.run('BEGIN');
    const make = careful ? carefulWriter : passesThrough(table) ? directWriter : transformingWriter;
    return new Chunk(table, make(context, table));
  }

  /** @param {Buffer} block whole rows */
  async write(block) {
    this.rows += countRows(block);
    this.bytes += block.length;
    this.last = block;
    this.failed = true;
    await this.writer.write(block);
    this.failed = false;
  }

  /** @param {{rows: number, bytes: number, ms: number}} limits */
  reached({ rows, bytes, ms }) {
    return this.rows >= rows || this.bytes >= bytes || Date.now() - this.began >= ms;
  }

  /** @param {Context} context @param {CopyUnit} unit @param {boolean} done */
  async commit(context, unit, done) {
    this.failed = true;
    await this.writer.end();
    this.failed = false;
    if (this.last !== undefined) unit.cursor = this.table.keyOf(decodeRow(lastRow(this.last)));
    unit.rows += this.rows;
    unit.done = done;
    const state = { ...context.state, rowsCopied: context.state.rowsCopied + BigInt(this.rows) };
    await writeUnit(context.green, unit, (text) => context.masks.seal(text));
    await writeState(context.green, state);
    await context.green.run('COMMIT');
    context.committed(state);
    context.metrics.count('RowsCopied', this.rows);
    context.log.debug('copied', { table: this.table.name, rows: this.rows, bytes: this.bytes, ms: Date.now() - this.began });
  }
}

/** @param {SyncTable} table */
const passesThrough = ({ plan }) => plan.identity;

/** Bytes from COPY to COPY. @param {Context} context @param {SyncTable} table @returns {Writer} */
function directWriter({ green }, { plan }) {
  const sink = new Sink(green.copyIn(`COPY ${qualified(plan.target)} (${columnList(plan.targetColumns)}) FROM STDIN`));
  return { write: (block) => green.guard(sink.write(block)), end: () => green.guard(sink.end()) };
}

/** Rows from COPY to COPY, transformed on the way. @param {Context} context @param {SyncTable} table @returns {Writer} */
function transformingWriter(context, table) {
  const direct = directWriter(context, table);
  const { plan } = table;
  /** @type {import('./quarantine.mjs').Held[]} */
  const held = [];
  return {
    write: async (block) => {
      let out = '';
      for (const line of linesOf(block)) {
        const row = decodeRow(line);
        const result = plan.transform(row);
        if (result.kind === 'row') out += encodeRow(/** @type {(string | null)[]} */ (result.values));
        else if (result.kind === 'quarantine') held.push({ key: table.keyOf(row), reason: result.reason, column: result.column });
      }
      if (out !== '') await direct.write(out);
    },
    end: async () => {
      await direct.end();
      await context.quarantine.put(table, held, false);
    },
  };
}

/** Rows as if they were changes: what green refuses goes to quarantine; stale rows that hold a unique value are deleted. @param {Context} context @param {SyncTable} table @returns {Writer} */
function carefulWriter(context, table) {
  /** @type {import('./batch.mjs').Pending[]} */
  const rows = [];
  return {
    write: async (block) => {
      for (const line of linesOf(block)) {
        const row = decodeRow(line);
        rows.push({ key: table.keyOf(row), row });
      }
    },
    end: async () => {
      if (rows.length > 0) await context.applier.rows(table, rows);
    },
  };
}

/** @param {Buffer} block */
const linesOf = (block) => block.toString('utf8', 0, block.length - 1).split('\n');

/** @param {SyncTable} table @param {import('../pg/catalog.mjs').Leaf} leaf @param {string[] | null} cursor */
const selectRange = ({ plan, sourceKey }, leaf, cursor) =>
  `SELECT ${columnList(plan.sourceColumns)} FROM ONLY ${qualified(leaf)}${cursor === null ? '' : ` WHERE ${beyond(sourceKey, cursor, 'gt')}`} ORDER BY ${plan.key.map(ident).join(', ')}`;
