import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { PermanentError } from '../lib/errors.mjs';
import { markOfKey, unlinkKey } from '../pg/slot.mjs';
import { ident, literal } from '../pg/text.mjs';

/**
 * Blue's keys, where they have to be named or kept: in answers and in the tables of the migration on green. A key may be a card number or
 * an e-mail that the mapping does not let through, and an unkeyed hash of one is found again by trying. So they are masked by a keyed
 * hash, or sealed by encryption where they are needed again.
 *
 * The migration's key is made when it begins and is kept on blue alone, as a large object that the comment of the publication names; both go with the publication.
 * With it a mask can be looked for in SQL: README.md says how. COMMENT is DDL, which servers log with its text, so the key must not stand in it. PostgreSQL
 * itself makes the key, so that it is not among the parameters of a statement either: those are logged with `log_statement = all`, or when a statement is slow.
 *
 * @typedef {import('../pg/session.mjs').Session} Session
 */

/**
 * After a failover it also names the slot that a migration to green's new address would have: `stop` finds its own by that when green is gone.
 * Migrations that earlier versions of this program began have the key itself in the comment.
 */
const COMMENT = /^key of this migration(?:, now like ([a-z0-9_]+))?: (?:large object ([0-9]{1,10})|([0-9a-f]{64}))$/;
const CIPHER = 'aes-256-gcm';
const [KEY_BYTES, NONCE_BYTES, TAG_BYTES] = [32, 12, 16];

/** An expression of KEY_BYTES bytes. Each UUID has 122 bits of PostgreSQL's strong random numbers, so the hash of three has all that a key can have. */
const NEW_KEY = `sha256(${Array(3).fill('uuid_send(gen_random_uuid())').join(' || ')})`;
/** The key of an earlier version of this program, where it stands. */
const FORMER_KEY = "decode(right(obj_description(oid, 'pg_publication'), 64), 'hex')";

/**
 * The name of the migration that green's present address stands for, while green can't be asked: slot and publication keep theirs after a failover.
 * @param {Session} blue @param {string} name of a migration that began at this address @returns {Promise<string>}
 */
export async function nameOnBlue(blue, name) {
  const rows = await blue.rows("SELECT pubname, obj_description(oid, 'pg_publication') FROM pg_publication");
  if (rows.some(([publication]) => publication === name)) return name;
  return rows.find(([, text]) => COMMENT.exec(text ?? '')?.[1] === name)?.[0] ?? name;
}

export class Masks {
  /** @type {Buffer | undefined} */
  #key;
  /** Of the large object with the key, unless the key stands in the comment. @type {string | undefined} */
  #object;
  /** @type {string | undefined} */
  #like;

  /** Reads the key, if there is one. @param {Session} blue @param {string} publication */
  async load(blue, publication) {
    const [text = null] = await blue.row("SELECT obj_description(oid, 'pg_publication') FROM pg_publication WHERE pubname = $1", [publication]);
    const [, like, object, former] = COMMENT.exec(text ?? '') ?? [];
    this.#like = like;
    this.#object = object;
    this.#key = former !== undefined ? Buffer.from(former, 'hex') : object !== undefined ? await readKey(blue, object, publication) : undefined;
  }

  /** Makes the key, unless a run that was killed has done so. @param {Session} blue @param {string} publication which is there */
  async make(blue, publication) {
    await this.load(blue, publication);
    if (this.#key !== undefined) return;
    await blue.transaction(async () => {
      await unlinkKey(blue, publication); // somebody has dropped the publication that named it, or the comment
      await nameKey(blue, publication, await keepKey(blue, publication, NEW_KEY));
    });
    await this.load(blue, publication);
  }

  /** Green has another address than when the migration began. @param {Session} blue @param {string} publication @param {string} like the name that the slot would have there */
  async moved(blue, publication, like) {
    if (this.#key === undefined || this.#like === like) return;
    await blue.transaction(async () => nameKey(blue, publication, this.#object ?? (await keepKey(blue, publication, FORMER_KEY)), like));
    await this.load(blue, publication);
  }

  get #known() {
    if (this.#key !== undefined) return this.#key;
    throw new PermanentError('MIGRATION_KEY', "the key of the migration, a large object that the comment of blue's publication names, is gone", { hint: 'stop, empty the tables on green, and run again' });
  }

  /**
   * A value's mask, the same for the same value of the same column.
   * @param {string} column `schema.table.column` @param {string | null} value
   */
  mask(column, value) {
    if (value === null) return null;
    const hash = (/** @type {string | Buffer} */ content) => createHash('sha256').update(this.#known).update(content).digest();
    return `k:${hash(hash(`${column}=${value}`)).toString('hex').slice(0, 32)}`;
  }

  /** A row's key as masks by column. @param {string} table `schema.table` @param {string[]} columns @param {(string | null)[]} values @returns {Record<string, string | null>} */
  masked(table, columns, values) {
    return Object.fromEntries(columns.map((column, i) => [column, this.mask(`${table}.${column}`, values[i] ?? null)]));
  }

  /** A sum over rows, as an answer may show it: of a few rows, the sum alone would tell them. @param {string} table @param {string} sum */
  checksum(table, sum) {
    return createHmac('sha256', this.#known).update(`checksum of ${table}: ${sum}`).digest('hex').slice(0, 16);
  }

  /** @param {string} text @returns {string} */
  seal(text) {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#sealing(), nonce);
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
  }

  /** @param {string} sealed */
  open(sealed) {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv(CIPHER, this.#sealing(), bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new PermanentError('MIGRATION_KEY', 'what green keeps of the migration was sealed with another key', { cause, hint: 'stop, empty the tables on green, and run again' });
    }
  }

  #sealing() {
    return createHmac('sha256', this.#known).update('sealed keys').digest();
  }
}

/** @param {Session} blue @param {string} object @param {string} publication @returns {Promise<Buffer | undefined>} undefined: it is gone, and its number may be another object's */
async function readKey(blue, object, publication) {
  const [bytes] = await blue.row("SELECT lo_get(oid) FROM pg_largeobject_metadata WHERE oid = $1::oid AND obj_description(oid, 'pg_largeobject') = $2", [object, markOfKey(publication)]);
  const key = Buffer.from(bytes?.slice('\\x'.length) ?? '', 'hex');
  return key.length === KEY_BYTES ? key : undefined;
}

/** @param {Session} blue @param {string} publication @param {string} key an expression, so that the key stands in no statement @returns {Promise<string>} the number of the large object */
async function keepKey(blue, publication, key) {
  const [object] = /** @type {[string]} */ (await blue.row(`SELECT lo_from_bytea(0, ${key}) FROM pg_publication WHERE pubname = $1`, [publication]));
  await blue.run(`COMMENT ON LARGE OBJECT ${object} IS ${literal(markOfKey(publication))}`);
  return object;
}

/** @param {Session} blue @param {string} publication @param {string} object @param {string} [like] */
async function nameKey(blue, publication, object, like) {
  await blue.run(`COMMENT ON PUBLICATION ${ident(publication)} IS ${literal(`key of this migration${like === undefined ? '' : `, now like ${like}`}: large object ${object}`)}`);
}
