/** What a function's body works with, without AWS. */
import { Deadline } from '../../src/lib/deadline.mjs';
import { Logger } from '../../src/lib/log.mjs';
import { Metrics } from '../../src/lib/metrics.mjs';

export const HASH_KEY = Buffer.alloc(32, 7);

/** @param {ReturnType<import('./lab.mjs').Lab['parts']>} parts @param {Buffer} [hashKey] @param {(line: string) => void} [write] */
export function invocationOf(parts, hashKey = HASH_KEY, write) {
  /** @type {any} stands in for the class, which talks to AWS */
  const secrets = {
    withCredentials: (/** @type {'source' | 'target'} */ arn, /** @type {unknown} */ _deadline, /** @type {Function} */ use) =>
      use(parts.logins[arn]),
    parameter: async () => JSON.stringify(parts.mapping),
    hashKey: async () => hashKey,
    presence: async () => 'present',
  };
  return {
    config: {
      ...parts.config, mappingParameter: '/mapping', hashKeySecretArn: 'key', tls: { mode: /** @type {const} */ ('disable'), caFile: undefined },
      logLevel: /** @type {const} */ ('debug'),
    },
    secrets, tuning: parts.tuning, deadline: new Deadline(Date.now() + parts.seconds * 1000), log: new Logger({ level: 'debug', write }), metrics: new Metrics({ write }),
  };
}
