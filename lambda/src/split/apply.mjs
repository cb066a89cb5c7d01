import { PermanentError } from '../lib/errors.mjs';
import { sameKey, typedValue, withKeys } from '../pg/keys.mjs';
import { ident } from '../pg/text.mjs';
import { emitSeen, seenName } from '../sync/marks.mjs';
import { decided, digestOf, offered } from './rules.mjs';

/**
 * Mode two-way: what a batch of changes of one table means on the side that it comes to, where the application writes as well. The rows are locked there until the
 * batch is committed, so what is decided about them stays true.
 *
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 * @typedef {import('../sync/batch.mjs').Pending} Pending
 * @typedef {import('../sync/apply.mjs').Wanted} Wanted
 * @typedef {import('../sync/quarantine.mjs').Held} Held
 * @typedef {import('../pg/pgoutput.mjs').Tuple} Tuple
 * @typedef {import('../mapping/types.mjs').Value} Value
 * @typedef {import('../mapping/types.mjs').Transformed} Transformed
 * @typedef {import('./rules.mjs').Row} Row
 *
 * @typedef {object} Outcome
 * @property {Wanted[]} wanted rows to be written
 * @property {{key: string[], values: Value[]}[]} gone rows to be deleted, with their keys where they are deleted
 * @property {Held[]} held
 * @property {string[][]} settled keys that are not in quarantine any more
 * @property {number} merged rows that both sides had changed
 */

const AT_ONCE = 500;
/** Green waits for blue's decision about a change of these. */
const ANSWERED = new Set(['state-machine', 'merged']);
const UNKNOWN = Symbol('not known');

/**
 * @typedef {object} Place where the changes come to
 * @property {import('../pg/session.mjs').Session} session
 * @property {string} pair
 * @property {(table: SyncTable, keys: string[][]) => Promise<string[][]>} mayHold of these keys those that may be in quarantine
 * @property {import('./seen.mjs').SeenStates} seen green's states about which blue has decided
 *
 * @param {Place} place @param {SyncTable} table @param {Pending[]} pending
 * @param {boolean} again rows that are held already are looked at once more
 * @returns {Promise<Outcome>}
 */
export async function ruled(place, table, pending, again) {
  const { rule } = table;
  if (rule === undefined) throw new PermanentError('INTERNAL', 'a table without a rule for conflicts');
  const form = table.forward === undefined ? onGreen(table) : onBlue(table, table.forward);
  /** @type {Outcome} */
  const outcome = { wanted: [], gone: [], held: [], settled: [], merged: 0 };
  /** @type {import('../sync/marks.mjs').Seen[]} */
  const seen = [];
  /** @type {Set<Wanted>} */
  const fresh = new Set();
  for (let at = 0; at < pending.length; at += AT_ONCE) {
    const changes = pending.slice(at, at + AT_ONCE).flatMap((change) => {
      const key = table.plan.transformKey(change.key);
      if (key.kind === 'row') return [{ ...change, there: key.values }];
      if (key.kind === 'quarantine') outcome.held.push({ key: change.key, reason: key.reason, column: key.column });
      return [];
    });
    const rows = await rowsOf(place.session, table, form.columns, changes.map(({ there }) => there));
    const inQuarantine = new Set((await place.mayHold(table, changes.map(({ key }) => key))).map((key) => key.join('\0')));
    for (const change of changes) {
      const there = form.there(rows.get(textOf(change.there)));
      const after = form.change(change.row);
      if (there === UNKNOWN || after === UNKNOWN) {
        outcome.held.push({ key: change.key, reason: there === UNKNOWN ? 'the mapping leaves out the row that is there, or can not bring it over' : 'the mapping can not bring it over' });
        continue;
      }
      const before = change.before === undefined ? UNKNOWN : form.change(change.before);
      const known = { there, after, before: before === UNKNOWN ? undefined : before, held: inQuarantine.has(change.key.join('\0')) };
      const decision = change.moved === true && table.forward !== undefined ? MOVED
        : table.forward !== undefined ? decided(rule, known)
        : offered(rule, { ...known, seen: digests(place.seen.of(seenName(table.targetName, change.there)), change.echoes, form) });
      if (decision.kind === 'later') continue;
      if (decision.kind === 'hold') {
        if (!again) outcome.held.push({ key: change.key, reason: decision.reason, column: decision.column });
        continue;
      }
      if (table.forward !== undefined && ANSWERED.has(rule.kind) && !again && (decision.kind === 'nothing' || decision.merged)) seen.push({ table: table.name, key: change.key, digest: digestOf(after) });
      if (decision.kind === 'nothing') {
        outcome.settled.push(change.key);
        continue;
      }
      if (decision.merged) outcome.merged += 1;
      if (decision.row === null) outcome.gone.push({ key: change.key, values: change.there });
      else {
        const row = decision.row === after ? /** @type {Tuple} */ (change.row) : form.tuple(/** @type {Tuple} */ (change.row), decision.row);
        const result = table.plan.transform(row);
        if (result.kind !== 'row') {
          outcome.held.push({ key: change.key, reason: result.kind === 'quarantine' ? result.reason : 'the mapping leaves it out', column: result.kind === 'quarantine' ? result.column : undefined });
          continue;
        }
        const wanted = { key: change.key, row, values: result.values };
        outcome.wanted.push(wanted);
        if (there === null) fresh.add(wanted);
      }
    }
  }
  const twice = await usedTwice(place.session, table, [...fresh]);
  for (const wanted of twice) outcome.held.push({ key: wanted.key, reason: 'the idempotency key was used on both sides, for another row each', refused: true });
  outcome.wanted = outcome.wanted.filter((wanted) => !twice.includes(wanted));
  if (seen.length > 0) await place.session.run(emitSeen(place.pair, seen));
  return outcome;
}

