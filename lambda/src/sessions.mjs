import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { readSessionsConfig } from './lib/config.mjs';
import { CLIENT } from './lib/client.mjs';
import { handlerOf } from './lib/invocation.mjs';
import { PermanentError } from './lib/errors.mjs';
import { replicate } from './sessions/replicate.mjs';

/**
 * `sessions`: the stream of blue's sessions table goes in, green's table is written, and the answer names the record to go on from
 * when not all could be written (`ReportBatchItemFailures`).
 */

/** @type {DynamoDBClient | undefined} */
let client;

export const handler = handlerOf(
  'sessions',
  async ({ event, environment, ...invocation }) => {
    const config = readSessionsConfig(environment);
    const records = /** @type {{Records?: unknown}} */ (event ?? {}).Records;
    if (!Array.isArray(records))
      throw new PermanentError('EVENT', 'the event holds no Records', { hint: 'this function takes batches of a DynamoDB stream' });
    client ??= new DynamoDBClient(CLIENT);
    return replicate(records, { ...config, ...invocation, client });
  },
  { reserveMs: 2_000 },
);
