import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileMapping } from '../../src/mapping/compile.mjs';
import { PermanentError } from '../../src/lib/errors.mjs';
import { HASH_KEY, catalog } from '../support/catalog.mjs';

const ENUMS = { state: ['N', 'C'], status: ['new', 'captured'] };
const blue = catalog(
  {
    'public.payments': { payment_id: 'bigint key', amount: 'numeric(18,4)', currency: 'character(3)', state: 'state', pan: 'text', made: 'timestamp with time zone', net: 'numeric generated', rate: 'double precision' },
    'public.loose': { a: 'text' },
    'public.pairs': { a: 'text key', b: 'date key', n: 'integer' },
    'public.sums': { a: 'text key', net: 'numeric generated', gross: 'numeric(12,2) generated', fee: 'numeric generated' },
  },
  ENUMS,
);
const green = catalog(
  {
    'public.payments': { payment_id: 'bigint key', amount_minor: 'bigint not null', currency: 'character(3)', status: 'status', made: 'date', gross: 'numeric generated', label: 'character varying(3)' },
    'public.loose': { a: 'text' },
    'public.pairs': { a: 'text key', b: 'date key', n: 'integer', extra: 'text not null default' },
    'public.sums': { a: 'text key', net: 'numeric', gross: 'numeric(12,1) generated', fee: 'numeric generated' },
  },
  ENUMS,
);

/** @param {unknown} json @param {Buffer | null} [hashKey] */
function complaint(json, hashKey = HASH_KEY) {
  try {
    compileMapping(json, blue, green, { hashKey });
  } catch (error) {
    assert.ok(error instanceof PermanentError);
    assert.equal(error.code, 'MAPPING');
    return error.message;
  }
  return 'nothing is wrong';
}

/** A mapping of payments. @param {object} columns @param {object} [more] */
const payments = (columns, more = {}) => ({ version: 1, tables: [{ source: 'public.payments', others: 'drop', columns: { payment_id: 'payment_id', ...columns }, ...more }] });

