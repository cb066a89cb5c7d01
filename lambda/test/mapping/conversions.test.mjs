import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeOut, held } from '../support/catalog.mjs';
import { CONVERSIONS } from '../support/conversions.mjs';

test('a cast gives what PostgreSQL prints, or holds back what would be lost', () => {
  for (const [value, from, cast, wanted] of CONVERSIONS) {
    const type = cast === 'status' ? 'status' : cast;
    const out = computeOut({ a: from }, type, { from: 'a', cast }, { targetEnums: { status: ['new'] } })({ a: value });
    const what = `${value} ${from} -> ${cast}`;
    if (typeof wanted === 'string') assert.equal(out, wanted, what);
    else assert.match(/** @type {{reason: string}} */ (out).reason ?? `no reason but ${String(out)}`, wanted, what);
  }
});

test('types that hold every value of the other need no cast', () => {
  assert.equal(computeOut({ a: 'smallint' }, 'bigint', 'a')({ a: '7' }), '7');
  assert.equal(computeOut({ a: 'integer' }, 'numeric', 'a')({ a: '7' }), '7');
  assert.equal(computeOut({ a: 'numeric(6,2)' }, 'numeric(10,4)', 'a')({ a: '1.50' }), '1.5000');
  assert.equal(computeOut({ a: 'numeric(6,2)' }, 'numeric', 'a')({ a: '1.50' }), '1.50');
  assert.equal(computeOut({ a: 'character varying(5)' }, 'text', 'a')({ a: 'x ' }), 'x ');
  assert.equal(computeOut({ a: 's' }, 's', 'a', { enums: { s: ['a'] }, targetEnums: { s: ['a', 'b'] } })({ a: 'a' }), 'a');
});

test('a reason for quarantine never holds the value', () => {
  const secret = '4111111111111111X';
  for (const cast of ['integer', 'numeric(6,2)', 'boolean', 'date', 'timestamptz', 'uuid', 'jsonb', 'varchar(4)', 'status']) {
    const out = computeOut({ a: 'text' }, cast, { from: 'a', cast }, { targetEnums: { status: ['new'] } })({ a: secret });
    assert.doesNotMatch(JSON.stringify(out), /4111/, cast);
    assert.deepEqual(out, held(/** @type {{reason: string}} */ (out).reason));
  }
});
