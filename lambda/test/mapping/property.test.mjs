/** Schemas, rows and mappings, made at random: what the compiled mapping does is what the plain reference says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileMapping } from '../../src/mapping/compile.mjs';
import { HASH_KEY, catalog } from '../support/catalog.mjs';
import { referenceRow } from '../support/reference.mjs';

const ENUMS = { mood: ['sad', 'ok', 'happy'], grade: ['a', 'b', 'c', 'sad'] };
const CURRENCIES = ['EUR', 'USD', 'JPY', 'BHD', 'CLF', 'XXX'];

const text = fc.oneof(
  fc.string({ maxLength: 20, unit: 'grapheme' }).filter((value) => !value.includes('\0')),
  fc.constantFrom('', ' ', 'Ana María Lee', '4111 1111 1111 1111', '12', '-7.50', 'yes', 'sad', 'a/b/c', 'Zürich'),
);
const decimal = (/** @type {number} */ whole, /** @type {number} */ scale) =>
  fc.tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** BigInt(whole) - 1n }), fc.nat(10 ** scale - 1)).map(([negative, n, rest]) => {
    const digits = `${n}${scale === 0 ? '' : `.${String(rest).padStart(scale, '0')}`}`;
    return negative && /[1-9]/.test(digits) ? `-${digits}` : digits;
  });

/** Values as PostgreSQL prints them. @type {Record<string, fc.Arbitrary<string>>} */
const TYPES = {
  text,
  'character varying(30)': text.map((value) => [...value].slice(0, 30).join('')),
  'character(6)': fc.constantFrom('ab', 'EUR', 'x y', '').map((value) => value.padEnd(6)),
  smallint: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }).map(String),
  integer: fc.integer().map(String),
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  'numeric(12,4)': decimal(8, 4),
  numeric: fc.oneof(decimal(30, 6), decimal(3, 2), fc.constantFrom('NaN', '0', '12.3400')),
  boolean: fc.constantFrom('t', 'f'),
  mood: fc.constantFrom(...ENUMS.mood),
  bytea: fc.uint8Array({ maxLength: 8 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  jsonb: fc.constantFrom('{}', '{"a": [1, 2.50]}', 'null', '"é"'),
  'timestamp with time zone': fc.constantFrom('2026-03-01 10:00:00.123456+00', 'infinity', '0044-03-15 00:00:00+00 BC'),
  'text[]': fc.constantFrom('{}', '{a,"b c",NULL}', '{{1,2},{3,4}}'),
};

/** An operand that gives text. @param {string[]} columns @returns {fc.Arbitrary<any>} */
const operand = (columns) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...columns) },
    { weight: 1, arbitrary: fc.constantFrom('-', '20', '').map((constant) => ({ constant })) },
    { weight: 1, arbitrary: fc.record({ split: fc.constantFrom(...columns), separator: fc.constantFrom(' ', '/', '1'), part: fc.constantFrom(1, 2, -1) }) },
  );

/** Columns without arrays and times: what the operations take. @param {Record<string, string>} types */
const simple = (types) => Object.keys(types).filter((name) => !/\[\]|timestamp/.test(types[name] ?? ''));

