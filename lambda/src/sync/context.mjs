import { createHash } from 'node:crypto';
import { PermanentError } from '../lib/errors.mjs';
import { compileWithServers, copiedPart } from '../mapping/compile.mjs';
import { loadMapping } from '../mapping/load.mjs';
import { readCatalog } from '../pg/catalog.mjs';
import { compareSettings } from '../pg/settings.mjs';
import { openSession } from '../pg/session.mjs';
import { Applier } from './apply.mjs';
import { Backfill } from './backfill.mjs';
import { lockName, takeLock } from './lock.mjs';
import { Masks } from './masks.mjs';
import { Quarantine } from './quarantine.mjs';
import { Relations } from './relations.mjs';
import { createTables, readState, writeState } from './state.mjs';
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
 */

/** @param {Invocation} invocation @param {'source' | 'target'} role */
export const open = ({ config, secrets, deadline }, role) =>
  openSession(config[role], { secrets, tls: config.tls, deadline, applicationName: lockName(deadline) });

/** Both at once; when one fails the other does not stay open. @param {Invocation} invocation @returns {Promise<[Session, Session]>} */
export async function openBoth(invocation) {
  const [blue, green] = await Promise.allSettled([open(invocation, 'source'), open(invocation, 'target')]);
  if (blue.status === 'fulfilled' && green.status === 'fulfilled') return [blue.value, green.value];
  for (const side of [blue, green]) if (side.status === 'fulfilled') side.value.destroy();
  throw blue.status === 'rejected' ? blue.reason : /** @type {PromiseRejectedResult} */ (green).reason;
}

