import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { CLIENT } from '../lib/client.mjs';
import { retry } from '../lib/retry.mjs';

/**
 * How many sessions both tables hold. Sessions come and go all the time, and each table's TTL removes what has expired when it likes: so those that have expired are not
 * counted, and the numbers are for a person or a gate with a tolerance of its own, not part of the verdict.
 *
 * @typedef {{blue: number, green: number}} Sessions
 * @typedef {{source: string, target: string, expiry: string}} SessionsTables
 */

/** @type {DynamoDBClient | undefined} */
let kept;

/**
 * @param {SessionsTables} tables @param {import('../lib/deadline.mjs').Deadline} deadline @param {() => boolean} inTime @param {Pick<DynamoDBClient, 'send'>} [client]
 * @returns {Promise<Sessions | undefined>} undefined: the time ended
 */
export async function countSessions({ source, target, expiry }, deadline, inTime, client = (kept ??= new DynamoDBClient(CLIENT))) {
  const now = String(Math.floor(Date.now() / 1000));
  const counts = [];
  for (const table of [source, target]) {
    let count = 0;
    /** @type {import('@aws-sdk/client-dynamodb').ScanCommandOutput['LastEvaluatedKey']} */
    let from;
    do {
      if (!inTime()) return undefined;
      const start = from;
      const page = await retry(
        () => client.send(new ScanCommand({
          TableName: table, Select: 'COUNT', ConsistentRead: true, ExclusiveStartKey: start, FilterExpression: 'attribute_not_exists(#e) OR NOT attribute_type(#e, :n) OR #e > :now',
          ExpressionAttributeNames: { '#e': expiry }, ExpressionAttributeValues: { ':n': { S: 'N' }, ':now': { N: now } },
        })),
        { deadline });
      count += page.Count ?? 0;
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    counts.push(count);
  }
  return { blue: counts[0] ?? 0, green: counts[1] ?? 0 };
}