/** What is wrong, and what is said. @type {[string, unknown, RegExp[]][]} */
const CASES = [
  ['no object', [], [/^the mapping is not usable:\nthe mapping: \[\] is not accepted; it takes an object$/]],
  ['no version', { tables: [{ source: 'a.b' }] }, [/version: nothing is not accepted; it has to be given/]],
  ['another version', { version: 2, tables: [{ source: 'a.b' }] }, [/version: 2 is not accepted; it takes 1/]],
  ['no tables', { version: 1, tables: [] }, [/tables: \[\] is not accepted; it must NOT have fewer than 1 items/]],
  ['a misspelt key', { version: 1, tabels: [], tables: [{ source: 'a.b' }] }, [/tabels: "tabels" is not accepted; .*perhaps "tables"/]],
  ['a name without schema', { version: 1, tables: [{ source: 'payments' }] }, [/tables\[0\]\.source: "payments" is not accepted; it takes schema\.table/]],
  ['a misspelt operation', payments({ currency: { form: 'currency' } }), [/tables\[0\]\.columns\.currency\.form: "form" is not accepted; .*perhaps "from"/]],
  ['a wrong type', payments({ currency: 7 }), [/tables\[0\]\.columns\.currency: 7 is not accepted; it takes a string or an object/]],
  ['a wrong limit', { ...payments({}), limits: { quarantine: -1 } }, [/limits\.quarantine: -1 is not accepted; it must be >= 0/]],
  ['a wrong otherwise', payments({ status: { from: 'state', map: { N: 'new' }, otherwise: 'drop' } }), [/otherwise: "drop" is not accepted; it takes "quarantine", "carry" or \{"value": \.\.\.\}/]],
  ['a misspelt table', { version: 1, tables: [{ source: 'public.paymnets' }] }, [/tables\[0\]\.source: "public\.paymnets" is not accepted; it takes a table of blue, perhaps "public\.payments"/, /a table of green, perhaps/]],
  ['a table twice', { version: 1, tables: [{ source: 'public.pairs' }, { source: 'public.pairs' }] }, [/tables\[1\]\.source: "public\.pairs" is not accepted; tables\[0\] has it already/]],
  ['a table without a primary key', { version: 1, tables: [{ source: 'public.loose' }] }, [/tables\[0\]\.source: "public\.loose" .*a table of blue needs a primary key/]],
  ['a misspelt source column', payments({ currency: 'curency' }), [/tables\[0\]\.columns\.currency: "curency" is not accepted; it takes a column of the source table, perhaps "currency" \(payment_id, amount/]],
  ['a misspelt target column', payments({ currencies: 'currency' }), [/tables\[0\]\.columns\.currencies: "currencies" .*perhaps "currency"/]],
  ['a misspelt dropped column', payments({}, { drop: ['pam'] }), [/tables\[0\]\.drop\[0\]: "pam" .*perhaps "pan"/]],
  ['a generated target column', payments({ gross: 'amount' }), [/columns\.gross: "gross" .*a column of the target that can be written/]],
  ['a generated source column', payments({ currency: 'net' }), [/columns\.currency: "net" is not accepted; it takes a column of the source table/]],
  ['what blue computes and green does not, or otherwise', { version: 1, tables: [{ source: 'public.sums' }] }, [/column net: "net" .*blue computes this column/, /column gross: "gross" .*green computes this column in another way/]],
  ['two operations', payments({ currency: { from: 'currency', constant: 'EUR' } }), [/columns\.currency: .* it takes one operation/]],
  ['no operation', payments({ currency: { cast: 'text' } }), [/it takes one operation \(from, constant, concat/]],
  ['a foreign option', payments({ currency: { from: 'currency', part: 1 } }), [/columns\.currency\.part: "part" is not accepted; it takes the options of from/]],
  ['a cast that does not exist', payments({ currency: { from: 'currency', cast: 'integr' } }), [/currency\.cast: "integr" is not accepted; it takes a type, perhaps "integer"/]],
  ['a cast that loses', payments({ amount_minor: { from: 'rate', cast: 'bigint' } }), [/amount_minor\.cast: "bigint" is not accepted; double precision can't be converted to it without loss/]],
  ['a missing cast', payments({ made: 'made' }), [/columns\.made: "made" .*it is timestamp with time zone, the target column is date: say so with "cast": "date"/]],
  ['a narrower text', payments({ label: 'pan' }), [/it is text, the target column is character varying\(3\): say so with "cast": "character varying\(3\)"/]],
  ['enums that differ', payments({ status: 'state' }), [/its labels "N", "C" are not there; use "map"/]],
  ['a map of unknown labels', payments({ status: { from: 'state', map: { N: 'new', K: 'captured' } } }), [/map\.K: "K" .*a label of state/, /missing: C/]],
  ['a map to unknown labels', payments({ status: { from: 'state', map: { N: 'new', C: 'captred' } } }), [/status\.map\.C: "captred" .*a label of status, perhaps "captured"/]],
  ['a constant of the wrong type', payments({ amount_minor: { constant: 'many' } }), [/amount_minor\.constant: "many" is not accepted; it takes a value of bigint: not a whole number/]],
  ['a constant with lost digits', payments({ amount_minor: { constant: 12345678901234567890 } }), [/write others as text, so that no digit is lost/]],
  ['an enum constant', payments({ status: { constant: 'capture' } }), [/a label of status, perhaps "captured"/]],
  ['minor units without a currency', payments({ amount_minor: { minorUnits: 'amount' } }), [/amount_minor\.currency: nothing is not accepted; minorUnits takes "currency"/]],
  ['minor units of a float', payments({ amount_minor: { minorUnits: 'rate', currency: 'currency' } }), [/it takes a numeric or integer, not double precision/]],
  ['a split without a part', payments({ label: { split: 'pan', separator: '-' } }), [/label\.part: nothing is not accepted; split takes "part"/]],
  ['a part zero', payments({ label: { split: 'pan', separator: '-', part: 0 } }), [/label\.part: 0 is not accepted; it takes 1, 2/]],
  ['a nested misspelling', payments({ label: { concat: [{ split: 'pam', separator: '-', part: 1 }] } }), [/label\.concat\[0\]\.split: "pam" .*perhaps "pan"/]],
  ['a column that goes nowhere', payments({}, { others: 'carry' }), [/column amount: "amount" is not accepted; green has no such column/]],
  ['a card number used and not dropped', { version: 1, tables: [{ source: 'public.pairs', columns: { extra: { concat: ['n'] } } }] }, [/column n: "n" is not accepted; it is used in an expression, and green has such a column too/]],
  ['a filter on an unknown column', payments({}, { where: { column: 'stat', equals: 'N' } }), [/where\.column: "stat" .*perhaps "state"/]],
  ['a filter on an unknown label', payments({}, { where: { column: 'state', in: ['N', 'X'] } }), [/where\.in\[1\]: "X" .*a label of state/]],
  ['a filter without comparison', payments({}, { where: { column: 'state' } }), [/where: .*it takes "column" with one of equals, in/]],
  ['a range over a text', payments({}, { where: { column: 'pan', below: '5' } }), [/where\.below: "5" .*a number, a date or a time, not text/]],
  ['all beside column', payments({}, { where: { all: [{ column: 'pan', isNull: true }], column: 'pan' } }), [/where\.column: "pan" is not accepted; "all" stands alone/]],
  ['a key that is not delivered', { version: 1, tables: [{ source: 'public.pairs', others: 'drop', drop: ['b'] }] }, [/columns\.b: nothing is not accepted; (it is part of the primary key|the column of green takes no NULL)/]],
  ['a key from elsewhere', { version: 1, tables: [{ source: 'public.pairs', drop: ['a'], columns: { a: { from: 'n', cast: 'text' }, n: 'n' } }] }, [/columns\.a: "n" is not accepted; a part of the primary key of public\.pairs can only come from the primary key/]],
  ['a key that is masked', { version: 1, tables: [{ source: 'public.pairs', columns: { a: { mask: 'a' } } }] }, [/columns\.a: "a" is not accepted; a part of the primary key .* keeps different keys different/]],
  ['half of a key', { version: 1, tables: [{ source: 'public.pairs', drop: ['b'], columns: { b: { constant: '2026-01-01' } } }] }, [/tables\[0\] \(public\.pairs\): "b" is not accepted; every column of the primary key has to go into the primary key/]],
  ['no value for a column that needs one', payments({ currency: 'currency' }), [/columns\.amount_minor: nothing is not accepted; the column of green takes no NULL and has no default/]],
];

test('a bad mapping says where, what stands there and what is accepted', () => {
  for (const [what, json, patterns] of CASES) {
    const message = complaint(json);
    for (const pattern of patterns) assert.match(message, pattern, `${what}:\n${message}`);
  }
});

test('a hash without a key is refused', () => {
  assert.match(complaint(payments({ label: { hash: 'pan' } }), null), /label\.hash: "pan" is not accepted; a hash takes a key: set HASH_KEY_SECRET_ARN/);
});

test('everything that is wrong is said at once, up to twenty', () => {
  const message = complaint(payments({ currency: 'x1', status: 'x2', made: 'x3' }));
  assert.equal(message.split('\n').length, 5); // the headline, the three, and the column without a value
  const many = { version: 1, tables: Array.from({ length: 25 }, (_, i) => ({ source: `public.t${i}` })) };
  assert.match(complaint(many), /and 30 more$/);
});

test('a value of the mapping that is long is cut in the error', () => {
  assert.match(complaint(payments({ currency: 'x'.repeat(500) })), /"x{56}\.\.\. is not accepted/);
});

test('no value of a mapping is repeated, wherever it stands', () => {
  const values = ['4929123456781234', '4929.1234.5678.1234', '4929\u00a01234\u00a05678\u00a01234', '4929 1234 5678 1234', 'ada.lovelace@example.com', 'Canary-Pa55w0rd!', 'hunter22', 'Ada Lovelace', '+41 79 123 45 67'];
  let refused = 0;
  for (const value of values) {
    const cases = [
      payments({}, { where: { column: 'payment_id', atLeast: value } }), payments({}, { where: { column: 'payment_id', equals: value } }), payments({}, { where: { column: 'state', in: [value] } }),
      payments({}, { where: { column: 'pan', below: value } }), payments({}, { where: { column: 'pan', equals: 'x', below: value } }), payments({}, { where: { all: [], atLeast: value } }), payments({}, { where: { equals: value } }),
      payments({ amount_minor: { constant: value } }), payments({ status: { constant: value } }), payments({ amount_minor: { from: 'payment_id', ifNull: value } }), payments({ amount_minor: { from: 'pan', constant: value } }),
      payments({ status: { from: 'state', map: { N: value, C: 'new' } } }), payments({ status: { from: 'state', map: { [value]: 'new' } } }), payments({ status: { from: 'state', map: { N: [value] } } }),
      payments({ amount_minor: { from: 'payment_id', map: { [value]: 'many', 1: value }, otherwise: { value } } }), payments({ status: { from: 'state', map: { [value]: { a: value } } } }),
      { version: value, tables: [] }, payments({ label: { split: 'pan', separator: value, part: value } }),
      ...(['hunter22', 'Ada Lovelace'].includes(value) ? [] : [payments({ currency: { from: 'currency', [value]: 1 } }), { ...payments({}), [value]: value }]), // in the place of a name, what looks like one is repeated
    ];
    for (const json of cases) {
      const message = complaint(json);
      assert.ok(!message.includes(value) && !message.includes(JSON.stringify(value).slice(1, -1)), `${value}:\n${message}`);
      if (message !== 'nothing is wrong') refused += 1; // a number may be a value of its column
    }
  }
  assert.ok(refused > 150, String(refused));
  assert.doesNotMatch(complaint(payments({ currency: { constant: 4929123456781234 }, amount_minor: { minorUnits: 4929123456781234, currency: 'currency' } })), /4929/);
});
