import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeOut } from '../support/catalog.mjs';

const SKIP = { kind: 'skip' };

/** Is the row kept? @param {string} type @param {object} where @param {string | null | undefined} value */
function kept(type, where, value) {
  const outcome = computeOut({ a: type }, 'text', { constant: 'in' }, { enums: { e: ['x', 'y'] }, table: { where } })({ a: value });
  if (outcome === 'in') return true;
  if (outcome !== null && typeof outcome === 'object' && 'kind' in outcome && outcome.kind === 'needsFullRow') return undefined;
  assert.deepEqual(outcome, SKIP);
  return false;
}

/** @type {[string, object, string | null | undefined, boolean | undefined][]} */
const CASES = [
  ['text', { column: 'a', equals: 'x' }, 'x', true],
  ['text', { column: 'a', equals: 'x' }, 'y', false],
  ['text', { column: 'a', equals: 'x' }, null, false],
  ['text', { column: 'a', equals: 'x' }, undefined, undefined],
  ['text', { column: 'a', in: ['x', ''] }, '', true],
  ['text', { column: 'a', notIn: ['x'] }, 'x', false],
  ['text', { column: 'a', notIn: ['x'] }, null, true],
  ['text', { column: 'a', isNull: true }, null, true],
  ['text', { column: 'a', isNull: false }, null, false],
  ['character(4)', { column: 'a', equals: 'x' }, 'x   ', true],
  ['boolean', { column: 'a', equals: true }, 't', true],
  ['boolean', { column: 'a', equals: true }, 'f', false],
  ['e', { column: 'a', in: ['x'] }, 'x', true],
  ['numeric', { column: 'a', equals: '1.5' }, '1.500', true],
  ['numeric', { column: 'a', equals: 100 }, '100', true],
  ['numeric', { column: 'a', atLeast: '10' }, '9.99', false],
  ['numeric', { column: 'a', atLeast: '-10' }, '-9.99', true],
  ['numeric', { column: 'a', atLeast: '10' }, '10.00', true],
  ['numeric', { column: 'a', below: 0 }, '-0.01', true],
  ['numeric', { column: 'a', below: '1' }, 'NaN', false],
  ['numeric', { column: 'a', below: '1' }, '-Infinity', true],
  ['bigint', { column: 'a', atLeast: '9007199254740993' }, '9007199254740992', false],
  ['bigint', { column: 'a', atLeast: 5 }, null, false],
  ['date', { column: 'a', atLeast: '2026-01-01' }, '2025-12-31', false],
  ['date', { column: 'a', atLeast: '2026-01-01' }, 'infinity', true],
  ['date', { column: 'a', below: '2026-01-01' }, '0044-03-15 BC', true],
  ['date', { column: 'a', below: '2026-01-01' }, '12026-01-01', false],
  ['timestamp with time zone', { column: 'a', below: '2026-01-01T00:00:00Z' }, '2025-12-31 23:59:59.999999+00', true],
  ['timestamp with time zone', { column: 'a', below: '2026-01-01 01:00:00+01' }, '2026-01-01 00:00:00+00', false],
  ['timestamp with time zone', { column: 'a', below: '2026-01-01' }, '-infinity', true],
  ['text', { all: [{ column: 'a', isNull: false }, { not: { column: 'a', equals: 'x' } }] }, 'y', true],
  ['text', { any: [{ column: 'a', equals: 'x' }, { column: 'id', equals: 1 }] }, undefined, true],
  ['text', { any: [{ column: 'a', equals: 'x' }, { column: 'id', equals: 2 }] }, undefined, undefined],
  ['text', { all: [{ column: 'a', equals: 'x' }, { column: 'id', equals: 2 }] }, undefined, false],
];

test('the row filter keeps and skips rows, and asks for the row when it depends on what is missing', () => {
  for (const [type, where, value, wanted] of CASES) assert.equal(kept(type, where, value), wanted, `${type} ${JSON.stringify(where)} ${value}`);
});
