import { PermanentError } from '../lib/errors.mjs';
import { sameKey, valueSet, valueType, withKeys } from '../pg/keys.mjs';
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
 * @property {boolean[]} fresh which of them are not there
 * @property {{key: string[], values: Value[]}[]} gone rows to be deleted, with their keys where they are deleted
 * @property {Held[]} held
 * @property {string[][]} settled keys that are not in quarantine any more
 * @property {number} merged rows that both sides had changed
 */

/** Rows that are read together: first so many, then as many as make about so much text. */
const FIRST_ROWS = 500;
const AT_ONCE = 2_000;
const GROUP_BYTES = 1 << 19;
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
  const outcome = { wanted: [], fresh: [], gone: [], held: [], settled: [], merged: 0 };
  /** @type {import('../sync/marks.mjs').Seen[]} */
  const seen = [];
  /** @type {Set<Wanted>} */
  const fresh = new Set();
  /** Rows that come to an idempotency key. @type {Wanted[]} */
  const named = [];
  const nameAt = rule.idempotency.map((column) => rule.columns.indexOf(column));
  for await (const { changes, rows, inQuarantine } of withRows(place, table, form.columns, pending, outcome.held)) {
    for (const { change, at: targetKey } of changes) {
      const there = form.there(rows.get(textOf(targetKey)));
      const after = form.change(change.row);
      if (there === UNKNOWN || after === UNKNOWN) {
        outcome.held.push({ key: change.key, reason: there === UNKNOWN ? 'the mapping leaves out the row that is there, or can not bring it over' : 'the mapping can not bring it over' });
        continue;
      }
      const before = change.before === undefined ? UNKNOWN : form.change(change.before);
      const known = {
        there, after, before: before === UNKNOWN ? undefined : before, held: inQuarantine.size > 0 && inQuarantine.has(textOf(change.key)),
        seen: { has: (/** @type {string} */ digest) => place.seen.of(seenName(table.targetName, targetKey)).includes(digest) || cameFromThere(change.echoes, digest, form) },
      };
      const decision = change.moved === true && table.forward !== undefined ? MOVED
        : table.forward !== undefined ? decided(rule, known)
        : offered(rule, known);
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
      if (decision.row === null) outcome.gone.push({ key: change.key, values: targetKey });
      else {
        const asItCame = decision.row === after;
        const row = asItCame ? /** @type {Tuple} */ (change.row) : form.tuple(/** @type {Tuple} */ (change.row), decision.row);
        const result = asItCame && table.forward === undefined ? { kind: /** @type {const} */ ('row'), values: decision.row } : table.plan.transform(row);
        if (result.kind !== 'row') {
          outcome.held.push({ key: change.key, reason: result.kind === 'quarantine' ? result.reason : 'the mapping leaves it out', column: result.kind === 'quarantine' ? result.column : undefined });
          continue;
        }
        const wanted = { key: change.key, row, values: result.values };
        outcome.wanted.push(wanted);
        if (there === null) fresh.add(wanted);
        if (there === null || nameAt.some((i) => there[i] !== decision.row?.[i])) named.push(wanted);
      }
    }
  }
  const twice = await usedTwice(place.session, table, named);
  for (const wanted of twice) outcome.held.push({ key: wanted.key, reason: 'the idempotency key was used on both sides, for another row each', refused: true });
  outcome.wanted = outcome.wanted.filter((wanted) => !twice.has(wanted));
  outcome.fresh = outcome.wanted.map((wanted) => fresh.has(wanted));
  for (let at = 0; at < seen.length; at += AT_ONCE) await place.session.run(emitSeen(place.pair, seen.slice(at, at + AT_ONCE)));
  return outcome;
}

/** @type {import('./rules.mjs').Decision} */
const MOVED = { kind: 'hold', reason: "the row's key was changed" };

/** @param {(string | null | undefined)[]} key */
const textOf = (key) => key.join('\0');

/** @param {Tuple[] | undefined} echoes @param {string} digest @param {Form} form */
const cameFromThere = (echoes, digest, form) => echoes !== undefined && echoes.some((echo) => {
  const row = form.change(echo);
  return row !== UNKNOWN && digestOf(row) === digest;
});

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

