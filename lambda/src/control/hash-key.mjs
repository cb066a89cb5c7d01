import { createHash, randomBytes } from 'node:crypto';
import { PermanentError } from '../lib/errors.mjs';
import { loadJson } from '../mapping/load.mjs';
import { hashes } from '../mapping/uses.mjs';
import { open } from '../sync/context.mjs';
import { readState } from '../sync/state.mjs';
import { ident } from '../pg/text.mjs';

/**
 * `{"action": "hash-key"}`: puts a random key into the empty secret of HASH_KEY_SECRET_ARN, once. The hashes on green depend on it: a key that is missing while
 * there are hashes is an error, and never made anew.
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 */

const BYTES = 32;

/** @param {Invocation} invocation */
export async function hashKey(invocation) {
  const { config, secrets, deadline } = invocation;
  const arn = config.hashKeySecretArn;
  if (arn === undefined) throw new PermanentError('CONFIG', 'HASH_KEY_SECRET_ARN is missing (the ARN of a secret)', { hint: 'set it to the secret that is to hold the key' });
  const presence = await secrets.presence(arn, deadline);
  if (presence === 'present') return { status: 'present', ...(await usable(invocation, arn)) };
  if (presence === 'lost' || (await mayHoldHashes(invocation)))
    throw new PermanentError('HASH_KEY_LOST', 'the secret of the hash key has no current value, but it had one, or green has rows with hashes', {
      hint: 'put the former key back (aws secretsmanager restore-secret, or a version of it: update-secret-version-stage); with another key nothing on green is found again',
    });
  const made = await secrets.fill(arn, randomBytes(BYTES), tokenOf(arn), deadline);
  invocation.log.info(made ? 'the hash key is made' : 'the hash key is there already');
  return { status: made ? 'made' : 'present', ...(await usable(invocation, arn)) };
}

/** It is read as sync will read it. @param {Invocation} invocation @param {string} arn */
async function usable({ secrets, deadline }, arn) {
  return { bytes: (await secrets.hashKey(arn, deadline)).length };
}

/** The same for the same secret: a second attempt makes no second version. @param {string} arn */
const tokenOf = (arn) => createHash('sha256').update(`the first hash key of ${arn}`).digest('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

/** @param {Invocation} invocation @returns {Promise<boolean>} */
async function mayHoldHashes(invocation) {
  const json = await loadJson(invocation.config, invocation.secrets, invocation.deadline);
  const green = await open(invocation, 'target');
  try {
    const state = await readState(green);
    if (state !== undefined && state.phase !== 'stopped' && state.rowsCopied > 0n) return true;
    for (const table of /** @type {{tables?: {source?: string, target?: string, columns?: unknown}[]}} */ (json).tables ?? []) {
      const [schema = '', name = ''] = (table.target ?? table.source ?? '').split('.');
      if (!hashes(table.columns)) continue;
      const [exists] = await green.row('SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2', [schema, name]);
      if (exists !== '0' && (await green.rows(`SELECT 1 FROM ${ident(schema)}.${ident(name)} LIMIT 1`)).length > 0) return true;
    }
    return false;
  } finally {
    await green.close();
  }
}