/** @type {import('./rules.mjs').Decision} */
const MOVED = { kind: 'hold', reason: "the row's key was changed" };

/** @param {(string | null | undefined)[]} key */
const textOf = (key) => key.join('\0');

/** @param {string[]} known @param {Tuple[] | undefined} echoes @param {Form} form */
function digests(known, echoes, form) {
  const found = new Set(known);
  for (const echo of echoes ?? []) {
    const row = form.change(echo);
    if (row !== UNKNOWN) found.add(digestOf(row));
  }
  return found;
}

/**
 * How rows are read and written where the changes come to, in green's form.
 * @typedef {object} Form
 * @property {string[]} columns to be read there
 * @property {(row: Tuple | undefined) => Row | typeof UNKNOWN} there what is there, in green's form
 * @property {(tuple: Tuple | null) => Row | typeof UNKNOWN} change a row of the stream, in green's form
 * @property {(tuple: Tuple, row: Value[]) => Tuple} tuple a row of green's form as one of the stream
 */

/** @param {Transformed} result @returns {Row | typeof UNKNOWN} */
const asRow = (result) => (result.kind === 'row' ? result.values : result.kind === 'skip' ? null : UNKNOWN);

/** @param {SyncTable} table @returns {Form} */
const onGreen = ({ plan }) => ({
  columns: plan.targetColumns,
  there: (row) => row ?? null,
  change: (tuple) => (tuple === null ? null : tuple.includes(undefined) ? UNKNOWN : asRow(plan.transform(tuple))),
  tuple: (tuple) => tuple,
});

/** @param {SyncTable} table @param {import('../mapping/types.mjs').TablePlan} forward @returns {Form} */
function onBlue({ plan }, forward) {
  const at = forward.targetColumns.map((column) => plan.sourceColumns.indexOf(column));
  return {
    columns: forward.sourceColumns,
    there: (row) => {
      if (row === undefined) return null;
      const result = forward.transform(row);
      return result.kind === 'row' ? result.values : UNKNOWN;
    },
    change: (tuple) => (tuple === null ? null : tuple.includes(undefined) ? UNKNOWN : at.map((i) => tuple[i])),
    tuple: (tuple, row) => {
      const made = [...tuple];
      at.forEach((i, n) => (made[i] = row[n]));
      return made;
    },
  };
}

/** @param {import('../pg/session.mjs').Session} session @param {SyncTable} table @param {string[]} columns @param {Value[][]} keys @returns {Promise<Map<string, Tuple>>} by key, locked */
async function rowsOf(session, table, columns, keys) {
  if (keys.length === 0) return new Map();
  const { targetKey } = table;
  const list = [...columns.map((column) => `t.${ident(column)}`), ...targetKey.map(({ name }) => `t.${ident(name)}`)];
  const rows = await session.rows(`SELECT ${list.join(', ')} FROM ${withKeys(targetKey, table.onGreen, keys)} FOR UPDATE OF t`);
  return new Map(rows.map((row) => [textOf(row.slice(columns.length)), row.slice(0, columns.length)]));
}

/**
 * Rows to be made whose idempotency key another row has there.
 * @param {import('../pg/session.mjs').Session} session @param {SyncTable} table @param {Wanted[]} wanted @returns {Promise<Wanted[]>}
 */
async function usedTwice(session, table, wanted) {
  const { plan, target, targetKey, targetKeyAt, onGreen: there } = table;
  const names = table.idempotency;
  if (names.length === 0 || wanted.length === 0) return [];
  const columns = names.map((name) => ({ name, at: plan.targetColumns.indexOf(name), type: target.columns.find((column) => column.name === name)?.baseType ?? 'text' }));
  /** @type {Wanted[]} */
  const found = [];
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const some = wanted.slice(at, at + AT_ONCE);
    const list = some.map(({ values }, i) =>
      `(${i}, ${[...columns.map((column) => typedValue(/** @type {any} */ (column), values[column.at])), ...targetKey.map((column, n) => typedValue(column, values[/** @type {number} */ (targetKeyAt[n])]))].join(', ')})`);
    const rows = await session.rows(
      `SELECT DISTINCT w.i FROM (VALUES ${list.join(', ')}) AS w(i, ${[...columns.map((_, i) => `v${i}`), ...targetKey.map((_, n) => `k${n}`)].join(', ')})
         JOIN ${there} AS t ON ${columns.map(({ name }, i) => `t.${ident(name)} = w.v${i}`).join(' AND ')}
        WHERE NOT (${sameKey(targetKey, ({ name }) => `t.${ident(name)}`, (_, n) => `w.k${n}`)})`);
    for (const [i] of rows) found.push(/** @type {Wanted} */ (some[Number(i)]));
  }
  return found;
}
