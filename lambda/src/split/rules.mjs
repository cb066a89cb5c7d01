import { createHash } from 'node:crypto';

/**
 * What becomes of a row that both sides may have changed (mode two-way). Rows are compared and merged in green's form: values of the columns that the mapping
 * writes, in its order.
 *
 * Blue decides. Whatever green's application has changed is decided on blue, and what comes of it goes to green in blue's stream, after all that
 * blue has had before. Green takes what blue's stream offers unless its own application has changed the row since: then the row stays until blue has decided about that change. So the last state
 * in blue's log is the last one on green, in whichever order changes arrive; and nobody sees a write of his own undone by an older one.
 *
 * @typedef {(string | null | undefined)[] | null} Row null: it is not there
 * @typedef {'append-only' | 'state-machine' | 'merged' | 'reference' | 'derived'} Kind
 * @typedef {object} Rule of one table
 * @property {Kind} kind
 * @property {string[]} columns of green, in the order of the rows
 * @property {number} state where the state stands; -1 without
 * @property {ReadonlyMap<string, ReadonlySet<string>>} reach the states that can come after one, at last
 * @property {number[]} immutable
 * @property {string[]} idempotency columns of green
 *
 * @typedef {{kind: 'nothing'} | {kind: 'later'} | {kind: 'write', row: Row, merged: boolean} | {kind: 'hold', reason: string, column?: string}} Decision
 *   `later`: the other side decides; `merged`: both had changed it
 */

const NOTHING = /** @type {const} */ ({ kind: 'nothing' });
const LATER = /** @type {const} */ ({ kind: 'later' });

/** @param {Row} row @param {boolean} [merged] @returns {Decision} */
const write = (row, merged = false) => ({ kind: 'write', row, merged });

/** @param {string} reason @param {string} [column] @returns {Decision} */
const hold = (reason, column) => ({ kind: 'hold', reason, column });

/** @param {Row | undefined} a @param {Row | undefined} b */
export const same = (a, b) => a === b || (a != null && b != null && a.length === b.length && a.every((value, i) => value === b[i]));

/** Names a row in the log, where its values need not stand twice. @param {Row} row */
export const digestOf = (row) => createHash('sha256').update(JSON.stringify(row)).digest('hex').slice(0, 32);

/**
 * @typedef {object} Change
 * @property {Row} there what the side has that the change comes to
 * @property {Row | undefined} before what the other side had; undefined: that is not known
 * @property {Row} after
 * @property {boolean} held the row could not be brought over so far
 */

/** A change of blue comes to green. @param {Rule} rule @param {Change & {seen: {has: (digest: string) => boolean}}} change `seen`: green's states about which blue has decided @returns {Decision} */
export function offered(rule, { there, before, after, held, seen }) {
  if (same(there, after)) return NOTHING;
  switch (rule.kind) {
    case 'reference':
    case 'derived':
      return write(after);
    case 'append-only':
      return there === null && (before == null || held) ? write(after) : hold('a row of an append-only table was changed or deleted, or both sides made it');
    default:
      if (same(there, before) || (there === null && held) || seen.has(digestOf(there))) return write(after);
      if (before === undefined) return there === null ? write(after) : hold('what the row was before it was changed is not in the log');
      return LATER;
  }
}

/** A change of green comes to blue. @param {Rule} rule @param {Change} change @returns {Decision} */
export function decided(rule, { there, before, after, held }) {
  if (rule.kind === 'derived' || same(there, after)) return NOTHING;
  if (rule.kind === 'reference') return hold('only blue writes this table');
  if (there === null && after !== null && (before == null || held)) return write(after);
  if (rule.kind === 'append-only') return hold('a row of an append-only table was changed or deleted, or both sides made it');
  if (before === undefined) return hold('what the row was before it was changed is not in the log');
  if (rule.kind === 'state-machine' && (there === null || after === null)) return hold('a row with a state was deleted');
  if (rule.kind === 'state-machine' && before === null) return hold('both sides have made the row');
  const fixed = there === null || after === null ? undefined : rule.immutable.find((at) => after[at] !== there[at]);
  if (fixed !== undefined) return hold('a value that never changes is not the same on both sides', rule.columns[fixed]);
  if (same(there, before)) return write(after);
  if (there === null || after === null) return hold('one side has deleted the row, the other one has changed it');
  if (before === null) return write(there, true);
  return rule.kind === 'state-machine' ? ofState(rule, there, before, after) : write(columnByColumn(there, before, after, true), true);
}

/** @typedef {(string | null | undefined)[]} Values @param {Rule} rule @param {Values} there @param {Values} before @param {Values} after @returns {Decision} */
function ofState(rule, there, before, after) {
  const [onBlue, onGreen] = [`${there[rule.state]}`, `${after[rule.state]}`];
  const forward = rule.reach.get(onBlue)?.has(onGreen) === true;
  if (onBlue !== onGreen && !forward && rule.reach.get(onGreen)?.has(onBlue) !== true) return hold('neither state can come after the other one', rule.columns[rule.state]);
  const merged = columnByColumn(there, before, after, !forward);
  merged[rule.state] = forward ? after[rule.state] : there[rule.state];
  return write(merged, true);
}

/**
 * What only one side has changed is taken from it.
 * @param {Values} there @param {Values} before @param {Values} after @param {boolean} blueWins where both have
 */
const columnByColumn = (there, before, after, blueWins) => there.map((value, i) => (after[i] === before[i] ? value : value === before[i] || !blueWins ? after[i] : value));

/**
 * The states that can follow each, over any number of steps. @param {Record<string, string[]>} order @returns {Map<string, Set<string>>}
 */
export function reachable(order) {
  /** @type {Map<string, Set<string>>} */
  const reach = new Map();
  for (const from of Object.keys(order)) {
    /** @type {Set<string>} */
    const found = new Set();
    const open = [...(order[from] ?? [])];
    for (let state = open.pop(); state !== undefined; state = open.pop())
      if (!found.has(state)) {
        found.add(state);
        open.push(...(order[state] ?? []));
      }
    reach.set(from, found);
  }
  return reach;
}