/** A target column: its type and the expression for it. @param {Record<string, string>} types @returns {fc.Arbitrary<{type: string, spec: any}>} */
function targetColumn(types) {
  const all = Object.keys(types);
  const columns = simple(types);
  const numbers = columns.filter((name) => /^(numeric|bigint|integer|smallint)/.test(types[name] ?? ''));
  const anyType = fc.constantFrom('text', 'character varying(10)', 'character(8)', 'integer', 'smallint', 'bigint', 'numeric', 'numeric(8,2)', 'boolean', 'grade');
  const textual = fc.oneof(
    fc.record({ concat: fc.array(operand(columns), { minLength: 1, maxLength: 3 }) }),
    fc.record({ merge: fc.array(operand(columns), { minLength: 1, maxLength: 3 }), separator: fc.constantFrom(', ', '') }, { requiredKeys: ['merge'] })
      .filter(({ separator }) => separator !== ''),
    fc.record({ split: operand(columns), separator: fc.constantFrom(' ', '/', '1', '.'), part: fc.constantFrom(1, 2, 3), rest: fc.boolean() }),
    fc.record({ split: operand(columns), separator: fc.constantFrom(' ', '1'), part: fc.constantFrom(-1, -2) }),
    fc.record({ mask: operand(columns), fill: fc.constantFrom('*', 'X', '') }, { requiredKeys: ['mask'] }),
  );
  /** @type {fc.Arbitrary<{type: string, spec: any}>[]} */
  const choices = [
    fc.constantFrom(...all).map((name) => ({ type: /** @type {string} */ (types[name]), spec: name })),
    fc.tuple(textual, anyType, fc.option(fc.constantFrom('7', 'a'))).map(([spec, type, ifNull]) => ({ type, spec: ifNull === null || 'mask' in spec ? spec : { ...spec, ifNull } })),
    fc.tuple(fc.constantFrom(...columns), anyType).filter(([name, type]) => castable(types[name] ?? '', type)).map(([from, type]) => ({ type, spec: { from, cast: type } })),
    fc.tuple(operand(columns), fc.constantFrom('text', 'bytea', 'character varying(64)'), fc.constantFrom('none', 'alphanumeric')).map(([hash, type, normalize]) => ({ type, spec: { hash, normalize } })),
    fc.tuple(operand(columns), fc.constantFrom('text', 'grade'), fc.constantFrom(undefined, 'quarantine', 'carry', { value: 'c' })).filter(([from]) => typeof from !== 'string' || types[from] !== 'mood').map(([from, type, otherwise]) => ({
      type, spec: { from, map: { sad: 'a', 12: 'b', true: 'c', '': 'sad' }, ...(otherwise === undefined ? {} : { otherwise }) },
    })),
    fc.tuple(fc.constantFrom('text', 'numeric(8,2)'), fc.constantFrom('3', null)).map(([type, constant]) => ({ type, spec: constant === null ? { constant } : { constant: type === 'text' ? constant : '3.00' } })),
  ];
  if (numbers.length > 0)
    choices.push(
      fc.tuple(fc.constantFrom(...numbers), fc.oneof(fc.constantFrom(...CURRENCIES).map((constant) => ({ constant })), operand(columns)), fc.constantFrom('bigint', 'numeric(30,0)', 'text'))
        .map(([minorUnits, currency, type]) => ({ type, spec: { minorUnits, currency } })),
    );
  return fc.oneof(...choices);
}

/** @param {string} from @param {string} to */
function castable(from, to) {
  if (to === 'text' || to.startsWith('character')) return true;
  if (/^(text|character)/.test(from)) return true;
  if (/^(smallint|integer|bigint)/.test(from)) return to !== 'grade';
  if (from.startsWith('numeric')) return !['boolean', 'grade'].includes(to);
  return (from === 'boolean' && to === 'boolean') || (from === 'mood' && to === 'grade');
}

