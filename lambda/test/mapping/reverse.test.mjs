/** The way back that is derived from a mapping: what it calls exact comes back as it was, and what comes back leads to green's row again. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileMapping, copiedPart } from '../../src/mapping/compile.mjs';
import { toMajorUnits, toMinorUnits } from '../../src/mapping/currencies.mjs';
import { deriveReverse } from '../../src/mapping/reverse.mjs';
import { HASH_KEY, catalog } from '../support/catalog.mjs';

const ENUMS = { mood: ['sad', 'ok', 'happy'] };
const GREEN_ENUMS = { feeling: ['low', 'fine', 'high', 'erased'], strict: ['low', 'fine', 'high'] };
const BLUE = {
  'public.t': {
    id: 'integer key', code: 'character(3) not null', amount: 'numeric(18,4)', fee: 'numeric(6,2)', count: 'integer', mood: 'mood', tight: 'mood', name: 'text', long: 'character varying(8)', note: 'text', secret: 'text not null',
    trace: 'uuid', why: 'text', at: 'timestamp with time zone', street: 'text', city: 'text', flag: 'boolean',
  },
};
const GREEN = {
  'public.u': {
    key: 'bigint key', currency: 'character(3) not null', minor: 'bigint', fee: 'numeric(8,5)', count: 'bigint', feeling: 'feeling', tight: 'strict', first: 'text', rest: 'text', long: 'text', hash: 'text not null', trace: 'text',
    why: 'text not null', at: 'timestamp with time zone', address: 'text', origin: 'text', flag: 'boolean',
  },
};
const MAPPING = {
  version: 1,
  tables: [{
    source: 'public.t', target: 'public.u', drop: ['note'],
    columns: {
      key: 'id', currency: 'code', minor: { minorUnits: 'amount', currency: 'code' }, fee: { from: 'fee', cast: 'numeric(8,5)' }, count: { from: 'count', cast: 'bigint' },
      feeling: { from: 'mood', map: { sad: 'low', ok: 'fine', happy: 'high' } }, tight: { from: 'tight', map: { sad: 'low', ok: 'fine', happy: 'high' } },
      first: { split: 'name', separator: ' ', part: 1 }, rest: { split: 'name', separator: ' ', part: 2, rest: true }, long: { from: 'long', cast: 'text' }, hash: { hash: 'secret' }, trace: { from: 'trace', cast: 'text' },
      why: { from: 'why', ifNull: 'not given' }, address: { merge: ['street', 'city'] }, origin: { constant: 'blue' },
    },
  }],
};

/** @param {object} [table] */
function compiled(table = {}) {
  const mapping = { ...MAPPING, tables: [{ ...MAPPING.tables[0], ...table }] };
  const [blue, green] = [catalog(BLUE, ENUMS), catalog(GREEN, GREEN_ENUMS)];
  const [forward] = compileMapping(mapping, blue, green, { hashKey: HASH_KEY }).tables;
  const { json, lines } = deriveReverse(mapping, blue, green);
  const [back] = compileMapping(json, green, blue, { back: new Map([['public.u', forward?.targetColumns ?? []]]) }).tables;
  if (forward === undefined || back === undefined) throw new Error('no table');
  return { forward, back, lines, kinds: Object.fromEntries(lines.map(({ column, kind }) => [column, kind])) };
}

test('each column of blue is classed', () => {
  assert.deepEqual(compiled().kinds, {
    id: 'guarded', code: 'exact', amount: 'exact', fee: 'guarded', count: 'guarded', mood: 'guarded', tight: 'exact', name: 'guarded', long: 'guarded', note: 'kept', secret: 'irreversible', trace: 'guarded', why: 'guarded', at: 'exact',
    street: 'irreversible', city: 'irreversible', flag: 'exact',
  });
  assert.deepEqual(compiled().lines.filter(({ kind, required }) => kind === 'irreversible' && required).map(({ column }) => column), ['secret']);
  const declared = compiled({ reverse: { columns: { city: { split: 'address', separator: ' ', part: -1 } }, keep: ['amount', 'street'] } });
  assert.deepEqual([declared.kinds['city'], declared.kinds['amount'], declared.kinds['street']], ['guarded', 'irreversible', 'irreversible']);
  assert.ok(!declared.back.targetColumns.includes('amount'));
});

