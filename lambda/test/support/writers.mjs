/** Clients that change blue all the time: short and long transactions, rollbacks, late commits, key changes, deletes, truncates. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {import('pg').Client} Client
 * @typedef {(client: Client, random: (below: number) => number) => Promise<void>} Transaction
 */

export class Writers {
  /** @param {import('./lab.mjs').Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.stopping = false;
    this.transactions = 0;
    /** @type {Promise<void>[]} */
    this.running = [];
  }

  /**
   * @param {Transaction[]} kinds one is drawn each time
   * @param {{pauseMs?: number, seed?: number}} [options]
   */
  start(kinds, { pauseMs = 0, seed = 1 } = {}) {
    this.running.push(this.#loop(kinds, pauseMs, randomFrom(seed + this.running.length * 7919)));
  }

  async stop() {
    this.stopping = true;
    await Promise.all(this.running);
  }

  /** @param {Transaction[]} kinds @param {number} pauseMs @param {(below: number) => number} random */
  async #loop(kinds, pauseMs, random) {
    const { blue, database } = this.lab;
    let client = await blue.connect(database);
    while (!this.stopping) {
      try {
        const kind = /** @type {Transaction} */ (kinds[random(kinds.length)]);
        await client.query('BEGIN');
        await kind(client, random);
        await client.query(random(10) === 0 ? 'ROLLBACK' : 'COMMIT');
        this.transactions += 1;
      } catch (error) {
        const { code } = /** @type {{code?: string}} */ (error);
        await client.query('ROLLBACK').catch(() => {});
        if (!/^(23|40)/.test(code ?? '')) {
          // the server was stopped: come back when it is there again
          await client.end().catch(() => {});
          for (;;) {
            await sleep(100);
            const again = await blue.connect(database).catch(() => undefined);
            if (again !== undefined) {
              client = again;
              break;
            }
            if (this.stopping) return;
          }
        }
      }
      if (pauseMs > 0) await sleep(random(pauseMs));
    }
    await client.end();
  }
}

/** A small deterministic generator (mulberry32). @param {number} seed */
export function randomFrom(seed) {
  let state = seed;
  return (/** @type {number} */ below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}