const world = fc
  .dictionary(fc.stringMatching(/^c[a-e]$/), fc.constantFrom(...Object.keys(TYPES)), { minKeys: 1, maxKeys: 5 })
  .filter((types) => simple(types).length > 0)
  .chain((more) => {
    const types = { id: 'bigint', ...more };
    const row = fc.record({
      id: /** @type {fc.Arbitrary<string | null>} */ (TYPES['bigint']),
      ...Object.fromEntries(Object.entries(more).map(([name, type]) => [name, fc.option(/** @type {fc.Arbitrary<string>} */ (TYPES[type]), { freq: 6 })])),
    });
    const where = fc.option(
      fc.oneof(
        fc.record({ column: fc.constantFrom(...Object.keys(more)), isNull: fc.boolean() }),
        fc.record({ column: fc.constant('id'), atLeast: fc.constantFrom('0', '-5', 100) }),
        fc.record({ not: fc.record({ column: fc.constant('id'), below: fc.constantFrom('0', '1000') }) }),
        fc.record({ any: fc.tuple(fc.record({ column: fc.constantFrom(...Object.keys(more)), isNull: fc.boolean() }), fc.record({ column: fc.constant('id'), in: fc.constantFrom(['1', '2'], [0]) })) }),
      ),
      { freq: 1 },
    );
    return fc.record({
      types: fc.constant(types),
      rows: fc.array(row, { minLength: 1, maxLength: 5 }),
      where,
      columns: fc.array(fc.tuple(targetColumn(types), fc.nat(4).map((n) => n === 0)), { minLength: 1, maxLength: 5 }),
      missing: fc.subarray(Object.keys(more)),
    });
  });

/** @param {typeof world extends fc.Arbitrary<infer T> ? T : never} made */
function build({ types, where, columns }) {
  /** @type {Record<string, string>} */
  const targetTypes = { id: 'bigint' };
  /** @type {Record<string, any>} */
  const specs = { id: 'id' };
  columns.forEach(([{ type, spec }, notNull], i) => {
    targetTypes[`t${i}`] = type + (notNull && spec.constant !== null ? ' not null' : '');
    specs[`t${i}`] = spec;
  });
  const table = { source: 'public.t', others: 'drop', columns: specs, ...(where === null ? {} : { where }) };
  const source = catalog({ 'public.t': { ...types, id: 'bigint key' } }, ENUMS);
  const target = catalog({ 'public.t': { ...targetTypes, id: 'bigint key' } }, ENUMS);
  const [plan] = compileMapping({ version: 1, tables: [table] }, source, target, { hashKey: HASH_KEY }).tables;
  assert.ok(plan);
  return { plan, table, targetTypes };
}

const REFERENCE = { enums: ENUMS, key: HASH_KEY };

test('a compiled mapping does what the reference says, row by row', () => {
  fc.assert(
    fc.property(world, (made) => {
      const { plan, table, targetTypes } = build(made);
      for (const row of made.rows) {
        const wanted = referenceRow(table, row, made.types, targetTypes, REFERENCE);
        const outcome = plan.transform(plan.sourceColumns.map((name) => /** @type {any} */ (row)[name]));
        if (outcome.kind !== 'row') assert.equal(outcome.kind === 'quarantine' ? 'refused' : outcome.kind, wanted);
        else assert.deepEqual(Object.fromEntries(plan.targetColumns.map((name, i) => [name, outcome.values[i]])), wanted);
      }
    }),
    { numRuns: 3000 },
  );
});

test('with large columns left out, a row is never wrong: right for every value they may have, or the whole row is asked for', () => {
  fc.assert(
    fc.property(world, (made) => {
      const { plan, table, targetTypes } = build(made);
      const [row, ...others] = made.rows;
      const partial = Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, made.missing.includes(name) ? undefined : value]));
      const outcome = plan.transform(plan.sourceColumns.map((name) => partial[name]));
      if (outcome.kind === 'needsFullRow') return assert.ok(made.missing.length > 0);
      for (const other of [row, ...others]) {
        const full = Object.fromEntries(Object.entries(partial).map(([name, value]) => [name, value === undefined ? /** @type {any} */ (other)[name] : value]));
        const wanted = referenceRow(table, full, made.types, targetTypes, REFERENCE);
        if (outcome.kind === 'skip') assert.equal(wanted, 'skip');
        else if (outcome.kind === 'quarantine') assert.equal(wanted, 'refused');
        else if (typeof wanted === 'object') plan.targetColumns.forEach((name, i) => outcome.values[i] === undefined || assert.equal(outcome.values[i], wanted[name]));
      }
    }),
    { numRuns: 2000 },
  );
});
