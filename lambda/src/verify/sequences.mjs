import { ident, qualified } from '../pg/text.mjs';
import { advance, dropCached } from './advance.mjs';
import { readSequences } from './sequence-catalog.mjs';

/**
 * Sequences, which logical decoding does not carry. The rule is one of ranges, since both sides will write one day: the next value of green's
 * sequence is beyond every key that green has, and by a gap beyond what blue's sequence has given and blue's keys. They only move forward.
 *
 * @typedef {import('../sync/table.mjs').SyncTable} SyncTable
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {import('./sequence-catalog.mjs').Sequence} Sequence
 * @typedef {import('./sequence-catalog.mjs').Feed} Feed
 * @typedef {import('../mapping/types.mjs').SequenceRules} Rules
 * @typedef {{checked: number, raised: number, problems: string[]}} SequencesAnswer `problems`: why one is not known to be right
 */

/** Of the room that a sequence has, more than this part is not given away as a gap, unless the mapping says how much. */
const PART_OF_ROOM = 100n;
/** The largest values of the types of keys. @type {Record<string, bigint>} */
const LARGEST = { smallint: 32_767n, integer: 2_147_483_647n };

/**
 * @param {Session} blue @param {Session} green @param {SyncTable[]} tables @param {Rules} rules
 * @param {boolean} [wayBack] green's rows are or were brought to blue: blue's keys tell nothing of blue's range then, and blue's sequences must not come near green's range
 * @returns {Promise<SequencesAnswer>}
 */
export async function raiseSequences(blue, green, tables, rules, wayBack = false) {
  const [sources, targets] = await Promise.all([
    readSequences(blue, tables.map(({ source }) => source.oid)), readSequences(green, tables.map(({ target }) => target.oid)),
  ]);
  const pairs = pairUp(sources.sequences, targets.sequences, tables, rules);
  const problems = [...unresolved(targets.unresolved, tables, rules), ...withoutPartner(pairs, sources.sequences, tables, rules)];
  let raised = 0;
  for (const pair of pairs) {
    if (wayBack) problems.push(...(await headroom(blue, pair, rules)));
    const outcome = await raise(blue, green, pair, rules, wayBack);
    if (outcome.raised) raised += 1;
    problems.push(...outcome.problems);
  }
  return { checked: pairs.filter(({ partners }) => partners.length > 0).length, raised, problems };
}

/**
 * @typedef {object} Pair
 * @property {Sequence} target
 * @property {Sequence[]} partners
 * @property {{table: SyncTable, column: string, from: string | null, plain: boolean, part?: number}[]} columns that the mapping writes and the sequence feeds
 */

/** @param {Sequence[]} sources @param {Sequence[]} targets @param {SyncTable[]} tables @param {Rules} rules @returns {Pair[]} */
function pairUp(sources, targets, tables, rules) {
  return targets.flatMap((target) => {
    const columns = target.feeds.flatMap(({ table: oid, column, plain, part }) => {
      const table = tables.find((candidate) => candidate.target.oid === oid && candidate.plan.targetColumns.includes(column));
      return table === undefined ? [] : [{ table, column, from: sourceOf(table, column), plain, part }];
    });
    const named = rules.pairs[target.name];
    const fed = sources.filter((source) => columns.some(({ table, from }) => from !== null && source.feeds.some((feed) => feed.table === table.source.oid && feed.column === from)));
    const namesake = sources.filter(({ name }) => name === (named ?? target.name));
    const partners = [...new Set(named !== undefined ? namesake : [...fed, ...(fed.length === 0 ? namesake : [])])];
    return columns.length > 0 || partners.length > 0 ? [{ target, partners, columns }] : [];
  });
}

/** The column of blue that a column of green holds the values of. @param {SyncTable} table @param {string} column */
function sourceOf({ plan }, column) {
  return plan.carriedFrom[plan.targetColumns.indexOf(column)] ?? (plan.sourceColumns.includes(column) ? column : null);
}

