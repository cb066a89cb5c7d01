import { compareExpected, fillExpected, sumOfBlue, sumOfExpected, sumOfGreen } from './expected.mjs';
import { ranges } from './ranges.mjs';

/**
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 * @typedef {import('./snapshot.mjs').Moment} Moment
 *
 * @typedef {object} TableAnswer
 * @property {string} source
 * @property {string} target
 * @property {boolean} ok
 * @property {number} blueRows
 * @property {number} greenRows
 * @property {number} filtered rows that the mapping leaves out
 * @property {number} heldBack rows in quarantine
 * @property {string} checksum of green's rows, in any order
 * @property {number} ranges
 * @property {number} missing rows that green lacks
 * @property {number} extra rows that green should not have
 * @property {number} different
 * @property {Record<string, string | null>[]} firstKeys of green's key, never other columns
 */

const FIRST_KEYS = 10;
const BITS = (1n << 64n) - 1n;

/**
 * @param {Moment} moment @param {SyncTable} table
 * @param {number} heldBack rows of this table in quarantine
 * @param {() => boolean} inTime
 * @returns {Promise<TableAnswer | undefined>} undefined: the time ended
 */
export async function verifyTable(moment, table, heldBack, inTime) {
  /** @type {TableAnswer} */
  const answer = {
    source: table.name, target: table.targetName, ok: true, blueRows: 0, greenRows: 0, filtered: 0, heldBack: 0, checksum: '', ranges: 0,
    missing: 0, extra: 0, different: 0, firstKeys: [],
  };
  let sum = 0n;
  for await (const range of ranges(moment.blue, table)) {
    if (!inTime()) return undefined;
    const actual = sumOfGreen(moment, table, range);
    actual.catch(() => {}); // thrown where it is awaited
    const bothInSql = table.plan.identity && heldBack === 0;
    let equal;
    if (bothInSql) {
      const expected = await sumOfBlue(moment, table, range);
      answer.blueRows += expected.rows;
      equal = same(expected, await actual);
    } else {
      await actual; // one statement at a time on green
      const counts = await fillExpected(moment, table, range);
      answer.blueRows += counts.rows;
      answer.filtered += counts.filtered;
      answer.heldBack += counts.heldBack;
      equal = same(await sumOfExpected(moment, table), await actual);
    }
    answer.greenRows += (await actual).rows;
    answer.ranges += 1;
    sum += (await actual).sum;
    if (equal) continue;
    if (bothInSql) await fillExpected(moment, table, range);
    const { missing, extra, different, keys } = await compareExpected(moment, table, range);
    answer.missing += missing;
    answer.extra += extra;
    answer.different += different;
    answer.firstKeys = [...answer.firstKeys, ...keys].slice(0, FIRST_KEYS);
    answer.ok = false;
  }
  answer.checksum = (sum & BITS).toString(16).padStart(16, '0');
  return answer;
}

/** @param {import('./expected.mjs').Checksum} one @param {import('./expected.mjs').Checksum} other */
const same = (one, other) => one.rows === other.rows && one.sum === other.sum;