/**
 * Changes in groups, with the rows that are there. The server reads those of the next group while this one is decided: nothing else is asked for meanwhile, since what fails
 * here (a row that the application keeps locked) would fail that too, with another error.
 * @param {Place} place @param {SyncTable} table @param {string[]} columns @param {Pending[]} pending @param {Held[]} held takes those whose key the mapping can't bring over
 */
async function* withRows({ session, mayHold }, table, columns, pending, held) {
  let at = 0;
  const read = (/** @type {number} */ size) => {
    const changes = pending.slice(at, (at += size)).flatMap((change) => {
      const key = table.plan.transformKey(change.key);
      if (key.kind === 'row') return [{ change, at: key.values }];
      if (key.kind === 'quarantine') held.push({ key: change.key, reason: key.reason, column: key.column });
      return [];
    });
    const found = rowsOf(session, table, columns, changes.map(({ at: key }) => key));
    found.catch(() => {}); // thrown where it is awaited
    return { size, changes, found };
  };
  for (let group = at < pending.length ? read(FIRST_ROWS) : undefined; group !== undefined; ) {
    const { rows, bytes } = await group.found;
    const { changes, size } = group;
    const inQuarantine = new Set((await mayHold(table, changes.map(({ change }) => change.key))).map(textOf));
    group = at < pending.length ? read(Math.max(1, Math.min(AT_ONCE, size * 4, Math.floor((GROUP_BYTES * size) / Math.max(bytes, 1))))) : undefined;
    yield { changes, rows, inQuarantine };
  }
}

/** @param {import('../pg/session.mjs').Session} session @param {SyncTable} table @param {string[]} columns @param {Value[][]} keys @returns {Promise<{rows: Map<string, Tuple>, bytes: number}>} by key, locked */
async function rowsOf(session, table, columns, keys) {
  if (keys.length === 0) return { rows: new Map(), bytes: 0 };
  const { targetKey } = table;
  const list = [...columns, ...targetKey.map(({ name }) => name).filter((name) => !columns.includes(name))];
  const keyAt = targetKey.map(({ name }) => list.indexOf(name));
  const found = await session.rows(`SELECT ${list.map((column) => `t.${ident(column)}`).join(', ')} FROM ${withKeys(targetKey, table.onGreen, keys)} FOR UPDATE OF t`);
  return {
    rows: new Map(found.map((row) => [textOf(keyAt.map((at) => row[at])), list.length === columns.length ? row : row.slice(0, columns.length)])),
    bytes: found.reduce((sum, row) => row.reduce((length, value) => length + (value?.length ?? 0), sum), 0),
  };
}

/**
 * Rows whose idempotency key another row has there.
 * @param {import('../pg/session.mjs').Session} session @param {SyncTable} table @param {Wanted[]} wanted @returns {Promise<Set<Wanted>>}
 */
async function usedTwice(session, table, wanted) {
  const { plan, target, targetKey, targetKeyAt, onGreen: there } = table;
  const names = table.idempotency;
  /** @type {Set<Wanted>} */
  const found = new Set();
  if (names.length === 0) return found;
  const columns = names.map((name) => {
    const { equal = '=' } = target.columns.find((column) => column.name === name) ?? {};
    return { name, at: plan.targetColumns.indexOf(name), ...valueType(target, name), equal };
  });
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const some = wanted.slice(at, at + AT_ONCE);
    const { set, value } = valueSet([...columns, ...targetKey], some.map(({ values }) => [...columns.map((column) => values[column.at]), ...targetKeyAt.map((at) => values[at])]));
    const rows = await session.rows(
      `SELECT DISTINCT w.n FROM ${set} JOIN ${there} AS t ON ${columns.map(({ name, equal }, i) => `t.${ident(name)} ${equal} ${value(i)}`).join(' AND ')}
        WHERE NOT (${sameKey(targetKey, ({ name }) => `t.${ident(name)}`, (_, i) => value(columns.length + i))})`);
    for (const [n] of rows) found.add(/** @type {Wanted} */ (some[Number(n) - 1]));
  }
  return found;
}
