import { PermanentError, withSidesExchanged } from '../lib/errors.mjs';
import { reversed } from '../lib/config.mjs';
import { inTransaction } from '../pg/session.mjs';
import { Context } from '../sync/context.mjs';
import { follow } from '../sync/follow.mjs';
import { catchUp } from '../sync/run.mjs';
import { checkPublication } from '../sync/start.mjs';

/**
 * Both streams, with their locks: nothing else of this migration is at work meanwhile.
 *
 * @typedef {import('../sync/context.mjs').Invocation} Invocation
 * @typedef {import('../pg/session.mjs').Session} Session
 * @typedef {'blue' | 'green'} Name
 */

/** A run of sync that is at work ends within this time, or the answer is `busy`. */
const LOCK_WAIT_MS = 20_000;

/** A stream from one side to the other. In its context "blue" is where it begins, and "green" where it ends. */
export class Stream {
  /** @param {Context} context @param {'forward' | 'reverse'} direction */
  constructor(context, direction) {
    this.context = context;
    this.direction = direction;
  }

  get following() {
    const { phase, applied, consistent } = this.context.state;
    return phase === 'following' && applied >= consistent;
  }

  /** @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  async run(work) {
    try {
      return await work();
    } catch (error) {
      throw this.direction === 'reverse' ? withSidesExchanged(error) : error;
    }
  }

  /** Brings it up to date. @returns {Promise<boolean>} */
  catchUp() {
    return this.run(async () => {
      await checkPublication(this.context);
      return catchUp(this.context);
    });
  }

  /**
   * Reads until a marker was seen, and all before it is committed on the other side.
   * @param {string} marker @param {() => boolean} inTime
   * @returns {Promise<boolean>} false: the time ended first
   */
  until(marker, inTime) {
    return this.run(async () => {
      while (!this.context.markers.has(marker)) {
        if (!inTime()) return false;
        await follow(this.context);
      }
      return true;
    });
  }
}

/** The session of green in which the way back begins: to the stream it is the source, and "blue"; here its errors name green. */
class GreenSession {
  #session;
  side = /** @type {const} */ ('green');

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
  }

  /** @param {string} sql @param {unknown[]} [values] */
  rows(sql, values) {
    return this.#session.rows(sql, values).catch(rethrown);
  }

  /** @param {string} sql @param {unknown[]} [values] */
  row(sql, values) {
    return this.#session.row(sql, values).catch(rethrown);
  }

  /** @param {string} sql @param {unknown[]} [values] */
  run(sql, values) {
    return this.#session.run(sql, values).catch(rethrown);
  }

  /** @template T @param {() => Promise<T>} work @param {string} [begin] */
  transaction(work, begin) {
    return inTransaction(this, work, begin);
  }
}

/** @param {unknown} error @returns {never} */
function rethrown(error) {
  throw withSidesExchanged(error);
}

export class Pair {
  /** @param {Stream} forward @param {Stream} back */
  constructor(forward, back) {
    this.forward = forward;
    this.back = back;
  }

  /** @param {Invocation} invocation @returns {Promise<Pair>} */
  static async open(invocation) {
    const forward = new Stream(await Context.open(invocation, { lockWaitMs: LOCK_WAIT_MS }), 'forward');
    try {
      // One that never began is in that phase too, and has not been consistent yet.
      if (forward.context.state.phase === 'stopped' && forward.context.state.consistent > 0n)
        throw new PermanentError('STOPPED', 'the migration has ended, and its streams with it', { hint: 'there is no way back any more: the side that takes the writes keeps them' });
      if (forward.context.state.phase !== 'following')
        throw new PermanentError('NOT_FOLLOWING', 'the full copy from blue to green is not complete', { hint: 'run sync until it answers "synced"' });
      const back = await Context.open({ ...invocation, config: reversed(invocation.config) }, { lockWaitMs: LOCK_WAIT_MS }).catch((error) => {
        throw withSidesExchanged(error);
      });
      return new Pair(forward, new Stream(back, 'reverse'));
    } catch (error) {
      forward.context.destroy();
      throw error;
    }
  }

  /** A session for the application's kind of work: no replica, the tables' owner. @param {Name} side @returns {Session} */
  session(side) {
    return side === 'blue' ? this.forward.context.blue : /** @type {Session} */ (/** @type {unknown} */ (new GreenSession(this.back.context.blue)));
  }

  /** The mapped tables. @param {Name} side */
  roots(side) {
    return this.forward.context.tables.map(({ source, target }) => (side === 'blue' ? source : target));
  }

  get name() {
    return this.forward.context.pair;
  }

  async close() {
    await Promise.all([this.forward.context.close(), this.back.context.close()]);
  }

  destroy() {
    this.forward.context.destroy();
    this.back.context.destroy();
  }
}

/** @template T @param {Invocation} invocation @param {(pair: Pair) => Promise<T>} work @returns {Promise<T>} */
export async function withPair(invocation, work) {
  const pair = await Pair.open(invocation);
  try {
    const answer = await work(pair);
    await pair.close();
    return answer;
  } catch (error) {
    pair.destroy();
    throw error;
  }
}
