import defaultMapping from '../../mappings/default.json' with { type: 'json' };
import { PermanentError } from '../lib/errors.mjs';
import { hashes } from './uses.mjs';

/**
 * The mapping's JSON, from the parameter store or as packaged, and the key for its hashes when it has any.
 * @param {Pick<import('../lib/config.mjs').DatabaseConfig, 'mappingParameter' | 'hashKeySecretArn'>} config
 * @param {Pick<import('../lib/secrets.mjs').Secrets, 'parameter' | 'hashKey'>} secrets
 * @param {import('../lib/deadline.mjs').Deadline} deadline
 * @returns {Promise<{json: unknown, hashKey: Buffer | null}>} for `compileMapping`
 */
export async function loadMapping(config, secrets, deadline) {
  const { hashKeySecretArn: arn } = config;
  const json = await loadJson(config, secrets, deadline);
  if (!hashes(json)) return { json, hashKey: null };
  if (arn === undefined)
    throw new PermanentError('CONFIG', 'HASH_KEY_SECRET_ARN is missing (the ARN of a secret): the mapping hashes columns', {
      hint: 'set it to a secret of at least 32 random bytes, and never change that key: the hashes on green depend on it',
    });
  return { json, hashKey: await secrets.hashKey(arn, deadline) };
}

/**
 * The mapping's JSON alone.
 * @param {Pick<import('../lib/config.mjs').DatabaseConfig, 'mappingParameter'>} config
 * @param {Pick<import('../lib/secrets.mjs').Secrets, 'parameter'>} secrets
 * @param {import('../lib/deadline.mjs').Deadline} deadline
 * @returns {Promise<unknown>}
 */
export const loadJson = async ({ mappingParameter: parameter }, secrets, deadline) => (parameter === undefined ? defaultMapping : parse(await secrets.parameter(parameter, deadline)));

/** @param {string} text @returns {unknown} */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new PermanentError('MAPPING', 'the parameter that MAPPING_PARAMETER names holds no JSON', {
      hint: 'put the whole mapping there (an advanced parameter takes 8 kB); mappings/default.json is an example',
    });
  }
}
