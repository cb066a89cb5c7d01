import { MigrationError } from '../lib/errors.mjs';
import { literal as quoted } from '../pg/text.mjs';
import { parseDecimal, compareDecimals } from './decimal.mjs';
import { Problem } from './problem.mjs';

/**
 * Values that the mapping writes down, in the form in which PostgreSQL itself prints them: `10:00` is `10:00:00`, `1e20` is `1e+20`. For
 * types that this program does not read by itself the server is asked. The mapping is compiled once to know the questions, and again with the answers.
 *
 * @typedef {import('./pgtypes.mjs').PgType} PgType
 * @typedef {import('../pg/session.mjs').Session} Session
 */

const INVALID = new Problem('PostgreSQL does not take it');
const LOSES = new Problem('PostgreSQL would round or cut it');
const MOVES = new Problem('it means another value each time it is read');

export class Literals {
  /** @type {Map<string, string | Problem>} */
  #known = new Map();
  /** @type {Map<string, {type: PgType, text: string}>} */
  #wanted = new Map();

  /** Is there anything that the servers have not been asked yet? */
  get open() {
    return this.#wanted.size > 0;
  }

  /** @param {PgType} type @param {string} text @returns {string | Problem} the text as it is while nobody was asked */
  form(type, text) {
    const id = JSON.stringify([type.side, castName(type), type.text, text]);
    const known = this.#known.get(id);
    if (known === undefined) this.#wanted.set(id, { type, text });
    return known ?? text;
  }

  /** @param {Session} blue @param {Session} green */
  async ask(blue, green) {
    for (const [id, { type, text }] of this.#wanted) this.#known.set(id, await asked(type.side === 'green' ? green : blue, type, text));
    this.#wanted.clear();
  }
}

/** The type without modifiers: a cast with them cuts in silence. @param {PgType} type */
const castName = ({ definition, text }) => definition?.ident ?? text;

/** @param {Session} session @param {PgType} type @param {string} text @returns {Promise<string | Problem>} */
async function asked(session, type, text) {
  const whole = `${quoted(text)}::${castName(type)}`;
  try {
    const [exact, stored] = await session.row(`SELECT format('%s', ${whole}), format('%s', (${whole})::${type.text})`);
    if (count(text) > count(exact ?? '')) return MOVES;
    return exact === stored && sameNumber(text, exact ?? '') ? (exact ?? '') : LOSES;
  } catch (error) {
    if (error instanceof MigrationError && /^(22|23|42|0A)/.test(error.sqlstate ?? '')) return INVALID;
    throw error;
  }
}

/** Words that types of date and time, also within ranges, arrays and rows, take for a moment: PostgreSQL does not print them. @param {string} text */
const count = (text) => text.match(/(?<![a-z])(?:now|today|tomorrow|yesterday)(?![a-z])/gi)?.length ?? 0;

/** A floating-point number keeps so many digits only. @param {string} written @param {string} printed */
function sameNumber(written, printed) {
  const [one, other] = [parseDecimal(written), parseDecimal(printed)];
  return one === undefined || other === undefined || compareDecimals(one, other) === 0;
}
