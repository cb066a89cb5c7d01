/**
 * Two writers on each side all the time, while appliers are killed, servers fail, partitions are written directly, long and prepared transactions run, and the writes move to
 * green and back: afterwards every acknowledged payment is on both sides exactly once, what must hold does, and what was held is named.
 *
 * The ordinary run kills a few times; `PROOF_KILLS=50 PROOF_SEED=3 npm test -- split/proof` is the whole.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { OPTIONS, Payer, assertWhole, patiently, quiet, splitLab, stopAll, untilAll } from '../support/split.mjs';
import { randomFrom } from '../support/writers.mjs';

const KILLS = Number(process.env['PROOF_KILLS'] ?? 10);
const SEED = Number(process.env['PROOF_SEED'] ?? 7);

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, synchronous_commit: 'on', max_replication_slots: '20', max_prepared_transactions: '5' })));
after(() => servers.remove());
afterEach(stopAll);

/** A stream that runs all the time, in a process that is killed and begun again. */
class Killed {
  /** @param {Lab} lab @param {boolean} back */
  constructor(lab, back) {
    /** @type {string[]} */
    this.errors = [];
    this.begin = () => lab.spawn('streams', OPTIONS, { back });
    this.running = this.begin();
  }

  async end() {
    this.running.child.kill('SIGKILL');
    this.errors.push(...(await this.running.ended).output.split('\n').filter((line) => line !== ''));
  }

  async kill() {
    await this.end();
    this.running = this.begin();
  }
}

test('kills, failovers, long and prepared transactions and cutovers while both sides write', { timeout: 300_000 + KILLS * 15_000 }, async () => {
  const lab = await splitLab(servers, 'proof');
  const random = randomFrom(SEED);
  const payers = /** @type {const} */ (['blue', 'blue', 'green', 'green']).map((side, i) => new Payer(lab, side, `p${i}`, { pauseMs: 60 }));
  const streams = [new Killed(lab, false), new Killed(lab, true)];
  /** To another address, which the functions are given. @param {'blue' | 'green'} side */
  const failOver = async (side) => {
    await lab[side].stop('immediate');
    await sleep(500);
    await lab[side].startElsewhere();
    for (const stream of streams) await stream.kill();
  };
  /** What happens beside the kills, once each. @type {(() => Promise<unknown>)[]} */
  const events = [
    () => lab.onBlue("INSERT INTO payments_1 (id, day, merchant, reference, amount, currency, state) SELECT nextval('payments_id_seq'), '2026-01-07', 1, 'direct-' || i, 1, 'EUR', 'N' FROM generate_series(1, 20) i"),
    () => lab.onGreen("INSERT INTO payments_2 (id, day, merchant, reference, minor, currency, status) SELECT nextval('payments_id_seq'), '2026-03-07', 2, 'direct-green-' || i, 100, 'EUR', 'new' FROM generate_series(1, 20) i"),
    () => lab.onGreen("BEGIN; INSERT INTO payments (day, merchant, reference, minor, currency, status) SELECT '2026-02-07', 3, 'large-' || i, 100, 'EUR', 'new' FROM generate_series(1, 20000) i; COMMIT"),
    () => lab.onBlue("BEGIN; UPDATE customers SET phone = 'prepared' WHERE id < 4; PREPARE TRANSACTION 'held'").then(() => sleep(1_500)).then(() => lab.onBlue("COMMIT PREPARED 'held'")),
    async () => {
      await lab.green.stop('immediate');
      await sleep(500);
      await lab.green.start();
    },
    () => failOver('blue'),
    () => failOver('green'),
  ];
  for (let kills = 0; kills < KILLS; kills += 1) {
    await sleep(300 + random(1_500));
    if (kills % 2 === 0) await events.shift()?.();
    await streams[random(2)]?.kill();
  }
  for (const event of events) await event();
  // The writes move to green and back, and both sides write again.
  for (const stream of streams) await stream.end();
  await quiet(lab);
  const busy = await patiently(() => lab.verify(OPTIONS));
  assert.deepEqual([busy.verdict, busy.writer], ['equal', 'both'], JSON.stringify(busy));
  const [onBlue, onGreen] = [payers.slice(0, 2), payers.slice(2)];
  assert.equal((await patiently(() => lab.cutover(OPTIONS))).writer, 'green');
  await untilAll(onGreen, { paid: 5 });
  assert.equal((await patiently(() => lab.cutover(OPTIONS, true))).writer, 'blue');
  await untilAll(onBlue, { paid: 5 });
  assert.equal((await patiently(() => lab.prepare(OPTIONS))).writer, 'both');
  await untilAll(payers, { paid: 10 });
  for (const payer of payers) await payer.stop();
  await quiet(lab);
  await assertWhole(lab, payers);
  const counts = payers.map(({ acknowledged, refused, lost }) => `${acknowledged.size} paid, ${refused} refused, ${lost} without an answer`);
  console.log(`${KILLS} kills; ${counts.join('; ')}; ${(await lab.onBlue("SELECT coalesce(identity->>'merged', '0') AS n FROM payment_migration.state")).rows[0].n} rows merged`);
  const verdict = await patiently(() => lab.verify(OPTIONS));
  assert.deepEqual([verdict.verdict, verdict.unreversed, verdict.quarantined], ['equal', 0, 0], JSON.stringify(verdict));
  assert.deepEqual(streams.flatMap(({ errors }) => errors).filter((error) => !/BUSY|CONNECTION_LOST|TRANSIENT|ECONN/.test(error)), []);
  for (let trip = 0; trip < 3; trip += 1) {
    const before = [(await lab.run(OPTIONS)).changesApplied, (await lab.runBack(OPTIONS)).changesApplied];
    assert.deepEqual([(await lab.run(OPTIONS)).changesApplied, (await lab.runBack(OPTIONS)).changesApplied], before);
  }
});