const text = fc.constantFrom('', ' ', 'Ada', 'Ada Lovelace', ' x', 'Ana María Lee', 'a  b');
const nullable = (/** @type {fc.Arbitrary<string>} */ values) => fc.option(values);
const VALUES = {
  id: fc.integer().map(String), code: fc.constantFrom('EUR', 'JPY', 'BHD', 'CLF'), amount: nullable(fc.tuple(fc.integer(), fc.nat(9999)).map(([whole, rest]) => `${whole}.${String(rest).padStart(4, '0')}`)),
  fee: nullable(fc.constantFrom('0.00', '-12.34', '9999.99', 'NaN')), count: nullable(fc.integer().map(String)), mood: nullable(fc.constantFrom(...ENUMS.mood)), tight: nullable(fc.constantFrom(...ENUMS.mood)),
  name: nullable(text), long: nullable(fc.constantFrom('', 'abc', '12345678')), note: nullable(text), secret: text, trace: nullable(fc.uuid()), why: nullable(fc.constantFrom('not given', 'x', '')),
  at: nullable(fc.constantFrom('2026-03-01 10:00:00.123456+00', 'infinity')), street: nullable(text), city: nullable(text), flag: nullable(fc.constantFrom('t', 'f')),
};

test('rows of blue come back: exact columns as they were, and all that was written leads to the same row of green', () => {
  const { forward, back, kinds } = compiled();
  let rows = 0;
  fc.assert(fc.property(fc.record(VALUES), (row) => {
    const values = /** @type {Record<string, string | null>} */ (row);
    const there = forward.transform(forward.sourceColumns.map((name) => values[name] ?? null));
    if (there.kind !== 'row') return;
    rows += 1;
    const onGreen = Object.fromEntries(forward.targetColumns.map((name, i) => [name, there.values[i] ?? null]));
    const again = back.transform(back.sourceColumns.map((name) => onGreen[name] ?? null));
    assert.equal(again.kind, 'row', JSON.stringify([values, again]));
    if (again.kind !== 'row') return;
    const onBlue = { ...values, ...Object.fromEntries(back.targetColumns.map((name, i) => [name, again.values[i] ?? null])) };
    for (const [name, kind] of Object.entries(kinds)) if (kind === 'exact' || kind === 'kept') assert.equal(onBlue[name], values[name], name);
    const once = forward.transform(forward.sourceColumns.map((name) => onBlue[name] ?? null));
    assert.deepEqual(once, there, JSON.stringify(values));
  }), { numRuns: 2000 });
  assert.ok(rows > 500, `${rows} rows`);
});

test("what blue has no room for is held: a key that is too large, a label, a text that is too long", () => {
  const { back } = compiled();
  const row = { key: '1', currency: 'EUR', minor: '5', fee: '1.40000', count: '1', feeling: 'low', tight: 'low', first: 'a', rest: null, long: 'x', hash: 'h', trace: null, why: 'w', at: null, address: null, origin: 'x', flag: 't' };
  const outcome = (/** @type {Record<string, string | null>} */ more) => back.transform(back.sourceColumns.map((name) => /** @type {Record<string, string | null>} */ ({ ...row, ...more })[name] ?? null));
  assert.equal(outcome({}).kind, 'row');
  for (const more of /** @type {Record<string, string>[]} */ ([{ key: '3000000000' }, { feeling: 'erased' }, { long: '123456789' }, { fee: '1.40001' }, { trace: 'no uuid' }, { currency: 'ZZZ' }, { minor: '999999999999999999' }]))
    assert.equal(outcome(more).kind, 'quarantine', JSON.stringify(more));
});

test('minor units and back, in every number of decimals', () => {
  fc.assert(fc.property(fc.bigInt(), fc.nat(4), (minor, exponent) => assert.equal(toMinorUnits(toMajorUnits(String(minor), exponent) ?? '', exponent), String(minor))));
  for (const [minor, exponent, major] of /** @type {const} */ ([['5', 2, '0.05'], ['-5', 2, '-0.05'], ['-1234', 3, '-1.234'], ['7', 0, '7'], ['0', 2, '0.00'], ['1.5', 2, undefined], ['NaN', 2, undefined]]))
    assert.equal(toMajorUnits(minor, exponent), major);
});

test('the way back may be changed while a migration is under way, what is copied may not', () => {
  const mapping = JSON.parse(readFileSync(new URL('../../mappings/default.json', import.meta.url), 'utf8'));
  const text = (/** @type {unknown} */ json) => JSON.stringify(copiedPart(json));
  const changed = { ...mapping, mode: 'read-only', limits: {}, tables: mapping.tables.map((/** @type {object} */ table) => ({ ...table, reverse: { keep: [] } })) };
  assert.equal(text(changed), text(mapping));
  assert.notEqual(text({ ...mapping, tables: mapping.tables.slice(1) }), text(mapping));
});
