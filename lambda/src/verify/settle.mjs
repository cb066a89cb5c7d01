import { randomUUID } from 'node:crypto';
import { Pair } from '../control/pair.mjs';
import { withKeys } from '../pg/keys.mjs';
import { ident } from '../pg/text.mjs';
import { emitMarker } from '../sync/marks.mjs';
import { findOrphans } from './foreign-keys.mjs';
import { checkInvariants } from './invariants.mjs';

/**
 * Mode two-way: while both sides write there is no moment at which both can be compared. So rows that differ are read again after both streams have passed all that was written
 * before. A difference counts when both sides have the same as at the reading before, and both streams have passed that reading: nothing that is under way will change it.
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 * @typedef {{differing: Map<string, string[][]>, moving: number, held: number, orphans: import('./foreign-keys.mjs').Orphans[], invariants: import('./invariants.mjs').Invariant[], unreversed: number, syncedUntil: string | null}} Settled
 *   `differing`: green's keys by blue's table; `moving`: rows that changed at each reading; `held`: rows in quarantine on either side
 */

/** Rows that change all the time are met equal sooner or later. */
const SETTLE_MS = 60_000;
/** What still does not hold after so many passes is not under way. */
const ROUNDS = 4;
const RESERVE_MS = 5_000;
const AT_ONCE = 500;

/** @param {Invocation} invocation @param {Map<string, string[][]>} found green's keys of rows that differed, by blue's table @param {{orphans: import('./foreign-keys.mjs').Orphans[], invariants: import('./invariants.mjs').Invariant[], compared: string[]}} first what was found at the moment @returns {Promise<Settled>} */
export async function settle(invocation, found, first) {
  const pair = await Pair.open(invocation);
  const end = performance.now() + SETTLE_MS;
  const inTime = () => invocation.deadline.allows(RESERVE_MS);
  try {
    let open = new Map([...found].filter(([, keys]) => keys.length > 0));
    /** @type {Map<string, string>} */
    let before = new Map();
    /** @type {Settled} */
    const settled = { differing: new Map(), moving: 0, held: 0, orphans: first.orphans, invariants: first.invariants, unreversed: 0, syncedUntil: null };
    const heldKeys = new Set();
    for (let round = 1; ; round += 1) {
      await pass(pair, inTime);
      await checkRules(pair, settled, first.compared, inTime);
      /** @type {Map<string, string>} */
      const now = new Map();
      /** @type {Map<string, string[][]>} */
      const left = new Map();
      for (const [name, keys] of open) {
        for (const { key, difference } of await differences(pair, name, keys)) {
          const id = JSON.stringify([name, key]);
          if (difference === 'held') heldKeys.add(id);
          else if (before.get(id) === difference) settled.differing.set(name, [...(settled.differing.get(name) ?? []), key]);
          else {
            now.set(id, difference);
            left.set(name, [...(left.get(name) ?? []), key]);
          }
        }
      }
      const again = left.size > 0 || (round < ROUNDS && broken(settled));
      if (again && performance.now() < end && inTime()) {
        open = left;
        before = now;
        continue;
      }
      settled.moving = [...left.values()].reduce((sum, keys) => sum + keys.length, 0);
      settled.held = heldKeys.size;
      settled.syncedUntil = pair.forward.context.state.syncedUntil;
      settled.unreversed = pair.back.context.quarantine.total;
      await pair.close();
      return settled;
    }
  } catch (error) {
    pair.destroy();
    throw error;
  }
}

/** @param {Settled} settled */
const broken = ({ orphans, invariants }) => orphans.length > 0 || invariants.some(({ violations }) => violations > 0);

