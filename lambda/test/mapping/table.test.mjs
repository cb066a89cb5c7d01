import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compileMapping } from '../../src/mapping/compile.mjs';
import { HASH_KEY, catalog } from '../support/catalog.mjs';

/** @param {Record<string, string>} source @param {Record<string, string>} target @param {object} table */
function plan(source, target, table = {}) {
  const json = { version: 1, tables: [{ source: 'public.t', ...table }] };
  const { tables } = compileMapping(json, catalog({ 'public.t': source }), catalog({ 'public.t': target }), { hashKey: HASH_KEY });
  return /** @type {import('../../src/mapping/types.mjs').TablePlan} */ (tables[0]);
}

test('a table that is carried whole is an identity, in the order of the target', () => {
  const { identity, sourceColumns, targetColumns, carriedFrom } = plan({ id: 'bigint key', a: 'text', b: 'integer' }, { b: 'bigint', id: 'bigint key', a: 'text' });
  assert.deepEqual({ identity, sourceColumns, targetColumns, carriedFrom }, { identity: true, sourceColumns: ['b', 'id', 'a'], targetColumns: ['b', 'id', 'a'], carriedFrom: ['b', 'id', 'a'] });
});

test('renamed and dropped columns leave an identity; a filter, a check or a computed column does not', () => {
  const source = { id: 'bigint key', a: 'text', b: 'text' };
  assert.equal(plan(source, { id: 'bigint key', c: 'text' }, { drop: ['b'], columns: { c: 'a' } }).identity, true);
  assert.equal(plan(source, { id: 'bigint key', a: 'text', b: 'text' }, { where: { column: 'a', isNull: false } }).identity, false);
  assert.equal(plan(source, { id: 'bigint key', a: 'text not null', b: 'text' }).identity, false);
  assert.equal(plan(source, { id: 'bigint key', a: 'text', b: 'text', c: 'text' }, { columns: { c: { constant: 'x' } } }).identity, false);
  assert.equal(plan({ id: 'bigint key', a: 'character(3)' }, { id: 'bigint key', a: 'text' }, { columns: { a: { from: 'a', cast: 'text' } } }).identity, false);
});

test('a column that is dropped is not read at all', () => {
  assert.deepEqual(plan({ id: 'bigint key', cvv: 'text' }, { id: 'bigint key' }, { drop: ['cvv'] }).sourceColumns, ['id']);
});

test('a column that is used in an expression is not carried beside it', () => {
  const made = plan({ id: 'bigint key', pan: 'text' }, { id: 'bigint key', pan_hash: 'text' }, { columns: { pan_hash: { hash: 'pan' } } });
  assert.deepEqual(made.targetColumns, ['id', 'pan_hash']);
});

test("green's key follows from blue's, through renaming, casts and hashes", () => {
  const made = plan({ a: 'integer key', b: 'text key', c: 'text' }, { x: 'bigint key', y: 'text key', c: 'text' }, { columns: { x: 'a', y: { hash: 'b' } } });
  assert.deepEqual([made.key, made.targetKey], [['a', 'b'], ['x', 'y']]);
  const row = made.transform(made.sourceColumns.map((name) => ({ a: '7', b: 'k', c: 'v' })[name]));
  const key = made.transformKey(['7', 'k']);
  assert.ok(row.kind === 'row' && key.kind === 'row');
  assert.deepEqual(key.values, row.values.slice(0, 2));
});

test('a key that cannot be transformed says so', () => {
  const made = plan({ id: 'text key' }, { id: 'uuid key' }, { columns: { id: { from: 'id', map: { a: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' } } } });
  assert.deepEqual(made.transformKey(['b']), { kind: 'quarantine', reason: 'a value that the map does not have', column: 'id' });
});

test('the limit for quarantine comes from the mapping', () => {
  const both = catalog({ 'public.t': { id: 'bigint key' } });
  const tables = [{ source: 'public.t' }];
  assert.equal(compileMapping({ version: 1, tables }, both, both).limits.quarantine, 1000);
  assert.equal(compileMapping({ version: 1, limits: { quarantine: 0 }, tables }, both, both).limits.quarantine, 0);
});

test('the packaged mapping fits into an SSM parameter', () => {
  const text = JSON.stringify(JSON.parse(readFileSync(new URL('../../mappings/default.json', import.meta.url), 'utf8')));
  assert.ok(text.length < 4096, `${text.length}`);
});