/** @param {Pair[]} pairs @param {Sequence[]} sources @param {SyncTable[]} tables @param {Rules} rules */
function withoutPartner(pairs, sources, tables, rules) {
  const paired = new Set(pairs.flatMap(({ partners }) => partners));
  const advice = 'name its partner in the mapping under "sequences"."pairs", or name it under "sequences"."alone" if it needs none';
  const problems = pairs.filter(({ target, partners }) => partners.length === 0 && !rules.alone.includes(target.name)).map(({ target }) => `green's sequence ${target.name} has no partner on blue: ${advice}`);
  for (const source of sources) {
    const feeds = source.feeds.filter((feed) => tables.some(({ source: { oid }, plan }) => oid === feed.table && plan.carriedFrom.includes(feed.column)));
    const concerns = feeds.length > 0 || source.loose;
    if (concerns && !paired.has(source) && !rules.alone.includes(source.name)) problems.push(`blue's sequence ${source.name} has no partner on green: ${advice}`);
  }
  return problems;
}

/** @param {Feed[]} unresolved @param {SyncTable[]} tables @param {Rules} rules */
function unresolved(unresolved, tables, { alone }) {
  return unresolved.flatMap(({ table: oid, column }) => {
    const table = tables.find(({ target, plan }) => target.oid === oid && plan.targetColumns.includes(column) && isUnique(target, column));
    const name = table && `${table.targetName}.${column}`;
    return name === undefined || alone.includes(name)
      ? []
      : [`the default of green's column ${name} takes its values from a function or from a sequence that could not be found (or whose schema the user may not use): it is not known whether they are free. If they are, name ${name} under "sequences"."alone"`];
  });
}

/** Must its values be free? @param {import('../pg/catalog.mjs').Table} table @param {string} column */
const isUnique = ({ primaryKey, uniqueIndexes }, column) => primaryKey.includes(column) || uniqueIndexes.some(({ columns }) => columns.includes(column));

/** @param {Session} blue @param {Session} green @param {Pair} pair @param {Rules} rules @param {boolean} wayBack @returns {Promise<{raised: boolean, problems: string[]}>} */
async function raise(blue, green, { target, partners, columns }, rules, wayBack) {
  const problems = partners.filter(({ readable }) => !readable).map(({ name }) => `blue's sequence ${name} may not be read, so green's can't be compared with it: grant SELECT on it`);
  if (!target.readable) return { raised: false, problems: [...problems, `green's sequence ${target.name} may not be read: grant SELECT on it`] };
  if (target.cycles && columns.length > 0) problems.push(`green's sequence ${target.name} begins anew at its end (CYCLE) and feeds a column that is copied: ALTER SEQUENCE ... NO CYCLE`);
  const up = target.increment > 0n;
  const most = (/** @type {(bigint | null)[]} */ values) => values.reduce((best, value) => (value === null ? best : best === null || (up ? value > best : value < best) ? value : best), null);
  const onGreen = await Promise.all(columns.filter(({ plain }) => plain).map(({ table, column, part }) => extreme(green, table.target, rowsOf(table, part), column, up)));
  const onBlue = wayBack ? [] : await Promise.all(columns.filter(({ plain, from, table, part }) => plain && part === undefined && from !== null && leads(table.source, from)).map(({ table, from }) => extreme(blue, table.source, table.onBlue, from ?? '', up)));
  // A sequence of blue that has given nothing yet will do so, once both sides give keys.
  const given = most([...partners.map(({ last, next, increment }) => last ?? (wayBack ? next - increment : null)), ...onBlue]);
  const room = roomOf(target, columns, wayBack);
  const gap = gapOf(target, room, rules);
  const needed = most([most(onGreen), given === null ? null : up ? given + gap : given - gap]);
  if (needed === null || (up ? target.next > needed : target.next < needed)) return { raised: false, problems };
  if (up ? needed + target.increment > room : needed + target.increment < target.min)
    problems.push(`green's sequence ${target.name} ends at ${up ? room : target.min}, and has to go on from beyond ${needed}: give it a wider type or another limit (ALTER SEQUENCE ... AS bigint), or a smaller "sequences"."gap"`);
  else {
    const { moved, refused } = await advance(green, target, needed);
    if (refused === undefined) {
      const kept = target.cache > 1n ? await dropCached(green, target) : undefined;
      if (kept !== undefined)
        problems.push(`sessions of green may have values left of ${target.name} from before it was raised, since it has CACHE ${target.cache} (SQLSTATE ${kept}): ALTER SEQUENCE ... CACHE 1 takes them away, and so does a restart of green's services; then verify again`);
      return { raised: moved, problems };
    }
    problems.push(`green's sequence ${target.name} could not be raised (SQLSTATE ${refused}): grant UPDATE on it`);
  }
  return { raised: false, problems };
}

