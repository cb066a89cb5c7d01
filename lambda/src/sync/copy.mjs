import { MigrationError } from '../lib/errors.mjs';
import { beyond } from '../pg/keys.mjs';
import { columnList, decodeRow, encodeRow, ident, qualified } from '../pg/text.mjs';
import { countRows, lastRow, wholeRows } from '../pg/rows.mjs';
import { valueLimit } from './limits.mjs';
import { RANGE_BYTES } from './pace.mjs';
import { Sink } from './streams.mjs';
import { refusesRow } from './refusals.mjs';
import { readUnits, writeState, writeUnit } from './state.mjs';

/**
 * The full copy: each plain table of blue in the order of its key. Green commits a range of keys together with the key up to
 * which it goes; a killed run resumes from there. Ranges are seen at different moments, all after the slot's start: what
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
        await copyChunk(context, table, /** @type {NonNullable<typeof leaf>} */ (leaf), unit, careful > 0);
        careful -= unit.rows - before;
      } catch (error) {
        if (careful > 0 || !(error instanceof MigrationError) || !refusesRow(error, table)) throw error;
        context.log.warn('green refuses a row, the range is copied row by row', { table: table.name, constraint: error.constraint, column: error.column });
        careful = context.tuning.chunkRows;
        await context.rollback();
        await context.reopenBlue();
      }
    }
  }
  return true;
}

/**
 * Copies up to the end of one transaction on green, or of the table. While blue is read it is locked against TRUNCATE and ALTER TABLE, and whoever waits
 * for such a lock makes all others wait: so it is read in short ranges, each as fast as blue can send it, the next one while green takes the one before.
 * @param {Context} context @param {SyncTable} table @param {import('../pg/catalog.mjs').Leaf} leaf @param {CopyUnit} unit
 * @param {boolean} careful
 */
async function copyChunk(context, table, leaf, unit, careful) {
  const { green, deadline, tuning } = context;
  const limits = careful
    ? { rows: tuning.carefulRows, bytes: tuning.carefulBytes, ms: tuning.chunkMs }
    : { rows: tuning.chunkRows, bytes: tuning.chunkBytes, ms: tuning.chunkMs };
  const reader = new RangeReader(context, table, leaf, unit.cursor, limits.rows);
  const chunk = await Chunk.begin(context, table, careful);
  try {
    for (let range = await reader.read(); ; ) {
      const more = !range.last && !chunk.wouldReach(limits, range) && deadline.allows(RESERVE_MS);
      const next = more ? reader.read() : undefined;
      next?.catch(() => {}); // thrown where it is awaited
      for await (const block of range.blocks) await chunk.write(block);
      if (next === undefined) return await chunk.commit(context, unit, range.last);
      range = await next;
    }
  } catch (cause) {
    throw cause instanceof MigrationError ? cause : green.told(cause);
  }
}

/** Reads a table of blue in short ranges, in the order of its key. */
class RangeReader {
  /** @param {Context} context @param {SyncTable} table @param {import('../pg/catalog.mjs').Leaf} leaf @param {string[] | null} cursor @param {number} mostRows */
  constructor(context, table, leaf, cursor, mostRows) {
    this.context = context;
    this.table = table;
    this.leaf = leaf;
    this.cursor = cursor;
    this.mostRows = Math.min(mostRows, context.tuning.rangeRows);
  }

  /** @returns {Promise<{blocks: Buffer[], rows: number, bytes: number, last: boolean}>} `last`: the table ends with it */
  async read() {
    const { context, table, leaf } = this;
    const { blue, pace } = context;
    if (pace.prepared !== blue) await blue.run('SET enable_sort = off; SET enable_seqscan = off; SET enable_bitmapscan = off');
    pace.prepared = blue;
    const wanted = Math.max(1, Math.min(pace.rows, this.mostRows));
    const began = Date.now();
    /** @type {Buffer[]} */
    const blocks = [];
    let [rows, bytes] = [0, 0];
    try {
      for await (const block of wholeRows(blue.copyOut(`COPY (${selectRange(table, leaf, this.cursor)} LIMIT ${wanted}) TO STDOUT`), valueLimit(table))) {
        blocks.push(block);
        rows += countRows(block);
        bytes += block.length;
        if (bytes <= RANGE_BYTES || rows === wanted) continue;
        await context.reopenBlue(); // the rest would not fit into memory
        break;
      }
    } catch (cause) {
      throw cause instanceof MigrationError ? cause : blue.told(cause);
    }
    const last = blocks.at(-1);
    if (last !== undefined) this.cursor = table.keyOf(decodeRow(lastRow(last)));
    pace.adapt(rows, bytes, Date.now() - began);
    return { blocks, rows, bytes, last: context.blue === blue && rows < wanted };
  }
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
    /** @type {Buffer | undefined} */
    this.last = undefined;
  }

  /** @param {Context} context @param {SyncTable} table @param {boolean} careful */
  static async begin(context, table, careful) {
    await context.begin();
    const make = careful ? carefulWriter : passesThrough(table) ? directWriter : transformingWriter;
    return new Chunk(table, make(context, table));
  }

  /** @param {Buffer} block whole rows */
  async write(block) {
    this.rows += countRows(block);
    this.bytes += block.length;
    this.last = block;
    await this.writer.write(block);
  }

  /** With this range, which is read and not yet written. @param {{rows: number, bytes: number, ms: number}} limits @param {{rows: number, bytes: number}} range */
  wouldReach({ rows, bytes, ms }, range) {
    return this.rows + range.rows >= rows || this.bytes + range.bytes >= bytes || Date.now() - this.began >= ms;
  }

  /** @param {Context} context @param {CopyUnit} unit @param {boolean} done */
  async commit(context, unit, done) {
    await this.writer.end();
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
