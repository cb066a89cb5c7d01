import { classify } from '../lib/classify.mjs';
import { retry } from '../lib/retry.mjs';
import { readChange } from './change.mjs';
import { Checkpoints } from './checkpoints.mjs';
import { write } from './write.mjs';

/** Until one was measured. */
const USUAL_WRITE_MS = 50;

/**
 * Writes a batch, one record after the other in the stream's order. The first that fails ends the batch and is reported: Lambda
 * goes on from the lowest sequence number that is reported, so no record is written before one that precedes it.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 *
 * What the time does not allow is reported in the same way, and is no failure. The first record is begun in any case, so that
 * each invocation gets on; one that is ended in the middle of a record has written all of it or nothing.
 *
 * @param {unknown[]} records
 * @param {Pick<import('../lib/config.mjs').SessionsConfig, 'targetTable' | 'stateTable' | 'attributes'> &
 *   Pick<import('../lib/invocation.mjs').Invocation, 'log' | 'metrics' | 'deadline'> &
 *   {client: import('./checkpoints.mjs').Client, checkpoints?: Checkpoints, clock?: import('../lib/clock.mjs').Clock}} options
 * @returns {Promise<{batchItemFailures: {itemIdentifier: string}[]}>}
 */
export async function replicate(records, { log, metrics, deadline, clock, client, targetTable, attributes, stateTable, checkpoints = new Checkpoints(client, stateTable) }) {
  const target = { client, targetTable, attributes, checkpoints };
  const now = clock?.now ?? Date.now;
  const counts = { written: 0, stale: 0 };
  let failed = 0;
  let lastMs = USUAL_WRITE_MS;
  let lastAt;
  /** @type {{itemIdentifier: string}[]} */
  const batchItemFailures = [];
  for (const [at, record] of records.entries()) {
    const sequenceNumber = sequenceOf(record);
    if (at > 0 && sequenceNumber !== undefined && !deadline.allows(lastMs)) {
      log.warn("the function's timeout ends before the batch: the rest follows in the next invocation", { records: records.length - at, remainingMs: deadline.remainingMs() });
      batchItemFailures.push({ itemIdentifier: sequenceNumber });
      break;
    }
    try {
      const began = now();
      const change = readChange(record, target.attributes.expiry);
      const outcome = await retry(() => write(target, change, now), {
        deadline,
        clock,
        onRetry: (error, attempt, pauseMs) => log.warn('retrying a session', { error, attempt, pauseMs }),
      });
      counts[outcome] += 1;
      lastAt = change.at;
      lastMs = Math.max(USUAL_WRITE_MS, now() - began);
    } catch (failure) {
      if (sequenceNumber === undefined) throw failure;
      log.error('a session could not be written', { error: classify(failure) });
      metrics.count('Failures', 1);
      failed += 1;
      batchItemFailures.push({ itemIdentifier: sequenceNumber });
      break;
    }
  }
  metrics.count('ChangesApplied', counts.written);
  if (lastAt) metrics.gauge('LagSeconds', Math.max(0, now() / 1000 - lastAt));
  log.info('batch written', { records: records.length, ...counts, failed });
  return { batchItemFailures };
}

/** @param {unknown} record @returns {string | undefined} */
const sequenceOf = (record) => /** @type {import('aws-lambda').DynamoDBRecord | undefined} */ (record)?.dynamodb?.SequenceNumber;
