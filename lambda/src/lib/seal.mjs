import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/** Encrypts what may be kept on green but not be read there. The key follows from the mapping's key for hashes. */

const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/** @param {Buffer} hashKey */
const derived = (hashKey) => createHmac('sha256', hashKey).update('payment_migration: sealed keys').digest();

/** @param {Buffer} hashKey @param {string} text @returns {string} base64 */
export function seal(hashKey, text) {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, derived(hashKey), nonce);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
}

/** @param {Buffer} hashKey @param {string} sealed @returns {string | undefined} undefined: sealed under another key */
export function unseal(hashKey, sealed) {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv(CIPHER, derived(hashKey), bytes.subarray(0, NONCE));
  decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
