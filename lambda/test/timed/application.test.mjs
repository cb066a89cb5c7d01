/** Blue's application goes on as if there were no migration: nothing of it fails, waits, or becomes slow. It is measured, so it runs when no other test does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertNothingLeft } from '../support/cases.mjs';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { Waits } from '../support/waits.mjs';
import { randomFrom } from '../support/writers.mjs';

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start(FAST)));
after(() => servers.remove());

/** A client that does one statement after the other, each in a transaction of its own, and times it. */
class Client {
  /** @param {Lab} lab @param {(random: (below: number) => number) => string[]} statements of one transaction @param {number} pauseMs */
  constructor(lab, statements, pauseMs) {
    /** @type {{at: number, ms: number}[]} */
    this.done = [];
    /** @type {unknown[]} */
    this.failures = [];
    this.stopping = false;
    this.ended = this.#loop(lab, statements, pauseMs);
  }

  /** @param {Lab} lab @param {(random: (below: number) => number) => string[]} statements @param {number} pauseMs */
  async #loop(lab, statements, pauseMs) {
    const client = await lab.blue.connect(lab.database);
    const random = randomFrom(7);
    while (!this.stopping) {
      const began = performance.now();
      await client.query(statements(random).join(';')).catch((error) => this.failures.push(error));
      this.done.push({ at: began, ms: performance.now() - began });
      await sleep(pauseMs);
    }
    await client.end();
  }

  async stop() {
    this.stopping = true;
    await this.ended;
  }

  /** @param {number} from @param {number} to */
  during(from, to) {
    return this.done.filter(({ at }) => at >= from && at <= to).map(({ ms }) => ms).sort((a, b) => a - b);
  }
}

test('an application that writes, truncates and alters while a migration begins, copies, follows and stops', { timeout: 900_000 }, async () => {
  const table = (/** @type {string} */ name) => `CREATE TABLE ${name} (id int PRIMARY KEY, v text, n int);
    CREATE TABLE ${name}_p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE ${name}_p1 PARTITION OF ${name}_p FOR VALUES FROM (0) TO (1000000); CREATE TABLE ${name}_p2 PARTITION OF ${name}_p DEFAULT`;
  const lab = await servers.fresh('application', `${table('t')}; ${table('u')}`, table('t'));
  const options = { mapping: { version: 1, tables: [{ source: 'public.t' }, { source: 'public.t_p' }] } };
  for (const name of ['t', 'u'])
    await lab.onBlue(`INSERT INTO ${name} SELECT i, repeat('x', 100), i FROM generate_series(1, 100000) i; INSERT INTO ${name}_p SELECT i, repeat('y', 100) FROM generate_series(1, 50000) i; ANALYZE`);
  const writes = (/** @type {string} */ name) => (/** @type {(below: number) => number} */ random) =>
    [
      [`UPDATE ${name} SET n = n + 1 WHERE id = ${1 + random(100_000)}`],
      [`INSERT INTO ${name} VALUES (${1_000_000 + random(1e9)}, 'new', 1) ON CONFLICT DO NOTHING`],
      [`DELETE FROM ${name} WHERE id = ${1 + random(100_000)}`],
      [`UPDATE ${name}_p SET v = 'z' WHERE id = ${1 + random(50_000)}`, `UPDATE ${name} SET v = 'w' WHERE id = ${1 + random(100_000)}`],
    ][random(4)] ?? [];
  // What takes a table for itself, and makes all others wait while it waits.
  const alters = (/** @type {string} */ name) => (/** @type {(below: number) => number} */ random) =>
    [[`ALTER TABLE ${name} ALTER n SET STATISTICS ${100 + random(100)}`], [`TRUNCATE ${name}_p2`], [`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`, `UPDATE ${name} SET n = 0 WHERE id = 1`],
      [`ALTER TABLE ${name}_p ALTER v SET STATISTICS ${100 + random(100)}`]][random(4)] ?? [];
  // The same on tables that are not mapped: what the machine does to both.
  const mapped = [new Client(lab, writes('t'), 5), new Client(lab, writes('t'), 5), new Client(lab, alters('t'), 150)];
  const others = [new Client(lab, writes('u'), 5), new Client(lab, writes('u'), 5), new Client(lab, alters('u'), 150)];
  const waits = new Waits(lab.blue, lab.database);
  await sleep(500);

  /** One migration, and what of it the application has noticed. */
  const migration = async () => {
    waits.reset();
    const began = performance.now();
    await lab.untilSynced({ ...options, seconds: 120 });
    for (let runs = 0; runs < 5; runs += 1) await lab.run(options);
    await lab.verify(options);
    await lab.stop(options);
    const ended = performance.now();
    const all = (/** @type {Client[]} */ clients) => clients.flatMap((client) => client.during(began, ended)).sort((a, b) => a - b);
    const [own, other] = [all(mapped), all(others)];
    const at = (/** @type {number[]} */ times, /** @type {number} */ part) => times[Math.floor((times.length - 1) * part)] ?? 0;
    const { longest, statement, stall } = waits;
    const said = `${own.length} statements beside ${other.length} on other tables in ${(ended - began).toFixed(0)} ms; p98 ${at(own, 0.98).toFixed(0)} beside ${at(other, 0.98).toFixed(0)} ms, slowest ${at(own, 1).toFixed(0)} beside ${at(other, 1).toFixed(0)} ms; ` +
      `${waits.waits} waits for the migration, the longest ${longest.toFixed(0)} ms (${statement}), while the machine stood still for up to ${stall.toFixed(0)} ms`;
    console.log(said);
    const kept = own.length >= 0.9 * other.length && longest <= 100 + stall && at(own, 0.98) <= 25 + 1.25 * at(other, 0.98) && at(own, 1) <= 100 + at(other, 1) + stall;
    return { kept, said };
  };
  // A migration that made the application wait would do so each time; a pause of the machine does not come each time.
  let result = await migration();
  for (let again = 0; again < 4 && !result.kept; again += 1) {
    await lab.onGreen('TRUNCATE t, t_p');
    result = await migration();
  }
  for (const client of [...mapped, ...others, waits]) await client.stop();
  for (const client of mapped) assert.deepEqual(client.failures, []);
  assert.ok(waits.looks > 100);
  assert.ok(result.kept, result.said);
  await assertNothingLeft(lab);
});
