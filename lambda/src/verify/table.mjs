import { compareExpected, fillExpected, sumOfBlue, sumOfExpected, sumOfGreen } from './expected.mjs';
import { nextRange } from './ranges.mjs';

/**
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('./moment.mjs').Moment} Moment
 * @typedef {import('./ranges.mjs').Range} Range
 * @typedef {{any: boolean, holds: (key: string[]) => boolean}} HeldKeys keys of blue whose rows are in quarantine
 * @typedef {import('./expected.mjs').Checksum} Checksum
 * @typedef {{to: string[] | null, counts: {rows: number, filtered: number, heldBack: number}, actual: Checksum, difference: import('./expected.mjs').Difference | undefined}} Part
 *
 * @typedef {object} TableAnswer
 * @property {string} source
 * @property {string} target
 * @property {boolean} ok
 * @property {number} blueRows
 * @property {number} greenRows
 * @property {number} filtered rows that the mapping leaves out
 * @property {number} heldBack rows in quarantine
 * @property {string} checksum of green's rows, in any order; keyed in the answer
 * @property {number} ranges
 * @property {number} missing rows that green lacks
 * @property {number} extra rows that green should not have
 * @property {number} different
 * @property {Record<string, string | null>[]} firstKeys of green's key, never other columns; masked in the answer
 */

const FIRST_KEYS = 10;
const BITS = (1n << 64n) - 1n;

/**
 * @param {Moment} moment @param {SyncTable} table @param {HeldKeys} held
 * @param {() => boolean} inTime
 * @param {string[][]} [all] where green's keys of all rows that differ are to be put
 * @returns {Promise<TableAnswer | undefined>} undefined: the time ended
 */
export async function verifyTable(moment, table, held, inTime, all) {
  /** @type {TableAnswer} */
  const answer = {
    source: table.name, target: table.targetName, ok: true, blueRows: 0, greenRows: 0, filtered: 0, heldBack: 0, checksum: '', ranges: 0,
    missing: 0, extra: 0, different: 0, firstKeys: [],
  };
  let sum = 0n;
  /** @type {string[] | null} */
  let after = null;
  do {
    if (!inTime()) return undefined;
    const from = /** @type {string[] | null} */ (after);
    /** @type {Part} */
    const part = await moment.read(table, async (blue, green) => compareRange(blue, green, table, await nextRange(blue, table, from), held));
    answer.blueRows += part.counts.rows;
    answer.filtered += part.counts.filtered;
    answer.heldBack += part.counts.heldBack;
    answer.greenRows += part.actual.rows;
    answer.ranges += 1;
    sum += part.actual.sum;
    if (part.difference !== undefined) {
      answer.missing += part.difference.missing;
      answer.extra += part.difference.extra;
      answer.different += part.difference.different;
      answer.firstKeys = [...answer.firstKeys, ...part.difference.keys].slice(0, FIRST_KEYS);
      answer.ok = false;
      all?.push(...part.difference.all);
    }
    after = part.to;
  } while (after !== null);
  answer.checksum = (sum & BITS).toString(16).padStart(16, '0');
  return answer;
}

/** @param {Session} blue @param {Session} green @param {SyncTable} table @param {Range} range @param {HeldKeys} held @returns {Promise<Part>} */
async function compareRange(blue, green, table, range, held) {
  if (table.plan.identity && !held.any) {
    const [expected, actual] = await both(sumOfBlue(blue, table, range), sumOfGreen(green, table, range));
    if (same(expected, actual)) return { to: range.to, counts: { rows: expected.rows, filtered: 0, heldBack: 0 }, actual, difference: undefined };
  }
  const counts = await fillExpected(blue, green, table, range, held.holds);
  const expected = await sumOfExpected(green);
  const actual = await sumOfGreen(green, table, range);
  return { to: range.to, counts, actual, difference: same(expected, actual) ? undefined : await compareExpected(green, table, range) };
}

/** Both to their end, so that no statement is under way when one has failed. @template T @param {Promise<T>} one @param {Promise<T>} other @returns {Promise<[T, T]>} */
async function both(one, other) {
  const ended = await Promise.allSettled([one, other]);
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
  return /** @type {[T, T]} */ (ended.map((result) => /** @type {PromiseFulfilledResult<T>} */ (result).value));
}

/** @param {import('./expected.mjs').Checksum} one @param {import('./expected.mjs').Checksum} other */
const same = (one, other) => one.rows === other.rows && one.sum === other.sum;
