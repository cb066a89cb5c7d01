import { classify } from '../lib/classify.mjs';
import { readDatabaseConfig, readLogLevel } from '../lib/config.mjs';
import { Deadline } from '../lib/deadline.mjs';
import { withSidesExchanged } from '../lib/errors.mjs';
import { Logger, describeError } from '../lib/log.mjs';
import { Metrics } from '../lib/metrics.mjs';
import { BusyError } from './lock.mjs';
import { watchSlot } from './manage.mjs';

/**
 * The frame of an invocation of sync or verify: logger, metrics, deadline, and an answer in any case.
 *
 * @typedef {import('./context.mjs').Invocation} Invocation
 * @typedef {{awsRequestId?: string, getRemainingTimeInMillis?: () => number}} LambdaContext
 */

/** What may be logged of an event: somebody may have put anything into it. */
const ACTIONS = ['run', 'status', 'stop', 'plan', 'prepare', 'canary', 'cutover', 'finish', 'hash-key'];

/**
 * @template T
 * @param {'sync' | 'verify' | 'control'} name
 * @param {{action?: unknown, tables?: unknown}} event
 * @param {LambdaContext | undefined} context
 * @param {import('../lib/secrets.mjs').Secrets} secrets
 * @param {(invocation: Invocation) => Promise<T>} work
 * @returns {Promise<T | {status: 'busy' | 'failed', error: Record<string, string>, transient: boolean}>}
 */
export async function invoke(name, event, context, secrets, work) {
  const log = new Logger({ level: readLogLevel(process.env), correlationId: context?.awsRequestId, fields: { function: name, action: ACTIONS.find((action) => action === event?.action) } });
  const metrics = new Metrics();
  /** @type {Invocation | undefined} */
  let invocation;
  try {
    invocation = { config: readDatabaseConfig(process.env), secrets, deadline: Deadline.of(context), log, metrics };
    const answer = await work(invocation);
    metrics.count('Failures', 0);
    return answer;
  } catch (cause) {
    const error = classify(cause);
    if (invocation?.config.direction === 'reverse') withSidesExchanged(error);
    if (error instanceof BusyError) {
      log.warn('another run is at work');
      return { status: 'busy', error: describeError(error), transient: true };
    }
    metrics.count('Failures', 1);
    log.error('failed', { error });
    if (invocation !== undefined && !metrics.values.has('LagBytes') && invocation.deadline.allows()) await watchSlot(invocation);
    return { status: 'failed', error: describeError(error), transient: error.name === 'TransientError' };
  } finally {
    metrics.flush();
  }
}