/** @param {SyncTable} table @param {number} [part] */
function rowsOf({ target, onGreen }, part) {
  const leaf = target.leaves.find(({ oid }) => oid === part);
  return leaf === undefined ? onGreen : qualified(leaf);
}

/** The largest value that fits into each column that takes it, on blue too where green's rows go there. @param {Sequence} target @param {Pair['columns']} columns @param {boolean} wayBack */
function roomOf({ max }, columns, wayBack) {
  const types = columns.filter(({ plain }) => plain).flatMap(({ table, column, from }) => [typeOf(table.target, column), wayBack && from !== null ? typeOf(table.source, from) : '']);
  return types.reduce((room, type) => least(room, LARGEST[type] ?? room), max);
}

/** @param {import('../pg/catalog.mjs').Table} table @param {string} name */
const typeOf = ({ columns }, name) => columns.find((column) => column.name === name)?.definition?.name ?? '';

/** @param {Sequence} target @param {bigint} room @param {Rules} rules */
const gapOf = (target, room, rules) => rules.gap ?? least(1_000_000n, (room - target.min) / PART_OF_ROOM);

/**
 * Blue's sequences go on in blue's range. The next key beyond is one that green has given: with less than a fifth of the gap left it is time to act.
 * @param {Session} blue @param {Pair} pair @param {Rules} rules @returns {Promise<string[]>}
 */
async function headroom(blue, { target, partners, columns }, rules) {
  /** @type {string[]} */
  const problems = [];
  const room = roomOf(target, columns, true);
  const gap = gapOf(target, room, rules);
  if (target.increment > 0n && columns.length > 0 && target.readable && (room - target.next) * 5n < gap)
    problems.push(`green's sequence ${target.name} is at ${target.next} and ends at ${room}, the largest key that fits on both sides: give the columns a wider type`);
  for (const { name, schema, relation, readable, increment, feeds } of partners) {
    if (increment < 0n || !readable) continue;
    // In this order: the statement's snapshot, then where the sequence is. A key of blue's own in the snapshot is not beyond it.
    const next = `(SELECT last_value + is_called::int FROM ${ident(schema)}.${ident(relation)})`;
    for (const { table, from, plain } of columns) {
      if (!plain || from === null || !leads(table.source, from) || !['smallint', 'integer', 'bigint'].includes(table.source.columns.find((column) => column.name === from)?.definition?.name ?? '') || !feeds.some((feed) => feed.table === table.source.oid && feed.column === from)) continue;
      const [beyond, at] = await blue.row(`SELECT min(${ident(from)}), ${next} FROM ${table.onBlue} WHERE ${ident(from)} >= ${next}`);
      // Where the very next value is taken, blue's application has given keys by hand: green's begin a gap beyond.
      const left = beyond === null || beyond === undefined ? 0n : BigInt(beyond) - BigInt(at ?? 0);
      if (left > 0n && left * 5n < gap)
        problems.push(`blue's sequence ${name} is at ${at}, near the keys that green has given (${table.name}.${from} from ${beyond} on): raise it beyond all of them (setval) before blue takes writes`);
    }
  }
  return problems;
}

/** @param {bigint} a @param {bigint} b */
const least = (a, b) => (a < b ? a : b);

const WHOLE = new Set(['smallint', 'integer', 'bigint', 'numeric']);

/** The largest whole number in a column. @param {Session} session @param {import('../pg/catalog.mjs').Table} table @param {string} from @param {string} column @param {boolean} up */
async function extreme(session, table, from, column, up) {
  const type = table.columns.find(({ name }) => name === column)?.definition;
  if (type === undefined || !WHOLE.has(type.name)) return null;
  const finite = type.name === 'numeric' ? ` WHERE ${ident(column)} NOT IN ('NaN', 'Infinity', '-Infinity')` : '';
  const [value] = await session.row(`SELECT ${up ? 'ceil(max' : 'floor(min'}(${ident(column)})::numeric)::text FROM ${from}${finite}`);
  return value === null || value === undefined ? null : BigInt(value);
}

/** Does the key begin with it? Then blue finds its largest value at once. @param {import('../pg/catalog.mjs').Table} table @param {string} column */
const leads = ({ primaryKey }, column) => primaryKey[0] === column;
