import { classify } from '../lib/classify.mjs';
import { TransientError } from '../lib/errors.mjs';
import { retry } from '../lib/retry.mjs';
import { readChange } from './change.mjs';
import { write } from './write.mjs';

/** A record is not begun when the invocation may end in the middle of it. */
const LONGEST_WRITE_MS = 1_000;

/**
 * Writes a batch, one record after the other in the stream's order. The first that fails ends the batch and is reported: Lambda
 * goes on from the lowest sequence number that is reported, so no record is written before one that precedes it.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 *
 * @param {unknown[]} records
 * @param {import('../lib/config.mjs').SessionsConfig & Pick<import('../lib/invocation.mjs').Invocation, 'log' | 'metrics' | 'deadline'> &
 *   {client: Pick<import('@aws-sdk/client-dynamodb').DynamoDBClient, 'send'>, clock?: import('../lib/clock.mjs').Clock}} options
 * @returns {Promise<{batchItemFailures: {itemIdentifier: string}[]}>}
 */
export async function replicate(records, { targetTable, attributes, log, metrics, deadline, client, clock }) {
  const counts = { written: 0, stale: 0 };
  let lastAt;
  /** @type {{itemIdentifier: string}[]} */
  const batchItemFailures = [];
  for (const record of records) {
    try {
      if (!deadline.allows(LONGEST_WRITE_MS)) throw new TransientError('DEADLINE', 'the time of the invocation is up: the rest follows in the next');
      const change = readChange(record);
      const outcome = await retry(() => write(client, targetTable, attributes, change, clock?.now), {
        deadline,
        clock,
        onRetry: (error, attempt, pauseMs) => log.warn('retrying a session', { error, attempt, pauseMs }),
      });
      counts[outcome] += 1;
      lastAt = change.at;
    } catch (failure) {
      const sequenceNumber = sequenceOf(record);
      if (sequenceNumber === undefined) throw failure;
      log.error('a session could not be written', { error: classify(failure) });
      metrics.count('Failures', 1);
      batchItemFailures.push({ itemIdentifier: sequenceNumber });
      break;
    }
  }
  metrics.count('ChangesApplied', counts.written);
  if (lastAt) metrics.gauge('LagSeconds', Math.max(0, (clock?.now ?? Date.now)() / 1000 - lastAt));
  log.info('batch written', { records: records.length, ...counts, failed: batchItemFailures.length });
  return { batchItemFailures };
}

/** @param {unknown} record @returns {string | undefined} */
const sequenceOf = (record) => /** @type {import('aws-lambda').DynamoDBRecord | undefined} */ (record)?.dynamodb?.SequenceNumber;
