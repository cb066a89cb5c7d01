import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldSlot } from '../../src/sync/follow.mjs';
import { parseLsn } from '../../src/pg/text.mjs';

/** What is found of a slot, with the checkpoint at a position. @param {string} applied @param {string} confirmed @param {string} current */
const held = (applied, confirmed, current) =>
  heldSlot(/** @type {any} */ ({ state: { slot: 's', applied: parseLsn(applied) }, observe: () => {}, blue: { row: async () => ['pgoutput', 'f', confirmed, current, current, '0', '0', 'now'] } }));

test('before and after the header of a page is one position in the log; any other is not', async () => {
  for (const [applied, confirmed, current] of /** @type {[string, string, string][]} */ ([
    ['0/16FA028', '0/16F9000', '0/16FA000'], ['0/16FA000', '0/16FA028', '0/16FA028'], ['0/1000028', '0/1000000', '0/1000000'], ['0/16FA018', '0/16FA018', '0/16FA000'],
  ]))
    await held(applied, confirmed, current);
  await assert.rejects(held('0/16FA030', '0/16F9000', '0/16FA000'), { code: 'BLUE_WENT_BACK' });
  await assert.rejects(held('0/16F9FF8', '0/16FA028', '0/16FA100'), { code: 'CHECKPOINT_GAP' });
});
