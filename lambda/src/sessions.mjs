import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { readSessionsConfig } from './lib/config.mjs';
import { CLIENT } from './lib/client.mjs';
import { handlerOf } from './lib/invocation.mjs';
import { PermanentError } from './lib/errors.mjs';
import { Secrets } from './lib/secrets.mjs';
import { Checkpoints } from './sessions/checkpoints.mjs';
import { copySegment } from './sessions/copy.mjs';
import { replicate } from './sessions/replicate.mjs';

/**
 * `sessions`: the stream of blue's sessions table goes in, green's table is written, and the answer names the record to go on from
 * when not all could be written (`ReportBatchItemFailures`). `{"action": "copy"}` brings over what blue's table holds already.
 */

/** @typedef {{client: DynamoDBClient, checkpoints: Checkpoints}} Kept what stays while the function is warm */

/** @type {Map<string, Promise<Kept>>} */
const kept = new Map();

/** @param {import('./lib/config.mjs').SessionsConfig} config @param {import('./lib/deadline.mjs').Deadline} deadline @returns {Promise<Kept>} */
function open({ stateTable, hashKeySecretArn: arn }, deadline) {
  const name = JSON.stringify([stateTable, arn]);
  const opening = kept.get(name) ?? make();
  kept.set(name, opening);
  opening.catch(() => kept.delete(name));
  return opening;

  async function make() {
    const client = new DynamoDBClient(CLIENT);
    const secret = arn === undefined ? undefined : await new Secrets().hashKey(arn, deadline);
    return { client, checkpoints: new Checkpoints(client, stateTable, secret) };
  }
}

export const handler = handlerOf(
  'sessions',
  async ({ event, environment, ...invocation }) => {
    const config = readSessionsConfig(environment);
    const { Records: records, action, segment, segments, perSecond } = /** @type {Record<string, unknown>} */ (event ?? {});
    if (!Array.isArray(records) && action !== 'copy')
      throw new PermanentError('EVENT', 'the event holds no Records', { hint: 'this function takes batches of a DynamoDB stream, and {"action": "copy"}' });
    const target = { ...config, ...invocation, ...(await open(config, invocation.deadline)) };
    return Array.isArray(records) ? replicate(records, target) : copySegment({ segment, segments, perSecond }, target);
  },
  { reserveMs: 300 },
);
