import { DescribeSecretCommand, GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { CLIENT } from './client.mjs';
import { PermanentError } from './errors.mjs';
import { classify } from './classify.mjs';
import { retry } from './retry.mjs';

/** @typedef {{username: string, password: string}} Credentials */

/** A hash key shorter than its hash would weaken HMAC-SHA-256 (RFC 2104, section 3). */
const HASH_KEY_BYTES = 32;

/**
 * Secrets and the mapping, read from AWS when first needed and kept while the function stays warm.
 * Make one per container, outside the handler; give each invocation's deadline to its methods.
 */
export class Secrets {
  /** @type {Map<string, Promise<Credentials>>} */
  #credentials = new Map();
  /** @type {Map<string, Promise<Buffer>>} */
  #hashKeys = new Map();

  /**
   * @param {object} [clients]
   * @param {Pick<SecretsManagerClient, 'send'>} [clients.secretsManager]
   * @param {Pick<SSMClient, 'send'>} [clients.ssm]
   * @param {import('./clock.mjs').Clock} [clients.clock]
   */
  constructor({ secretsManager = new SecretsManagerClient(CLIENT), ssm = new SSMClient(CLIENT), clock } = {}) {
    this.secretsManager = secretsManager;
    this.ssm = ssm;
    this.clock = clock;
  }

  /**
   * Runs `use` (typically: connect) with the credentials of a secret. When the database refuses them the secret has been
   * rotated since it was read: it is read again, once, and `use` runs once more.
   * @template T
   * @param {string} arn
   * @param {import('./deadline.mjs').Deadline} deadline
   * @param {(credentials: Credentials) => Promise<T>} use
   * @returns {Promise<T>}
   */
  async withCredentials(arn, deadline, use) {
    const known = await this.credentials(arn, deadline);
    try {
      return await use(known);
    } catch (error) {
      if (!isAuthenticationFailure(error)) throw error;
      this.#credentials.delete(arn);
      const fresh = await this.credentials(arn, deadline);
      return await use(fresh);
    }
  }

  /** @param {string} arn @param {import('./deadline.mjs').Deadline} deadline @returns {Promise<Credentials>} */
  credentials(arn, deadline) {
    return cached(this.#credentials, arn, async () => parseCredentials(await this.#secret(arn, deadline), arn));
  }

  /**
   * The key for keyed hashes: at least 32 bytes, as binary or as text (read as hex, else as base64, else as it is), the text
   * alone or in JSON `{"key": "<text>"}`.
   * @param {string} arn @param {import('./deadline.mjs').Deadline} deadline @returns {Promise<Buffer>}
   */
  hashKey(arn, deadline) {
    return cached(this.#hashKeys, arn, async () => parseHashKey(await this.#secret(arn, deadline), arn));
  }

  /** Has the secret a current value? `lost`: it had one. @param {string} arn @param {import('./deadline.mjs').Deadline} deadline @returns {Promise<'present' | 'empty' | 'lost'>} */
  async presence(arn, deadline) {
    const { VersionIdsToStages: versions = {} } = await retry(() => this.secretsManager.send(new DescribeSecretCommand({ SecretId: arn })), { deadline, clock: this.clock });
    const stages = Object.values(versions);
    return stages.some((names) => names?.includes('AWSCURRENT')) ? 'present' : stages.length === 0 ? 'empty' : 'lost';
  }

  /**
   * The first value of an empty secret. The token names the version, so of two at once, or of one that is repeated, only the first has an effect.
   * @param {string} arn @param {Buffer} value @param {string} token @param {import('./deadline.mjs').Deadline} deadline
   * @returns {Promise<boolean>} false: there is one by now
   */
  async fill(arn, value, token, deadline) {
    try {
      await retry(() => this.secretsManager.send(new PutSecretValueCommand({ SecretId: arn, SecretBinary: value, ClientRequestToken: token })), { deadline, clock: this.clock });
      return true;
    } catch (error) {
      if (error instanceof Error && error.cause instanceof Error && error.cause.name === 'ResourceExistsException') return false;
      throw error;
    }
  }

  /**
   * The mapping's text from the parameter store.
   * @param {string} parameter @param {import('./deadline.mjs').Deadline} deadline @returns {Promise<string>}
   */
  async parameter(parameter, deadline) {
    const answer = await retry(
      () => this.ssm.send(new GetParameterCommand({ Name: parameter, WithDecryption: true })),
      { deadline, clock: this.clock },
    );
    return answer.Parameter?.Value ?? '';
  }

  /** @param {string} arn @param {import('./deadline.mjs').Deadline} deadline */
  async #secret(arn, deadline) {
    const answer = await retry(() => this.secretsManager.send(new GetSecretValueCommand({ SecretId: arn })), {
      deadline,
      clock: this.clock,
    });
    return answer.SecretString ?? Buffer.from(answer.SecretBinary ?? new Uint8Array());
  }
}

/** invalid_password, invalid_authorization_specification. @param {unknown} error */
export function isAuthenticationFailure(error) {
  const sqlstate = classify(error).sqlstate;
  return sqlstate === '28P01' || sqlstate === '28000';
}

/**
 * @template T
 * @param {Map<string, Promise<T>>} cache @param {string} key @param {() => Promise<T>} read
 */
function cached(cache, key, read) {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const reading = read();
  cache.set(key, reading);
  reading.catch(() => cache.get(key) === reading && cache.delete(key));
  return reading;
}

/** @param {string | Buffer} secret @param {string} arn @returns {Credentials} */
function parseCredentials(secret, arn) {
  const parsed = parseObject(secret);
  const { username, password } = parsed ?? {};
  if (typeof username === 'string' && username !== '' && typeof password === 'string' && password !== '')
    return { username, password };
  throw wrongShape(arn, 'JSON with the texts "username" and "password", as RDS writes it for a managed master password');
}

/** @param {string | Buffer} secret @param {string} arn */
function parseHashKey(secret, arn) {
  const object = parseObject(secret);
  const text = object === undefined ? secret : object['key'];
  const key = typeof text === 'string' ? decodeKey(text.trim()) : Buffer.isBuffer(text) ? text : Buffer.alloc(0);
  if (key.length >= HASH_KEY_BYTES) return key;
  throw wrongShape(arn, `a key of at least ${HASH_KEY_BYTES} bytes: binary, text (hex, base64 or other), or JSON {"key": "<text>"}`);
}

/** @param {string} text */
function decodeKey(text) {
  if (/^([0-9a-f]{2})+$/i.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return Buffer.from(text, 'base64');
  return Buffer.from(text);
}

/** @param {string | Buffer} secret @returns {Record<string, unknown> | undefined} */
function parseObject(secret) {
  try {
    const parsed = /** @type {unknown} */ (JSON.parse(secret.toString()));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? /** @type {Record<string, unknown>} */ (parsed) : undefined;
  } catch {
    return undefined; // the parser's message quotes the secret: it goes nowhere
  }
}

/** @param {string} arn @param {string} accepted */
const wrongShape = (arn, accepted) =>
  new PermanentError('SECRET_SHAPE', `the secret ${nameOf(arn)} has the wrong shape`, { hint: `it takes ${accepted}` });

/** The name in an ARN, without the account's number. @param {string} arn */
const nameOf = (arn) => arn.split(':').slice(6).join(':') || 'without an ARN';
