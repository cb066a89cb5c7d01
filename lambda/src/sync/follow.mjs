import { PermanentError, TransientError } from '../lib/errors.mjs';
import { decode } from '../pg/pgoutput.mjs';
import { binaryFields } from '../pg/rows.mjs';
import { advanceSlot, readSlot } from '../pg/slot.mjs';
import { endOfLog, formatLsn, literal } from '../pg/text.mjs';
import { Batch } from './batch.mjs';
import { LateRows } from './late.mjs';
import { APPLIED, MARKER, SEEN } from './marks.mjs';
import { messageLimit, rowBytes, tooLarge, widest } from './limits.mjs';
import { project } from './relations.mjs';

/**
 * Brings blue's changes since the checkpoint onto green. The slot's stream is read without consuming it; changes and checkpoint
 * are committed together on green; only then is the slot moved. Killed in between, the next run skips what green has.
 *
 * @typedef {import('./context.mjs').Context} Context
 * @typedef {import('../pg/pgoutput.mjs').Message} Message
 * @typedef {import('../pg/pgoutput.mjs').Begin} Begin
 * @typedef {{exhausted: boolean, changes: number, split: boolean}} Outcome
 *   `exhausted`: everything up to blue's position at the beginning is on green; `split`: see `visible`
 */

/** With less time than this left no further batch is begun. */
const RESERVE_MS = 1_500;

/**
 * @param {Context} context
 * @param {(begin: Begin) => boolean} [visible] apply only these transactions. They have to be the first ones in the stream: if one
 *   comes after another that is not visible, the outcome is `split`
 * @returns {Promise<Outcome>}
 */
export async function follow(context, visible = () => true) {
  const { blue, state } = context;
  const slot = await heldSlot(context);
  if (slot.confirmed < state.applied) await advanceSlot(blue, state.slot, state.applied);
  const pass = new Pass(context, visible, slot.flushed);
  if (slot.flushed > state.applied) {
    await pass.read();
    await pass.finish(slot.now);
    await advanceSlot(context.blue, state.slot, context.state.applied); // perhaps another connection by now
  } else await pass.finish(slot.now);
  return { exhausted: pass.exhausted, changes: pass.changes, split: pass.split };
}

/** The slot, which has to hold all changes since the migration began. @param {Context} context */
export async function heldSlot(context) {
  const name = context.state.slot;
  const slot = await readSlot(context.blue, name);
  if (!slot.exists || slot.lost)
    throw new PermanentError('SLOT_LOST', `blue's replication slot ${name} is ${slot.exists ? 'invalidated' : 'gone'}: changes since are lost`, {
      hint: 'stop, empty the tables on green, and run again from the start',
    });
  context.observe(slot);
  const { applied } = context.state;
  const again = 'stop, empty the tables on green, and run again from the start';
  // Positions before and after the header of a page are one: which of them is told depends on what comes next.
  if (endOfLog(slot.confirmed) > endOfLog(applied))
    throw new PermanentError('CHECKPOINT_GAP', `blue's slot ${name} begins at ${formatLsn(slot.confirmed)}, after green's checkpoint ${formatLsn(applied)}: the changes between them are lost. ` +
      'Green was restored from an earlier backup, or the slot was made again or moved by somebody else', { hint: again });
  if (endOfLog(slot.current) < endOfLog(applied))
    throw new PermanentError('BLUE_WENT_BACK', `blue's log ends at ${formatLsn(slot.current)}, before green's checkpoint ${formatLsn(applied)}: blue was restored from an earlier backup`, { hint: again });
  return slot;
}

class Pass {
  /** @param {Context} context @param {(begin: Begin) => boolean} visible @param {bigint} upTo */
  constructor(context, visible, upTo) {
    this.context = context;
    this.tuning = context.tuning;
    /** In mode two-way a change brings with it what the row was, and what is there is read as well: half as many take as much memory. */
    this.batchChanges = Math.ceil(context.tuning.batchChanges / (context.tables.some(({ rule }) => rule !== undefined) ? 2 : 1));
    this.visible = visible;
    this.upTo = upTo;
    this.batch = new Batch();
    /** @type {Promise<void>} */
    this.writing = Promise.resolve();
    this.open = false; // a transaction on green
    this.uncommitted = 0;
    this.changes = 0;
    this.messages = 0;
    /** @type {Begin | undefined} */
    this.transaction = undefined;
    this.skipping = false;
    /** The transaction applied changes that came from where they would be written to now. */
    this.echo = false;
    /** The same in mode two-way, from blue to green: what green has written comes as blue has it. */
    this.answers = false;
    /** @type {string[]} */
    this.markers = [];
    this.index = 0; // of the change within its transaction
    this.within = false; // changes of an open transaction of blue are on green or in the batch
    this.late = new LateRows();
    this.mostBytes = rowBytes();
    this.began = Date.now();
    /** When blue had decoded what was asked for, and began to send it. */
    this.sent = this.began;
    this.applied = context.state.applied;
    this.inside = context.state.inside;
    /** @type {bigint | undefined} */
    this.micros = undefined;
    this.blocked = false;
    this.split = false;
    this.stopped = false;
    this.exhausted = true;
    /** Markers of transactions that are read to their end. @type {string[]} */
    this.seen = [];
  }

