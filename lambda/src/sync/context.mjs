import { createHash } from 'node:crypto';
import { PermanentError } from '../lib/errors.mjs';
import { compileWithServers, copiedPart } from '../mapping/compile.mjs';
import { compileBack } from './back.mjs';
import { beginMarked, digest, pairName } from './marks.mjs';
import { loadMapping } from '../mapping/load.mjs';
import { BOUNDS, readCatalog } from '../pg/catalog.mjs';
import { compareSettings } from '../pg/settings.mjs';
import { openSession } from '../pg/session.mjs';
import { endOfLog, parseLsn } from '../pg/text.mjs';
import { Applier } from './apply.mjs';
import { noteAttached } from './attached.mjs';
import { Backfill } from './backfill.mjs';
import { Pace, Reading } from './pace.mjs';
import { compareIdentity, readIdentity } from './identity.mjs';
import { Leaves } from './leaves.mjs';
import { NAME, takeLock } from './lock.mjs';
import { checkMachinery } from './machinery.mjs';
import { Masks } from './masks.mjs';
import { releaseUnidentified } from './protect.mjs';
import { Quarantine } from './quarantine.mjs';
import { Relations } from './relations.mjs';
import { compareRows, compareSchema, recordOf } from './schema.mjs';
import { createTables, readState, writeState } from './state.mjs';
import { SeenStates } from '../split/seen.mjs';
import { SyncTable } from './table.mjs';
import { TUNING } from './tuning.mjs';
import { truncateStep } from './truncate.mjs';

/**
 * What an invocation works with: both databases, the mapping compiled against them, the state. Opened anew after a lost connection.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('./state.mjs').State} State
 *
 * @typedef {object} Invocation
 * @property {import('../lib/config.mjs').DatabaseConfig} config
 * @property {import('../lib/secrets.mjs').Secrets} secrets
 * @property {import('../lib/deadline.mjs').Deadline} deadline
 * @property {import('../lib/log.mjs').Logger} log
 * @property {import('../lib/metrics.mjs').Metrics} metrics
 * @property {Partial<typeof TUNING>} [tuning]
 * @property {Set<Session>} [sessions] those that were opened for it are added
 */

/** @param {Invocation} invocation @param {'source' | 'target'} role */
export const open = ({ config, secrets, deadline, sessions }, role) =>
  openSession(config[role], { secrets, tls: config.tls, deadline, applicationName: NAME, sessions });

/** Both at once; when one fails the other does not stay open. @param {Invocation} invocation @returns {Promise<[Session, Session]>} */
export async function openBoth(invocation) {
  const [blue, green] = await Promise.allSettled([open(invocation, 'source'), open(invocation, 'target')]);
  if (blue.status === 'fulfilled' && green.status === 'fulfilled') return [blue.value, green.value];
  for (const side of [blue, green]) if (side.status === 'fulfilled') side.value.destroy();
  throw blue.status === 'rejected' ? blue.reason : /** @type {PromiseRejectedResult} */ (green).reason;
}

/** The slot's name follows from green's address, so that `stop` finds it when green is gone. @param {Invocation['config']} config */
export const slotName = ({ target }) => `payment_migration_${digest(`${target.host.toLowerCase()}:${target.port}/${target.database}`)}`;

/** Where the application writes too, a row that it keeps locked is waited for no longer, below its deadlock_timeout: then the run is tried again. */
const LOCK_MS = 500;

