import { DescribeTableCommand, GetItemCommand, PutItemCommand, ScanCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { PermanentError } from '../lib/errors.mjs';
import { systemClock } from '../lib/clock.mjs';
import { retry } from '../lib/retry.mjs';
import { readItem, sameItem } from './item.mjs';
import { meaningOf, unchangedSince } from './write.mjs';

/**
 * Brings over the sessions that blue's table holds already, while its stream is replicated. A session that the stream has spoken
 * of, or that green has, is left alone: both are at least as late. What blue changes after it was read is still to come in the
 * stream, which must have begun before.
 *
 * The table is read in segments, each as a whole or again from its beginning: so no position has to be kept, which would hold a key.
 *
 * @typedef {import('./item.mjs').Item} Item
 * @typedef {import('./write.mjs').Target} Target
 *
 * @typedef {object} CopyAnswer
 * @property {'continue' | 'done'} status
 * @property {number} segment to go on with
 * @property {number} segments
 * @property {number} copied
 * @property {number} present green had them, or the stream had spoken of them
 */

const SEGMENTS = 100;
const MOST_SEGMENTS = 1_000_000;
const MOST_PER_SECOND = 1_000_000;
/** Sessions at the same time. */
const AT_ONCE = 8;
/** A place before all of the stream. */
const BEGINNING = { stream: '', sequence: '0' };

/**
 * @param {{segment?: unknown, segments?: unknown, perSecond?: unknown}} event `perSecond`: no more sessions are read and written in a second
 * @param {Target & Pick<import('../lib/invocation.mjs').Invocation, 'log' | 'metrics' | 'deadline'> & {sourceTable: string | undefined, clock?: import('../lib/clock.mjs').Clock}} options
 * @returns {Promise<CopyAnswer>}
 */
export async function copySegment(event, options) {
  const { sourceTable, log, metrics } = options;
  if (sourceTable === undefined)
    throw new PermanentError('CONFIG', 'SOURCE_TABLE is missing (the name of a DynamoDB table): copy reads it', { hint: "set it to the name of blue's sessions table" });
  const segments = whole(event.segments, 'segments', 1, MOST_SEGMENTS) ?? SEGMENTS;
  const first = whole(event.segment, 'segment', 0, segments - 1) ?? 0;
  const { Table } = await retry(() => options.client.send(new DescribeTableCommand({ TableName: sourceTable })), retrying(options));
  const keyNames = (Table?.KeySchema ?? []).map(({ AttributeName }) => AttributeName ?? '');
  const counts = { copied: 0, present: 0 };
  const pace = paceOf(whole(event.perSecond, 'perSecond', 1, MOST_PER_SECOND), options);
  let segment = first;
  for (; segment < segments; segment += 1) {
    if (!(await oneSegment(sourceTable, keyNames, segment, segments, counts, pace, options))) {
      if (segment === first)
        throw new PermanentError('TIMEOUT', 'the time of the invocation does not suffice for one segment', { hint: `give the function more time, or copy in more than ${segments} segments` });
      break;
    }
  }
  metrics.count('RowsCopied', counts.copied);
  log.info('sessions copied', { rows: counts.copied, count: segment, done: segment === segments });
  return { status: segment === segments ? 'done' : 'continue', segment, segments, ...counts };
}

/**
 * @param {string} sourceTable @param {string[]} keyNames @param {number} segment @param {number} segments @param {{copied: number, present: number}} counts
 * @param {(count: number) => Promise<boolean>} pace
 * @param {Parameters<typeof copySegment>[1]} options
 * @returns {Promise<boolean>} whether the time sufficed
 */
async function oneSegment(sourceTable, keyNames, segment, segments, counts, pace, options) {
  const { client, deadline, clock } = options;
  const again = retrying(options);
  /** @type {Item | undefined} */
  let from;
  do {
    const start = from;
    const page = await retry(() => client.send(new ScanCommand({ TableName: sourceTable, Segment: segment, TotalSegments: segments, ConsistentRead: true, ExclusiveStartKey: start })), again);
    const items = (page.Items ?? []).map(readItem);
    for (let at = 0; at < items.length; at += AT_ONCE) {
      if (!deadline.allows()) return false;
      const outcomes = await Promise.all(items.slice(at, at + AT_ONCE).map((item) => retry(() => load(options, keyNames, item, (clock?.now ?? Date.now)()), again)));
      for (const outcome of outcomes) counts[outcome] += 1;
      if (!(await pace(outcomes.length))) return false;
    }
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return true;
}

/**
 * Waits as long as so many sessions may take: the tables serve the applications too.
 * @param {number | undefined} perSecond @param {Parameters<typeof copySegment>[1]} options
 * @returns {(count: number) => Promise<boolean>} whether the time suffices for that
 */
function paceOf(perSecond, { deadline, clock = systemClock }) {
  const began = clock.now();
  let done = 0;
  return async (count) => {
    if (perSecond === undefined) return true;
    done += count;
    const wait = began + (done * 1000) / perSecond - clock.now();
    if (wait <= 0) return true;
    if (!deadline.allows(wait)) return false;
    await clock.sleep(wait);
    return true;
  };
}

/** @param {Parameters<typeof copySegment>[1]} options */
const retrying = ({ deadline, clock, log }) => ({
  deadline, clock,
  onRetry: (/** @type {Error} */ error, /** @type {number} */ attempt, /** @type {number} */ pauseMs) => log.warn('retrying a session', { error, attempt, pauseMs }),
});

/** @param {Target} target @param {string[]} keyNames @param {Item} item @param {number} now @returns {Promise<'copied' | 'present'>} */
async function load({ client, targetTable: table, checkpoints, attributes }, keyNames, item, now) {
  const key = Object.fromEntries(keyNames.map((name) => [name, /** @type {import('./item.mjs').AttributeValue} */ (item[name])]));
  try {
    if ((await checkpoints.read(key)) !== undefined) return 'present';
    const green = (await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }))).Item;
    if (green !== undefined && !sameItem(green, item)) return 'present';
    const move = await checkpoints.move(key, undefined, { place: BEGINNING, fingerprint: await checkpoints.fingerprint(item) }, now);
    if (green !== undefined) await client.send(new PutItemCommand(move));
    else await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName: table, Item: item, ...unchangedSince(key, green, attributes) } }, { Put: move }] }));
    return green === undefined ? 'copied' : 'present';
  } catch (error) {
    return meaningOf(error);
  }
}

/** @param {unknown} value @param {string} name @param {number} least @param {number} most */
function whole(value, name, least, most) {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new PermanentError('EVENT', `the event's "${name}" is not accepted`, { hint: `it takes a whole number from ${least} to ${most}` });
}