  async read() {
    const { blue, state, reading } = this.context;
    const stream = blue.copyOut(
      `COPY (SELECT data FROM pg_logical_slot_peek_binary_changes(${literal(state.slot)}, ${literal(formatLsn(this.upTo))}, ${reading.changes},
         'proto_version', '1', 'messages', 'true', 'publication_names', ${literal(state.publication)})) TO STDOUT (FORMAT binary)`,
    );
    try {
      for await (const messages of binaryFields(stream, messageLimit(this.context.relations))) {
        if (this.messages === 0) this.sent = Date.now();
        this.messages += messages.length;
        for (const bytes of messages) {
          const waiting = this.#take(bytes);
          if (waiting !== undefined) await waiting;
          if (this.stopped) break;
        }
        if (this.stopped) break;
      }
    } catch (cause) {
      await this.writing.catch(() => {});
      throw decodingError(blue.told(cause));
    }
    this.exhausted = !this.stopped && this.messages < reading.changes;
    if (this.stopped) await this.context.reopenBlue();
  }

  /** Commits what has been read. @param {string} now blue's clock before the reading */
  async finish(now) {
    const { state } = this.context;
    if (this.exhausted && !this.blocked && this.upTo > this.applied) this.applied = this.upTo;
    const syncedUntil = this.exhausted ? now : this.micros === undefined ? state.syncedUntil : new Date(Number(this.micros / 1000n)).toISOString();
    await this.#flush({ syncedUntil });
    await this.writing;
    if (!this.exhausted) this.context.reading.adapt(this.messages, Date.now() - this.began);
    for (const marker of this.seen) this.context.markers.add(marker);
    await this.context.leaves.passed(this.context.state.applied);
  }