export class Context {
  /** @param {Invocation} invocation @param {Session} blue @param {Session} green */
  constructor(invocation, blue, green) {
    this.invocation = invocation;
    this.deadline = invocation.deadline;
    this.log = invocation.log;
    this.metrics = invocation.metrics;
    this.tuning = { ...TUNING, ...invocation.tuning };
    this.blue = blue;
    this.green = green;
    /** Names this migration in both logs; it stays when a database moves to another address. */
    this.pair = pairName(invocation.config);
    /** Markers that were read to their end, and committed on green with all that was before them. @type {Set<string>} */
    this.markers = new Set();
    /** Transactions that the other direction has applied. */
    this.echoes = 0;
    this.masks = new Masks();
    this.backfill = new Backfill(green, () => open(invocation, 'source'), this.masks);
    this.connectedAt = Date.now();
    this.pace = new Pace();
    this.reading = new Reading(this.tuning);
    /** Changes applied in the transaction that is open on green. */
    this.pending = 0;
    /** `table.column` that blue has got since the copy began. @type {string[]} */
    this.newColumns = [];
    /** Tables with an enum of which a label was renamed, on both sides. @type {Set<SyncTable>} */
    this.renamed = new Set();
    /** On the way back: what becomes of each column of blue. @type {import('../mapping/reverse.mjs').Line[]} */
    this.lines = [];
    /** @type {SyncTable[]} */
    this.tables = [];
    /** @type {import('../mapping/types.mjs').SequenceRules} */
    this.sequences = { gap: undefined, pairs: {}, alone: [] };
    /** @type {'read-only' | 'two-way' | undefined} */
    this.mode = undefined;
    /** From blue to green while traffic is split in mode two-way: blue's stream answers what green has written. */
    this.answering = false;
    /** Green's states about which blue has decided. */
    this.seen = new SeenStates(TUNING.batchChanges);
    /** @type {(import('../split/rules.mjs').Rule | undefined)[]} */
    this.rules = [];
    /** @type {{name: string, violations: string}[]} */
    this.invariants = [];
    this.leaves = new Leaves(green);
    this.relations = new Relations([], this.leaves, async () => undefined);
    this.quarantine = new Quarantine(green, 0, this.masks);
    this.applier = new Applier({ place: { session: green, pair: this.pair, seen: this.seen }, green, quarantine: this.quarantine, backfill: this.backfill, leaves: this.leaves, truncate: truncateStep, mostProvisional: this.tuning.mostProvisional });
    /** @type {State} */
    this.state = {
      phase: 'stopped', slot: slotName(invocation.config), publication: slotName(invocation.config), mappingHash: '', schema: {}, applied: 0n, consistent: 0n, copied: 0n, unconfirmed: {},
      inside: { lsn: 0n, changes: 0 }, rowsCopied: 0n, changesApplied: 0n, syncedUntil: null, startedAt: null, identity: {},
    };
  }

  /**
   * Connects, takes the lock, reads the state and compiles the mapping.
   * @param {Invocation} invocation
   * @param {{lockWaitMs?: number}} [options]
   */
  static async open(invocation, { lockWaitMs } = {}) {
    const mapping = await loadMapping(invocation.config, invocation.secrets, invocation.deadline);
    const [blue, green] = await openBoth(invocation);
    const context = new Context(invocation, blue, green);
    try {
      await takeLock(green, invocation.deadline, lockWaitMs);
      await context.#prepare(mapping);
      return context;
    } catch (error) {
      await context.close();
      throw error;
    }
  }

