import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const OWN = new URL('support/moto-requirements.txt', import.meta.url);
const SANDBOX = new URL('../../src/sandbox/requirements.txt', import.meta.url);

test('moto is the one of the deployer, where both are in one tree', { skip: !existsSync(SANDBOX) }, () => {
  assert.ok(readFileSync(OWN, 'utf8') === readFileSync(SANDBOX, 'utf8'), 'copy src/sandbox/requirements.txt to lambda/test/support/moto-requirements.txt');
});
