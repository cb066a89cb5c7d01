/**
 * What the machine takes from a test: a busy one lets everything wait, and a limit in time must not be broken by that. A beat is a pause of a few milliseconds and a question to a server; by how much beats are late is what was lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 10;
/** A beat that is no later than this has lost nothing. */
const USUAL_MS = 25;

export class Pulse {
  /** In milliseconds, since it began. */
  lost = 0;
  #stopping = false;
  #began = performance.now();
  /** @type {Promise<void>} */
  #ended;

  /** @param {import('./postgres.mjs').Server} server one that answers all the time */
  constructor(server) {
    this.#ended = this.#loop(server);
    this.#ended.catch(() => {}); // thrown by stop
  }

  /** @param {import('./postgres.mjs').Server} server */
  async #loop(server) {
    const client = await server.connect();
    while (!this.#stopping) {
      const began = performance.now();
      await sleep(PAUSE_MS);
      await client.query('SELECT 1');
      this.lost += Math.max(0, performance.now() - began - USUAL_MS);
    }
    await client.end();
  }

  /** Ends it. @returns {Promise<number>} how long it took since the pulse began, without what the machine has taken */
  async stop() {
    const took = performance.now() - this.#began;
    this.#stopping = true;
    await this.#ended;
    return took - this.lost;
  }
}
