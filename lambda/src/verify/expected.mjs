import { columnList, decodeRow, encodeRow, ident, literal, qualified } from '../pg/text.mjs';
import { wholeRows } from '../pg/rows.mjs';
import { SCHEMA } from '../sync/state.mjs';
import { Sink } from '../sync/streams.mjs';

/**
 * What green should hold for a range, in a temporary table beside what it holds: blue's rows as the mapping makes them, under
 * green's own types, so that nothing but the content can differ.
 *
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 * @typedef {import('./snapshot.mjs').Moment} Moment
 * @typedef {import('./ranges.mjs').Range} Range
 * @typedef {{rows: number, sum: bigint}} Checksum independent of the order of rows
 * @typedef {{missing: number, extra: number, different: number, keys: Record<string, string | null>[]}} Difference
 */

const FIRST_KEYS = 10;
/** Rows beyond this in one range are of no more use to a person. */
const DIFFERENCES = 10_000;

/** @param {string[]} columns */
const hash = (columns) => `hashtextextended(ROW(${columnList(columns)})::text COLLATE "C", 0)`;

/** @param {import('../pg/session.mjs').Session} session @param {string} expression @param {string} from @returns {Promise<Checksum>} */
async function checksum(session, expression, from) {
  const [rows, sum] = await session.row(`SELECT count(*), coalesce(sum(${expression}), 0) FROM ${from}`);
  return { rows: Number(rows), sum: BigInt(sum ?? 0) };
}

/** @param {Moment} moment @param {SyncTable} table @param {Range} range */
export const sumOfBlue = ({ blue }, table, range) => checksum(blue, hash(table.plan.sourceColumns), `${table.onBlue} WHERE ${range.source}`);

/** @param {Moment} moment @param {SyncTable} table @param {Range} range */
export const sumOfGreen = ({ green }, table, range) => checksum(green, hash(table.plan.targetColumns), `${table.onGreen} WHERE ${range.target}`);

/** @param {Moment} moment @param {SyncTable} table */
export const sumOfExpected = ({ green }, table) => checksum(green, hash(table.plan.targetColumns), 'pg_temp.expected');

/**
 * @param {Moment} moment @param {SyncTable} table @param {Range} range
 * @returns {Promise<{rows: number, filtered: number, heldBack: number}>}
 */
export async function fillExpected({ blue, green }, table, range) {
  const { plan } = table;
  await green.run(`DROP TABLE IF EXISTS pg_temp.expected; CREATE TEMPORARY TABLE expected ON COMMIT DROP AS SELECT ${columnList(plan.targetColumns)} FROM ${qualified(plan.target)} WITH NO DATA`);
  const sink = new Sink(green.copyIn(`COPY pg_temp.expected (${columnList(plan.targetColumns)}) FROM STDIN`));
  const counts = { rows: 0, filtered: 0, heldBack: 0 };
  for await (const block of wholeRows(blue.copyOut(`COPY (SELECT ${columnList(plan.sourceColumns)} FROM ${table.onBlue} WHERE ${range.source}) TO STDOUT`))) {
    let out = '';
    for (const line of block.toString('utf8', 0, block.length - 1).split('\n')) {
      counts.rows += 1;
      const result = plan.transform(decodeRow(line));
      if (result.kind === 'row') out += encodeRow(/** @type {(string | null)[]} */ (result.values));
      else if (result.kind === 'skip') counts.filtered += 1;
      else counts.heldBack += 1;
    }
    if (out !== '') await green.guard(sink.write(out));
  }
  await green.guard(sink.end());
  // Rows that the mapping can transform and green refuses are in quarantine too.
  counts.heldBack += await green.run(
    `DELETE FROM pg_temp.expected e USING ${SCHEMA}.quarantine q, LATERAL jsonb_populate_record(NULL::${qualified(plan.target)}, q.key::jsonb) k
      WHERE q.source = ${literal(table.name)} AND q.key LIKE '{%' AND ${sameKey(table, 'e', 'k')}`);
  return counts;
}

/** @param {Moment} moment @param {SyncTable} table @param {Range} range after `fillExpected` @returns {Promise<Difference>} */
export async function compareExpected({ green }, table, range) {
  const { plan } = table;
  const key = plan.targetKey.map((column) => `coalesce(e.${ident(column)}, t.${ident(column)})`);
  const first = ident(/** @type {string} */ (plan.targetKey[0]));
  const rows = await green.rows(
    `SELECT CASE WHEN t.${first} IS NULL THEN 'missing' WHEN e.${first} IS NULL THEN 'extra' ELSE 'different' END, ${key.join(', ')}
       FROM (SELECT *, ${hash(plan.targetColumns)} AS "payment_migration hash" FROM pg_temp.expected) e
       FULL JOIN (SELECT ${columnList(plan.targetColumns)}, ${hash(plan.targetColumns)} AS "payment_migration hash" FROM ${table.onGreen} WHERE ${range.target}) t ON ${sameKey(table, 'e', 't')}
      WHERE e."payment_migration hash" IS DISTINCT FROM t."payment_migration hash" ORDER BY ${key.join(', ')} LIMIT ${DIFFERENCES}`);
  const count = (/** @type {string} */ kind) => rows.filter(([found]) => found === kind).length;
  const keys = rows.slice(0, FIRST_KEYS).map(([, ...values]) => Object.fromEntries(plan.targetKey.map((column, i) => [column, values[i] ?? null])));
  return { missing: count('missing'), extra: count('extra'), different: count('different'), keys };
}

/** @param {SyncTable} table @param {string} one @param {string} other */
const sameKey = ({ plan }, one, other) => plan.targetKey.map((column) => `${one}.${ident(column)} = ${other}.${ident(column)}`).join(' AND ');