/** What did not hold at the moment may hold by now. @param {Pair} pair @param {Settled} settled @param {string[]} compared @param {() => boolean} inTime */
async function checkRules({ forward: { context: { green, tables, invariants } } }, settled, compared, inTime) {
  if (!broken(settled)) return;
  await green.run('BEGIN ISOLATION LEVEL REPEATABLE READ');
  if (settled.orphans.length > 0) settled.orphans = (await findOrphans(green, tables.filter(({ name }) => compared.includes(name)).map(({ target }) => target.oid), inTime)).orphans;
  if (settled.invariants.some(({ violations }) => violations > 0)) settled.invariants = (await checkInvariants(green, invariants, inTime)).found;
  await green.run('ROLLBACK');
}

/** Both streams read on until all that was written before is on the other side. @param {Pair} pair @param {() => boolean} inTime */
async function pass(pair, inTime) {
  // What blue has decided about green's changes has to be on green too.
  for (const [side, stream] of /** @type {const} */ ([['green', pair.back], ['blue', pair.forward]])) {
    const marker = randomUUID();
    await pair.session(side).row(emitMarker(pair.name, marker));
    await stream.until(marker, inTime);
  }
}

/** @param {Pair} pair @param {string} name @param {string[][]} keys of green @returns {Promise<{key: string[], difference: string}[]>} those that differ; `held`, or what both sides have */
async function differences({ forward, back }, name, keys) {
  const at = forward.context.tables.findIndex((table) => table.name === name);
  const [table, reverse] = [/** @type {SyncTable} */ (forward.context.tables[at]), /** @type {SyncTable} */ (back.context.tables[at])];
  /** @type {{key: string[], difference: string}[]} */
  const found = [];
  for (let n = 0; n < keys.length; n += AT_ONCE) {
    const some = keys.slice(n, n + AT_ONCE).map((key) => {
      const result = reverse.plan.transformKey(key);
      return { key, onBlue: result.kind === 'row' ? /** @type {string[]} */ (result.values) : undefined };
    });
    const known = some.flatMap(({ onBlue }) => (onBlue === undefined ? [] : [onBlue]));
    const green = await read(forward.context.green, table.targetKey, table.onGreen, [...table.plan.targetColumns, ...table.plan.computed], some.map(({ key }) => key));
    const blue = await read(forward.context.blue, table.sourceKey, table.onBlue, [...table.plan.sourceColumns, ...table.plan.computed], known);
    const heldOnBlue = new Set((await back.context.quarantine.mayHold(reverse, some.map(({ key }) => key))).map(textOf));
    const heldOnGreen = new Set((await forward.context.quarantine.mayHold(table, known)).map(textOf));
    for (const { key, onBlue } of some) {
      const row = onBlue && blue.get(textOf(onBlue));
      const computed = row?.splice(table.plan.sourceColumns.length) ?? [];
      const made = row === undefined ? undefined : table.plan.transform(row);
      const expected = made?.kind === 'row' ? JSON.stringify([...made.values, ...computed]) : (made?.kind ?? 'none');
      const actual = JSON.stringify(green.get(textOf(key))) ?? 'none';
      if (expected === actual || (expected === 'skip' && actual === 'none')) continue;
      const held = heldOnBlue.has(textOf(key)) || (onBlue !== undefined && heldOnGreen.has(textOf(onBlue)));
      found.push({ key, difference: held ? 'held' : `${expected}\0${actual}` });
    }
  }
  return found;
}

/** @param {(string | null | undefined)[]} key */
const textOf = (key) => key.join('\0');

/** @param {import('../pg/session.mjs').Session} session @param {import('../pg/keys.mjs').KeyColumn[]} key @param {string} from @param {string[]} columns @param {string[][]} keys @returns {Promise<Map<string, (string | null)[]>>} */
async function read(session, key, from, columns, keys) {
  if (keys.length === 0) return new Map();
  const rows = await session.rows(`SELECT ${[...columns, ...key.map(({ name }) => name)].map((column) => `t.${ident(column)}`).join(', ')} FROM ${withKeys(key, from, keys)}`);
  return new Map(rows.map((row) => [textOf(row.slice(columns.length)), row.slice(0, columns.length)]));
}