  /** Takes one message; answers a promise only when there is something to wait for. @param {Buffer} bytes @returns {Promise<void> | undefined} */
  #take(bytes) {
    const message = decode(bytes);
    if (message === undefined) return;
    if (message.tag === 'relation') return this.context.relations.define(message, this.batch);
    if (message.tag === 'begin') return this.#begin(message);
    if (this.blocked || this.skipping) return;
    if (message.tag === 'message') return this.#message(message);
    if (message.tag === 'commit') return this.#commit(message);
    if (this.echo) return;
    this.index += 1;
    if (this.transaction?.finalLsn === this.inside.lsn && this.index <= this.inside.changes) return;
    this.within = true;
    this.#change(message, bytes.length);
    if (this.batch.changes < this.batchChanges && this.batch.bytes < this.tuning.batchBytes) return;
    return this.#outOfTime() && this.late.empty ? this.#stopInside() : this.#flush();
  }

  /** @param {Begin} begin @returns {undefined} */
  #begin(begin) {
    this.transaction = begin;
    this.index = 0;
    this.echo = this.answers = false;
    this.markers = [];
    this.skipping = begin.finalLsn < this.context.state.applied;
    if (this.skipping) return;
    const visible = this.visible(begin);
    if (!visible) this.blocked = true;
    else if (this.blocked) this.split = this.stopped = true;
  }

  /** @param {import('../pg/pgoutput.mjs').Logical} message @returns {undefined} */
  #message({ prefix, content }) {
    const { pair } = this.context;
    if (prefix === MARKER && content.startsWith(`${pair}:`)) this.markers.push(content.slice(pair.length + 1));
    if (prefix === SEEN && this.context.answering && content.startsWith(`${pair}:`)) this.context.seen.add(content.slice(pair.length + 1));
    if (prefix !== APPLIED || content !== pair) return;
    if (this.context.answering) {
      this.answers = true;
      return;
    }
    if (this.index > 0) throw new PermanentError('MARK_TOO_LATE', 'a transaction of the other direction of this migration changed rows before it was marked', { hint: 'a defect of the function: report it' });
    this.echo = true;
    this.context.echoes += 1;
  }

  /** @param {import('../pg/pgoutput.mjs').Commit} commit */
  #commit(commit) {
    this.applied = commit.endLsn;
    this.micros = commit.micros;
    this.transaction = undefined;
    this.within = false;
    this.late.settle(this.batch);
    this.seen.push(...this.markers);
    if (this.#outOfTime() || this.#longEnough()) this.stopped = true;
    else if (this.uncommitted + this.batch.changes >= this.tuning.commitChanges) return this.#flush({ syncedUntil: this.context.state.syncedUntil });
    return undefined;
  }

  /** @param {Exclude<Message, {tag: 'begin' | 'commit' | 'relation' | 'message'}>} message @param {number} bytes */
  #change(message, bytes) {
    const { relations } = this.context;
    if (message.tag === 'truncate') {
      const tables = relations.truncated(message.oids);
      if (tables.length === 0) return;
      const back = tables.find(({ table }) => table.keepsRows || this.context.applier.contested);
      if (back !== undefined)
        throw new PermanentError('TRUNCATED', `blue's table ${back.table.name} was truncated: that is not carried to green, which would lose what only green has`, {
          table: back.table.name, hint: 'delete the rows by DELETE on both sides, or end the way back (control: finish); then prepare it again',
        });
      for (const { table } of tables) this.late.truncated(table);
      this.batch.truncate(tables);
    } else {
      const known = relations.get(message.oid);
      if (known === undefined) return;
      if (bytes > this.mostBytes && (message.tag === 'insert' || (message.tag === 'update' && message.old === undefined)))
        throw tooLarge(known.table, widest(known.names, message.row));
      const old = message.tag === 'insert' ? undefined : message.old && project(known, message.old);
      const row = message.tag === 'delete' || known.gone ? undefined : project(known, message.row);
      if (known.table.lateKey) this.#changeLate(known.table, old, row, bytes);
      else {
        const past = { before: message.tag === 'insert' ? null : known.full ? old : undefined, echo: this.answers };
        if (message.tag === 'insert' && row !== undefined) this.batch.insert(known.table, row, past);
        else if (message.tag === 'update' && row !== undefined) this.batch.update(known.table, old, row, /** @type {Begin} */ (this.transaction).finalLsn, past);
        else if (old !== undefined) this.batch.delete(known.table, old, past);
        this.batch.bytes += bytes;
      }
    }
    this.batch.changes += 1;
    this.changes += 1;
  }

  /**
   * @param {import('./table.mjs').SyncTable} table
   * @param {import('../pg/pgoutput.mjs').Tuple | undefined} old the whole row
   * @param {import('../pg/pgoutput.mjs').Tuple | undefined} row @param {number} bytes
   */
  #changeLate(table, old, row, bytes) {
    if (old !== undefined) this.late.goes(table, old);
    if (row !== undefined) this.late.comes(table, row.map((value, i) => (value === undefined ? old?.[i] : value)), bytes);
  }

  /**
   * What is not taken is decoded again. A long transaction takes its time even where short ones come before it: taking them takes no less time, or each of them would cost all of that.
   */
  #longEnough() {
    return Date.now() - this.sent > Math.max(this.tuning.readMs, this.sent - this.began);
  }

  #outOfTime() {
    return !this.context.deadline.allows(RESERVE_MS);
  }

  /** The time ends within a transaction of blue: green keeps what it has of it, and how much that is. */
  #stopInside() {
    this.stopped = true;
    this.inside = { lsn: /** @type {Begin} */ (this.transaction).finalLsn, changes: this.index };
    return undefined;
  }

  /**
   * Hands the batch over to be written while the next one is read; waits for the one before.
   * @param {{syncedUntil: string | null}} [commit] end green's transaction with the checkpoint
   */
  async #flush(commit) {
    const batch = this.batch;
    batch.cut = this.within;
    this.batch = new Batch();
    this.uncommitted = commit === undefined ? this.uncommitted + batch.changes : 0;
    const checkpoint = commit && { applied: this.applied, inside: this.inside, syncedUntil: commit.syncedUntil };
    await this.writing;
    this.writing = this.#write(batch, checkpoint);
    this.writing.catch(() => {}); // thrown where it is awaited
  }

  /** @param {Batch} batch @param {{applied: bigint, inside: {lsn: bigint, changes: number}, syncedUntil: string | null} | undefined} checkpoint */
  async #write(batch, checkpoint) {
    const { applier } = this.context;
    if (!this.open) await this.context.begin();
    this.open = true;
    await applier.apply(batch);
    this.context.pending += batch.changes;
    this.context.seen.pass(batch.changes);
    if (checkpoint === undefined) return;
    await this.context.commit(checkpoint);
    this.open = false;
  }
}

/**
 * Logical decoding itself failed (a defect of blue's PostgreSQL). Another attempt may begin at another place of the log: what was
 * applied before the failure stays applied.
 * @param {import('../lib/errors.mjs').MigrationError} error
 */
function decodingError(error) {
  if (error.sqlstate !== 'XX000') return error;
  return new TransientError('DECODING', 'blue: logical decoding failed', {
    sqlstate: error.sqlstate, cause: error.cause, hint: 'if it persists: stop, empty the tables on green, and run again from the start',
  });
}
