/** Both sides take payments at the same time. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../support/lab.mjs';
import { FAST } from '../support/postgres.mjs';
import { OPTIONS, Payer, Streams, assertWhole, quiet, splitLab } from '../support/split.mjs';

/** @type {Lab} */
let servers;
before(async () => void (servers = await Lab.start({ ...FAST, max_replication_slots: '30' })));
after(() => servers.remove());

test('two writers on each side: every acknowledged payment is on both sides once, and three round trips leave both streams quiet', { timeout: 300_000 }, async () => {
  const lab = await splitLab(servers, 'split');
  const payers = /** @type {const} */ (['blue', 'blue', 'green', 'green']).map((side, i) => new Payer(lab, side, `${side}${i}`));
  const streams = new Streams(lab);
  await sleep(8_000);
  for (const payer of payers) await payer.stop();
  await streams.stop();
  assert.deepEqual(streams.failures, []);
  await quiet(lab);
  await assertWhole(lab, payers);
  assert.deepEqual((await lab.onBlue('SELECT source, column_name, reason FROM payment_migration.quarantine')).rows, []);
  assert.deepEqual((await lab.onGreen('SELECT source, column_name, reason FROM payment_migration.quarantine')).rows, []);
  assert.ok(payers.every(({ acknowledged }) => acknowledged.size > 20));
  for (let trip = 0; trip < 3; trip += 1) {
    const before = [(await lab.run(OPTIONS)).changesApplied, (await lab.runBack(OPTIONS)).changesApplied];
    assert.deepEqual([(await lab.run(OPTIONS)).changesApplied, (await lab.runBack(OPTIONS)).changesApplied], before);
  }
  assert.ok((await lab.onBlue('SELECT count(*)::int AS n FROM customers WHERE note IS DISTINCT FROM $$own$$')).rows[0].n === 0, "blue's own columns stay");
});