  /** @param {{json: unknown, hashKey: Buffer | null}} mapping */
  async #prepare({ json, hashKey }) {
    await createTables(this.green);
    await actAsReplica(this.green);
    const known = await readState(this.green);
    if (known !== undefined) this.state = known;
    this.setPair(this.state.phase === 'stopped' ? undefined : this.state.identity.pair);
    await this.masks.load(this.blue, this.state.publication);
    const like = slotName(this.invocation.config);
    if (known !== undefined && known.phase !== 'stopped' && like !== known.slot) await this.masks.moved(this.blue, this.state.publication, like);
    this.backfill.load(this.state);
    const back = this.invocation.config.direction === 'reverse';
    const names = back ? swapped(mappedNames(json)) : mappedNames(json);
    const [source, target] = await Promise.all([readCatalog(this.blue, names.source), readCatalog(this.green, names.target)]);
    const compile = back ? await compileBack(json, target, source, hashKey, this.green, this.blue) : undefined;
    const mappingHash = createHash('sha256').update(JSON.stringify(copiedPart(compile?.json ?? json))).digest('hex');
    this.lines = compile?.lines ?? [];
    const resuming = known !== undefined && known.phase !== 'stopped';
    if (resuming) {
      await this.#compareWithBeginning(mappingHash, source);
      this.newColumns = compareSchema(this.state.schema, source, target);
      if (this.newColumns.length > 0) this.log.warn('blue has new columns, which are not copied', { columns: this.newColumns });
    }
    const { tables, limits, sequences, mode, invariants, rules } = compile === undefined ? await compileWithServers(json, source, target, { hashKey }, this.blue, this.green) : await compile.compile();
    const split = resuming && this.state.identity.split === true;
    this.tables = tables.map((plan, i) => {
      const from = source.tables[`${plan.source.schema}.${plan.source.name}`];
      const to = target.tables[`${plan.target.schema}.${plan.target.name}`];
      if (from === undefined || to === undefined) throw new PermanentError('MAPPING', 'the mapping names a table that is not there');
      const rule = split ? rules[i] : undefined;
      if (split && rule === undefined) throw new PermanentError('MODE', `traffic is split in mode two-way, and the mapping has no "conflicts" for ${plan.source.schema}.${plan.source.name}`, { hint: 'put it back, or end the split (control: finish)' });
      return new SyncTable(plan, from, to, i, resuming ? this.state.schema[`${plan.source.schema}.${plan.source.name}`]?.unique : undefined, compile?.forward[i], rule, back && rule !== undefined ? this.#onBlue(`${plan.target.schema}.${plan.target.name}`, rule.idempotency) : []);
    });
    this.answering = split && !back;
    this.rules = rules;
    await checkMachinery(this.blue, this.green, this.tables);
    await compareSettings(this.blue, this.green, this.tables);
    if (!resuming) {
      this.state.slot = this.state.publication = slotName(this.invocation.config);
      this.state.mappingHash = mappingHash;
      this.state.schema = Object.fromEntries(this.tables.map((table) => [table.name, recordOf(table)]));
    }
    const rewritten = await this.leaves.observe(this.tables, !resuming, () => this.#position());
    if (resuming) this.renamed = compareRows(this.state.schema, this.tables, rewritten);
    if (resuming) await noteAttached(this);
    await this.leaves.save();
    this.relations = new Relations(this.tables, this.leaves, (oid, roots) => this.#partitionOf(oid, roots));
    this.sequences = sequences;
    this.mode = mode;
    this.invariants = invariants;
    this.quarantine.limit = limits.quarantine;
    await this.quarantine.load();
    this.applier.evict = this.state.applied < this.state.consistent || this.state.phase !== 'following';
  }

  /** @param {string | undefined} pair as it was when the migration began */
  setPair(pair) {
    if (pair !== undefined) this.pair = pair;
    this.applier.place.pair = this.pair;
  }

  /** Begins a transaction on green that the stream of the way back passes over. */
  async begin() {
    await this.green.run(beginMarked(this.pair));
    if (this.state.identity.split === true) await this.green.run(`SET LOCAL lock_timeout = '${LOCK_MS}ms'`);
  }

  /** Ends green's open transaction with the checkpoint in it. @param {Pick<State, 'applied' | 'inside' | 'syncedUntil'>} checkpoint */
  async commit(checkpoint) {
    const next = {
      ...this.state, ...checkpoint, changesApplied: this.state.changesApplied + BigInt(this.pending),
      ...this.backfill.save(checkpoint.applied),
      identity: this.applier.merged === 0 ? this.state.identity : { ...this.state.identity, merged: (this.state.identity.merged ?? 0) + this.applier.merged },
      consistent: this.backfill.readAt > this.state.consistent ? this.backfill.readAt : this.state.consistent,
    };
    await writeState(this.green, next);
    await this.green.run('COMMIT');
    this.committed(next);
    this.applier.merged = 0;
    this.metrics.count('ChangesApplied', this.pending);
    this.pending = 0;
  }

  /** @param {State} state what has just been committed */
  committed(state) {
    this.state = state;
    this.applier.stage.transactionEnded(true);
    this.applier.evict = state.applied < state.consistent || state.phase !== 'following';
  }

  /** Gives up green's open transaction. */
  async rollback() {
    await this.green.run('ROLLBACK');
    this.pending = 0;
    this.applier.merged = 0;
    this.applier.stage.transactionEnded(false);
    this.applier.evict = this.state.applied < this.state.consistent || this.state.phase !== 'following';
    await this.quarantine.load();
  }

  /** The lag is told also by a run that fails later: it guards blue's disk. @param {{lagBytes: number, retainedBytes: number}} slot */
  observe({ lagBytes, retainedBytes }) {
    this.metrics.gauge('LagBytes', lagBytes);
    this.log.debug('the slot', { lagBytes, bytes: retainedBytes });
  }

  /** Gives up what blue is sending. */
  async reopenBlue() {
    this.blue.destroy();
    this.blue = await open(this.invocation, 'source');
  }

  async close() {
    await Promise.all([this.backfill.close(), this.blue.close(), this.green.close()]);
  }

  /** After a failure: nothing is waited for. */
  destroy() {
    this.blue.destroy();
    this.green.destroy();
    void this.backfill.close();
  }

  /** Which of these tables a partition belongs to, over more than one level too. @param {number} oid @param {number[]} roots */
  async #partitionOf(oid, roots) {
    const blue = await (this.backfill.blue ??= this.backfill.openBlue());
    const [row] = await blue.rows(
      `SELECT up.relid::oid, ${BOUNDS} FROM pg_class c CROSS JOIN LATERAL pg_partition_ancestors(c.oid) AS up(relid)
        WHERE c.oid = $1 AND up.relid = ANY ($2::oid[]::regclass[])`, [oid, roots]);
    return row === undefined ? undefined : { root: Number(row[0]), bounds: row[1] ?? null };
  }

  /** Blue's columns, each made of one of these of green alone. @param {string} table of blue @param {string[]} columns of green */
  #onBlue(table, columns) {
    return columns.map((column) => {
      const line = this.lines.find(({ table: name, from }) => name === table && from.length === 1 && from[0] === column);
      if (line !== undefined) return line.column;
      throw new PermanentError('MAPPING', `the idempotency key of ${table} has the column ${column}, and no column of blue is made of it alone on the way back`, { table, column, hint: 'say how in the mapping ("reverse"."columns")' });
    });
  }