/** The slot's name follows from green's address, so that `stop` finds it when green is gone. @param {Invocation['config']} config */
export function slotName({ target }) {
  const address = `${target.host.toLowerCase()}:${target.port}/${target.database}`;
  return `payment_migration_${createHash('sha256').update(address).digest('hex').slice(0, 12)}`;
}

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
    this.masks = new Masks();
    this.backfill = new Backfill(green, () => open(invocation, 'source'), this.masks);
    this.connectedAt = Date.now();
    /** Changes applied in the transaction that is open on green. */
    this.pending = 0;
    /** `table.column` that blue has got since the copy began. @type {string[]} */
    this.newColumns = [];
    /** @type {SyncTable[]} */
    this.tables = [];
    /** @type {import('../mapping/types.mjs').SequenceRules} */
    this.sequences = { gap: undefined, pairs: {}, alone: [] };
    this.relations = new Relations([], (oid) => this.#rootOf(oid));
    this.quarantine = new Quarantine(green, 0, this.masks);
    this.applier = new Applier({ green, quarantine: this.quarantine, backfill: this.backfill, truncate: truncateStep });
    /** @type {State} */
    this.state = {
      phase: 'stopped', slot: slotName(invocation.config), publication: slotName(invocation.config), mappingHash: '', schema: {}, applied: 0n, consistent: 0n, copied: 0n, unconfirmed: {},
      inside: { lsn: 0n, changes: 0 }, rowsCopied: 0n, changesApplied: 0n, syncedUntil: null, startedAt: null,
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
      await takeLock(green, lockWaitMs);
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
    await this.masks.load(this.blue, this.state.publication);
    this.backfill.load(this.state);
    const names = mappedNames(json);
    const [source, target] = await Promise.all([readCatalog(this.blue, names.source), readCatalog(this.green, names.target)]);
    const mappingHash = createHash('sha256').update(JSON.stringify(copiedPart(json))).digest('hex');
    const resuming = known !== undefined && known.phase !== 'stopped';
    if (resuming) this.#compareSchema(source, mappingHash);
    const { tables, limits, sequences } = await compileWithServers(json, source, target, { hashKey }, this.blue, this.green);
    this.tables = tables.map((plan, i) => {
      const from = source.tables[`${plan.source.schema}.${plan.source.name}`];
      const to = target.tables[`${plan.target.schema}.${plan.target.name}`];
      if (from === undefined || to === undefined) throw new PermanentError('MAPPING', 'the mapping names a table that is not there');
      return new SyncTable(plan, from, to, i);
    });
    await compareSettings(this.blue, this.green, this.tables);
    if (!resuming) {
      this.state.slot = this.state.publication = slotName(this.invocation.config);
      this.state.mappingHash = mappingHash;
      this.state.schema = Object.fromEntries(this.tables.map(({ name, source }) => [name, { columns: source.columns.map((column) => [column.name, column.type, column.number]), key: source.primaryKey }]));
    }
    this.relations = new Relations(this.tables, (oid) => this.#rootOf(oid));
    this.sequences = sequences;
    this.quarantine.limit = limits.quarantine;
    await this.quarantine.load();
    this.applier.evict = this.state.applied < this.state.consistent || this.state.phase !== 'following';
  }

  /**
   * The rule for schema changes on blue during a migration: a new column is not copied and reported; a column whose type changed
   * or that was made anew (that rewrites rows without a trace in the stream), another primary key, and a column or table that is gone, end the run with
   * nothing half-applied.
   * @param {import('../pg/catalog.mjs').Catalog} source @param {string} mappingHash
   */
  #compareSchema(source, mappingHash) {
    if (this.state.mappingHash !== mappingHash)
      throw new PermanentError('MAPPING_CHANGED', 'the mapping is not the one that this migration began with', {
        hint: 'put the former mapping back; or stop, empty the tables on green, and run again',
      });
    for (const [name, { columns, key }] of Object.entries(this.state.schema)) {
      const table = source.tables[name];
      const changed = (/** @type {string} */ what, /** @type {string} */ column = '') =>
        new PermanentError('SCHEMA_CHANGED', what, {
          table: name, column: column || undefined, hint: 'stop, bring the mapping up to date, empty the tables on green, and run again',
        });
      if (table === undefined) throw changed(`blue's table ${name} is gone`);
      for (const [column, type, number] of columns) {
        const now = table.columns.find((candidate) => candidate.name === column);
        if (now === undefined) throw changed(`column ${column} of blue's table ${name} is gone`, column);
        if (now.number !== number) throw changed(`column ${column} of blue's table ${name} is another one now`, column);
        if (now.type !== type) throw changed(`the type of column ${column} of blue's table ${name} changed`, column);
      }
      if (JSON.stringify(table.primaryKey) !== JSON.stringify(key)) throw changed(`the primary key of blue's table ${name} changed`);
      const fresh = table.columns.filter((candidate) => !columns.some(([column]) => column === candidate.name));
      this.newColumns.push(...fresh.map((column) => `${name}.${column.name}`));
      table.columns = table.columns.filter((column) => !fresh.includes(column));
    }
    if (this.newColumns.length > 0) this.log.warn('blue has new columns, which are not copied', { columns: this.newColumns });
  }

  /** Ends green's open transaction with the checkpoint in it. @param {Pick<State, 'applied' | 'inside' | 'syncedUntil'>} checkpoint */
  async commit(checkpoint) {
    const next = {
      ...this.state, ...checkpoint, changesApplied: this.state.changesApplied + BigInt(this.pending),
      ...this.backfill.save(checkpoint.applied),
      consistent: this.backfill.readAt > this.state.consistent ? this.backfill.readAt : this.state.consistent,
    };
    await writeState(this.green, next);
    await this.green.run('COMMIT');
    this.committed(next);
    this.metrics.count('ChangesApplied', this.pending);
    this.pending = 0;
  }

  /** @param {State} state what has just been committed */
  committed(state) {
    this.state = state;
    this.applier.stage.transactionEnded(true);
    this.applier.evict = state.applied < state.consistent || state.phase !== 'following';
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

  /** @param {number} oid */
  async #rootOf(oid) {
    const blue = await (this.backfill.blue ??= this.backfill.openBlue());
    const [root] = await blue.row(`SELECT pg_partition_root(oid)::oid FROM pg_class WHERE oid = $1`, [oid]);
    return root === undefined || root === null ? undefined : Number(root);
  }
}

/** No triggers and no checks of foreign keys on green: blue has done all that. @param {Session} green */
async function actAsReplica(green) {
  await green.run('SET enable_hashjoin = off; SET enable_mergejoin = off');
  const [role] = await green.row('SHOW session_replication_role');
  if (role === 'replica') return; // given to the user by ALTER ROLE, so that it need not have the right to set it
  try {
    await green.run('SET session_replication_role = replica');
  } catch (cause) {
    const error = green.told(cause);
    if (error.sqlstate !== '42501') throw error;
    throw new PermanentError('DATABASE_REFUSED', 'green: the user may not set session_replication_role', {
      cause, sqlstate: error.sqlstate, hint: 'grant it rds_superuser, or let an administrator run ALTER ROLE ... SET session_replication_role = replica',
    });
  }
}

/** The tables that a mapping speaks of; whether they are there is for the compiler to say. @param {unknown} json */
function mappedNames(json) {
  const tables = /** @type {{tables?: unknown}} */ (json)?.tables;
  /** @type {{source?: unknown, target?: unknown}[]} */
  const list = Array.isArray(tables) ? tables : [];
  const name = (/** @type {unknown} */ value) => (typeof value === 'string' ? value : '');
  return { source: list.map((table) => name(table?.source)), target: list.map((table) => name(table?.target ?? table?.source)) };
}
