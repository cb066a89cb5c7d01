import { classify } from './classify.mjs';
import { readLogLevel } from './config.mjs';
import { Deadline } from './deadline.mjs';
import { describeError, Logger } from './log.mjs';
import { Metrics } from './metrics.mjs';

/**
 * @typedef {object} Invocation what a function's body works with
 * @property {unknown} event
 * @property {Logger} log
 * @property {Metrics} metrics flushed at the end, whatever happens
 * @property {Deadline} deadline
 * @property {Record<string, string | undefined>} environment
 *
 * @typedef {{awsRequestId?: string, getRemainingTimeInMillis?: () => number}} Context the part of Lambda's context that is used
 */

/**
 * A Lambda handler around a function's body. What fails is logged as names and codes and counted, and leaves as an error
 * without its cause: Lambda writes what a handler throws into the log by itself.
 *
 * @template T
 * @param {string} name of the function, in its log lines
 * @param {(invocation: Invocation) => Promise<T>} body
 * @param {{reserveMs?: number, write?: (line: string) => void, environment?: Record<string, string | undefined>}} [options]
 * @returns {(event: unknown, context?: Context) => Promise<T>}
 */
export function handlerOf(name, body, { reserveMs, write, environment = process.env } = {}) {
  return async (event, context) => {
    const level = readLogLevel(environment);
    const log = new Logger({ level, correlationId: context?.awsRequestId, write, fields: { function: name } });
    const metrics = new Metrics({ write });
    metrics.count('Failures', 0);
    try {
      return await body({ event, log, metrics, deadline: Deadline.of(context, { reserveMs }), environment });
    } catch (failure) {
      const error = classify(failure);
      metrics.count('Failures', 1);
      log.error('the invocation failed', { error });
      throw told(error);
    } finally {
      metrics.flush();
    }
  };
}

/** The error as its caller sees it: `errorType` and `errorMessage` of Lambda's answer. @param {import('./errors.mjs').MigrationError} error */
function told(error) {
  const { name = 'Error', code = '', message = '', hint } = describeError(error);
  const answer = new Error(`${code}: ${message}${hint === undefined ? '' : ` (${hint})`}`);
  answer.name = name;
  answer.stack = `${name}: ${answer.message}`;
  return answer;
}