  async #position() {
    const [lsn] = await this.blue.row('SELECT pg_current_wal_insert_lsn()');
    return endOfLog(parseLsn(lsn));
  }

  /**
   * @param {string} mappingHash
   * @param {import('../pg/catalog.mjs').Catalog} source
   */
  async #compareWithBeginning(mappingHash, source) {
    await releaseUnidentified(this.blue, this.state.publication, source);
    compareIdentity(this.state.identity, await readIdentity(this.blue, this.green));
    if (this.state.mappingHash !== mappingHash)
      throw new PermanentError('MAPPING_CHANGED', 'the mapping is not the one that this migration began with', {
        hint: 'put the former mapping back; or stop, empty the tables on green, and run again',
      });
  }
}

/** @param {{source: string[], target: string[]}} names */
const swapped = ({ source, target }) => ({ source: target, target: source });

/** No triggers and no checks of foreign keys on green: blue has done all that. @param {Session} green */
export async function actAsReplica(green) {
  await green.run('SET enable_hashjoin = off; SET enable_mergejoin = off');
  const [role] = await green.row('SHOW session_replication_role');
  if (role === 'replica') return; // given to the user by ALTER ROLE, so that it need not have the right to set it
  try {
    await green.run('SET session_replication_role = replica');
  } catch (cause) {
    const error = green.told(cause);
    if (error.sqlstate !== '42501') throw error;
    throw new PermanentError('DATABASE_REFUSED', `${green.side}: the user may not set session_replication_role`, {
      cause, sqlstate: error.sqlstate, hint: 'grant it rds_superuser, or let an administrator run ALTER ROLE ... SET session_replication_role = replica',
    });
  }
}

/** The tables that a mapping names; whether they are there is for the compiler to say. @param {unknown} json */
export function mappedNames(json) {
  const tables = /** @type {{tables?: unknown}} */ (json)?.tables;
  /** @type {{source?: unknown, target?: unknown}[]} */
  const list = Array.isArray(tables) ? tables : [];
  const name = (/** @type {unknown} */ value) => (typeof value === 'string' ? value : '');
  return { source: list.map((table) => name(table?.source)), target: list.map((table) => name(table?.target ?? table?.source)) };
}
