import { columnList, decodeRow, encodeRow, ident, recordText } from '../pg/text.mjs';
import { wholeRows } from '../pg/rows.mjs';
import { valueLimit } from '../sync/limits.mjs';
import { Sink } from '../sync/streams.mjs';

/**
 * What green should hold for a range, in a temporary table beside what it holds: blue's rows as the mapping makes them, as the text that
 * PostgreSQL prints. Nothing of it goes through green's types, whose input functions, domains and settings may change or refuse a value.
 *
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('./ranges.mjs').Range} Range
 * @typedef {{rows: number, sum: bigint}} Checksum independent of the order of rows
 * @typedef {{missing: number, extra: number, different: number, keys: Record<string, string | null>[], all: string[][]}} Difference `keys`: of the first; `all`: of green's keys, up to 10,000
 */

const FIRST_KEYS = 10;
/** Rows beyond this in one range are of no more use to a person. */
const DIFFERENCES = 10_000;

/** @param {string} text */
const hashed = (text) => `hashtextextended(${text} COLLATE "C", 0)`;

/** @param {string[]} columns */
const rowHash = (columns) => hashed(`ROW(${columnList(columns)})::text`);

/** @param {Session} session @param {string} expression @param {string} from @returns {Promise<Checksum>} */
async function checksum(session, expression, from) {
  const [rows, sum] = await session.row(`SELECT count(*), coalesce(sum(${expression}), 0) FROM ${from}`);
  return { rows: Number(rows), sum: BigInt(sum ?? 0) };
}

/** @param {Session} blue @param {SyncTable} table @param {Range} range */
export const sumOfBlue = (blue, table, range) => checksum(blue, rowHash([...table.plan.sourceColumns, ...table.plan.computed]), `${table.onBlue} WHERE ${range.source}`);

/** @param {Session} green @param {SyncTable} table @param {Range} range */
export const sumOfGreen = (green, table, range) => checksum(green, rowHash([...table.plan.targetColumns, ...table.plan.computed]), `${table.onGreen} WHERE ${range.target}`);

/** @param {Session} green */
export const sumOfExpected = (green) => checksum(green, hashed('line'), 'pg_temp.expected');

/**
 * @param {Session} blue @param {Session} green @param {SyncTable} table @param {Range} range
 * @param {(key: string[]) => boolean} isHeld is the row of this key of blue in quarantine?
 * @returns {Promise<{rows: number, filtered: number, heldBack: number}>}
 */
export async function fillExpected(blue, green, table, range, isHeld) {
  const { plan, targetKeyAt } = table;
  const keys = plan.targetKey.map((_, i) => `k${i}`);
  await green.run(`DROP TABLE IF EXISTS pg_temp.expected; CREATE TEMPORARY TABLE expected (${keys.map((key) => `${key} text`).join(', ')}, line text) ON COMMIT DROP`);
  const sink = new Sink(green.copyIn(`COPY pg_temp.expected (${keys.join(', ')}, line) FROM STDIN`));
  const counts = { rows: 0, filtered: 0, heldBack: 0 };
  for await (const block of wholeRows(blue.copyOut(`COPY (SELECT ${columnList([...plan.sourceColumns, ...plan.computed])} FROM ${table.onBlue} WHERE ${range.source}) TO STDOUT`), valueLimit(table))) {
    let out = '';
    for (const line of block.toString('utf8', 0, block.length - 1).split('\n')) {
      counts.rows += 1;
      const row = decodeRow(line);
      const computed = row.splice(plan.sourceColumns.length);
      const result = plan.transform(row);
      if (result.kind === 'skip') counts.filtered += 1;
      else if (result.kind !== 'row' || isHeld(table.keyOf(row))) counts.heldBack += 1;
      else {
        const values = /** @type {(string | null)[]} */ (result.values);
        out += encodeRow([...targetKeyAt.map((at) => values[at] ?? null), recordText([...values, ...computed])]);
      }
    }
    if (out !== '') await green.guard(sink.write(out));
  }
  await green.guard(sink.end());
  return counts;
}

/** @param {Session} green @param {SyncTable} table @param {Range} range after `fillExpected` @returns {Promise<Difference>} */
export async function compareExpected(green, table, range) {
  const { plan } = table;
  const names = plan.targetKey.map((_, i) => `k${i}`);
  const keys = names.map((name) => `coalesce(e.${name}, t.${name})`);
  const printed = plan.targetKey.map((column, i) => `format('%s', ${ident(column)}) AS k${i}`); // as its type prints it
  const rows = await green.rows(
    `SELECT CASE WHEN t.k0 IS NULL THEN 'missing' WHEN e.k0 IS NULL THEN 'extra' ELSE 'different' END, ${keys.join(', ')}
       FROM (SELECT ${names.join(', ')}, ${hashed('line')} AS hash FROM pg_temp.expected) e
       FULL JOIN (SELECT ${printed.join(', ')}, ${rowHash([...plan.targetColumns, ...plan.computed])} AS hash FROM ${table.onGreen} WHERE ${range.target}) t ON ${names.map((name) => `e.${name} = t.${name}`).join(' AND ')}
      WHERE e.hash IS DISTINCT FROM t.hash ORDER BY ${keys.map((key) => `length(${key}), ${key} COLLATE "C"`).join(', ')} LIMIT ${DIFFERENCES}`);
  const count = (/** @type {string} */ kind) => rows.filter(([found]) => found === kind).length;
  const first = rows.slice(0, FIRST_KEYS).map(([, ...values]) => Object.fromEntries(plan.targetKey.map((column, i) => [column, values[i] ?? null])));
  return { missing: count('missing'), extra: count('extra'), different: count('different'), keys: first, all: rows.map(([, ...values]) => /** @type {string[]} */ (values)) };
}
