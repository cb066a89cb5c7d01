import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import { decode } from '../../src/pg/pgoutput.mjs';
import { binaryFields, countRows, lastRow, wholeRows } from '../../src/pg/rows.mjs';
import { decodeRow, encodeRow, endOfLog, formatLsn, literal, parseLsn } from '../../src/pg/text.mjs';

const value = fc.oneof(fc.constant(null), fc.constantFrom('', '\\N', '\\', '\\\\N', '\t', '\r\n', 'a\\tb'), fc.string({ unit: 'binary' }));
const row = fc.array(value, { minLength: 1, maxLength: 6 });

/** @param {Buffer} bytes @param {number} size */
async function* pieces(bytes, size) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test('rows of COPY come back as they went, however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 40 }), async (rows, size) => {
      const bytes = Buffer.from(rows.map((values) => encodeRow(values)).join(''));
      /** @type {string[]} */
      const lines = [];
      for await (const block of wholeRows(pieces(bytes, size))) {
        const text = block.toString('utf8', 0, block.length - 1).split('\n');
        assert.equal(countRows(block), text.length);
        assert.equal(lastRow(block), text.at(-1));
        lines.push(...text);
      }
      assert.deepEqual(lines.map(decodeRow), rows);
    }),
  );
});

test('fields of a binary COPY come out whole, however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 30 })), fc.integer({ min: 1, max: 50 }), async (fields, size) => {
      const tuples = fields.map((field) => {
        const head = Buffer.alloc(6);
        head.writeInt16BE(1, 0);
        head.writeInt32BE(field.length, 2);
        return Buffer.concat([head, field]);
      });
      const bytes = Buffer.concat([Buffer.alloc(19), ...tuples, Buffer.from([0xff, 0xff])]);
      const found = [];
      for await (const some of binaryFields(pieces(bytes, size))) found.push(...some.map((field) => [...field]));
      assert.deepEqual(found, fields.map((field) => [...field]));
    }),
  );
});

test('what comes before a field that is too large is handed on before that is told, however the stream is cut', async () => {
  const field = (/** @type {number} */ length) => {
    const head = Buffer.alloc(6);
    head.writeInt16BE(1, 0);
    head.writeInt32BE(length, 2);
    return Buffer.concat([head, Buffer.alloc(length, 7)]);
  };
  const bytes = Buffer.concat([Buffer.alloc(19), field(3), field(5), field(40_000)]);
  for (const size of [1, 20, 30, 9_000, bytes.length]) {
    /** @type {number[]} */
    const found = [];
    const read = async () => {
      for await (const some of binaryFields(pieces(bytes, size), { bytes: 100, exceeded: () => new Error(`too large after ${found}`) })) found.push(...some.map(({ length }) => length));
    };
    await assert.rejects(read(), /^Error: too large after 3,5$/);
  }
});

test('texts as literals of SQL are those of the driver', () => {
  const text = fc.array(fc.constantFrom("'", '\\', 'a', '"', '\n', '$', 'é', '😀'), { maxLength: 9 }).map((letters) => letters.join(''));
  fc.assert(fc.property(text, (value) => assert.equal(literal(value), pg.escapeLiteral(value))));
});

test('messages of pgoutput', () => {
  const relation = Buffer.concat([Buffer.from('R'), int(5, 4), Buffer.from('s\0t\0d'), int(1, 2), Buffer.from([1]), Buffer.from('id\0'), int(20, 4), int(-1, 4)]);
  const text = (/** @type {string} */ value) => Buffer.concat([Buffer.from('t'), int(value.length, 4), Buffer.from(value)]);
  const tuple = Buffer.concat([int(3, 2), text('1'), Buffer.from('n'), Buffer.from('u')]);
  const key = Buffer.concat([int(3, 2), text('0'), Buffer.from('n'), Buffer.from('n')]);
  assert.deepEqual(decode(Buffer.concat([Buffer.from('I'), int(7, 4), Buffer.from('N'), tuple])), { tag: 'insert', oid: 7, row: ['1', null, undefined] });
  assert.deepEqual(decode(Buffer.concat([Buffer.from('U'), int(7, 4), Buffer.from('K'), key, Buffer.from('N'), tuple])), { tag: 'update', oid: 7, old: ['0', null, null], row: ['1', null, undefined] });
  assert.deepEqual(decode(Buffer.concat([Buffer.from('D'), int(7, 4), Buffer.from('K'), key])), { tag: 'delete', oid: 7, old: ['0', null, null] });
  assert.deepEqual(decode(Buffer.concat([Buffer.from('T'), int(2, 4), int(0, 1), int(8, 4), int(9, 4)])), { tag: 'truncate', oids: [8, 9] });
  assert.deepEqual(decode(relation), {
    tag: 'relation', oid: 5, schema: 's', name: 't', identity: 'd', columns: [{ name: 'id', key: true, typeOid: 20, typeModifier: -1 }],
  });
  assert.equal(decode(Buffer.from('Y')), undefined);
});

/** @param {number} value @param {number} bytes */
function int(value, bytes) {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, 0, bytes);
  return buffer;
}

test('positions in the log', () => {
  for (const lsn of ['0/0', '16/B374D848', 'FFFFFFFF/FFFFFFFF']) assert.equal(formatLsn(parseLsn(lsn)), lsn);
  assert.deepEqual([endOfLog(8192n + 24n), endOfLog(16384n + 40n), endOfLog(8192n + 25n), endOfLog(8192n)], [8192n, 16384n, 8217n, 8192n]);
});
