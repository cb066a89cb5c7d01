/**
 * How long statements of the application wait for locks because of a migration, as blue's server says it: for a session of the migration, or for somebody who waits for one. It is looked at
 * every few milliseconds, by a client that needs the machine as much as the others do: the longest time between two looks says how long anything may have stood still.
 */
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK = `
WITH RECURSIVE waiting AS (
  SELECT w.pid, extract(epoch FROM w.waitstart) * 1000 AS since FROM pg_locks w JOIN pg_stat_activity a USING (pid)
   WHERE NOT w.granted AND w.waitstart IS NOT NULL AND a.datname = current_database() AND a.application_name !~ '^payment-migration'
), chain(pid, since, blocker) AS (
  SELECT pid, since, unnest(pg_blocking_pids(pid)) FROM waiting UNION SELECT c.pid, c.since, unnest(pg_blocking_pids(c.blocker)) FROM chain c
)
SELECT c.pid, min(c.since) AS since, (SELECT query FROM pg_stat_activity a WHERE a.pid = c.pid) AS query
  FROM chain c JOIN pg_stat_activity b ON b.pid = c.blocker AND b.application_name ~ '^payment-migration' GROUP BY c.pid`;

export class Waits {
  /** @param {import('./postgres.mjs').Server} server @param {string} database */
  constructor(server, database) {
    this.longest = 0;
    this.statement = '';
    this.stall = 0;
    this.looks = 0;
    this.waits = 0;
    this.stopping = false;
    this.ended = this.#loop(server, database);
    this.ended.catch(() => {}); // thrown by stop
  }

  reset() {
    this.longest = 0;
    this.statement = '';
    this.stall = 0;
    this.looks = 0;
    this.waits = 0;
  }

  /** @param {import('./postgres.mjs').Server} server @param {string} database */
  async #loop(server, database) {
    const client = await server.connect(database);
    let before = -Infinity;
    /** Those of the look before, and since when they wait for the migration. @type {Map<string, number>} */
    let known = new Map();
    while (!this.stopping) {
      const { rows: [{ at, any }] } = await client.query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS at, EXISTS (SELECT FROM pg_locks WHERE NOT granted) AS any');
      const { rows } = any ? await client.query(LOOK) : { rows: [] };
      const now = Number(at);
      /** @type {Map<string, number>} */
      const found = new Map();
      for (const { pid, since, query } of rows) {
        const from = known.get(`${pid} ${since}`) ?? Math.max(Number(since), before);
        found.set(`${pid} ${since}`, from);
        if (!known.has(`${pid} ${since}`)) this.waits += 1;
        if (now - from > this.longest) [this.longest, this.statement] = [now - from, query];
      }
      if (before !== -Infinity) this.stall = Math.max(this.stall, now - before);
      this.looks += 1;
      [known, before] = [found, now];
      await sleep(3);
    }
    await client.end();
  }

  async stop() {
    this.stopping = true;
    await this.ended;
  }
}
