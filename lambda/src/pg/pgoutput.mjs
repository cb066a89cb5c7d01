/**
 * Decodes the messages of PostgreSQL's own logical decoding plugin, protocol version 1.
 * https://www.postgresql.org/docs/14/protocol-logicalrep-message-formats.html
 *
 * @typedef {{name: string, typeOid: number, typeModifier: number, key: boolean}} RelationColumn
 * @typedef {{tag: 'relation', oid: number, schema: string, name: string, identity: string, columns: RelationColumn[]}} Relation
 *   `identity`: what identifies a row in updates and deletes; d: the primary key, f: the full row, i: another index, n: nothing
 * @typedef {(string | null | undefined)[]} Tuple `undefined`: a large value that did not change and was not sent
 *
 * @typedef {{tag: 'begin', finalLsn: bigint, xid: number, micros: bigint}} Begin
 * @typedef {{tag: 'commit', endLsn: bigint, micros: bigint}} Commit
 * @typedef {{tag: 'insert', oid: number, row: Tuple}} Insert
 * @typedef {{tag: 'update', oid: number, old: Tuple | undefined, row: Tuple}} Update `old`: the key (or row) before, when it changed
 * @typedef {{tag: 'delete', oid: number, old: Tuple}} Delete
 * @typedef {{tag: 'truncate', oids: number[]}} Truncate
 * @typedef {{tag: 'message', prefix: string, content: string}} Logical a message that a transaction has put into the log
 * @typedef {Begin | Commit | Relation | Insert | Update | Delete | Truncate | Logical} Message
 */

/** PostgreSQL counts microseconds from 2000-01-01. */
const EPOCH_2000_MICROS = 946_684_800_000_000n;

/** @param {Buffer} bytes @returns {Message | undefined} undefined: a message without meaning to us (type, origin) */
export function decode(bytes) {
  switch (bytes[0]) {
    case 0x49: // I: oid, 'N', row
      return { tag: 'insert', oid: bytes.readUInt32BE(1), row: readTuple(bytes, 6).tuple };
    case 0x55: // U
      return decodeUpdate(bytes);
    case 0x44: // D: oid, 'K' or 'O', old
      return { tag: 'delete', oid: bytes.readUInt32BE(1), old: readTuple(bytes, 6).tuple };
    case 0x42: // B
      return { tag: 'begin', finalLsn: bytes.readBigUInt64BE(1), micros: bytes.readBigInt64BE(9) + EPOCH_2000_MICROS, xid: bytes.readUInt32BE(17) };
    case 0x43: // C: flags, commit LSN, end LSN, time
      return { tag: 'commit', endLsn: bytes.readBigUInt64BE(10), micros: bytes.readBigInt64BE(18) + EPOCH_2000_MICROS };
    case 0x4d: // M: flags, LSN, prefix, content
      return decodeMessage(bytes);
    case 0x52: // R
      return decodeRelation(bytes);
    case 0x54: // T
      return { tag: 'truncate', oids: Array.from({ length: bytes.readUInt32BE(1) }, (_, i) => bytes.readUInt32BE(6 + 4 * i)) };
    default:
      return undefined;
  }
}

/** @param {Buffer} bytes @returns {Logical | undefined} undefined: it belongs to no transaction */
function decodeMessage(bytes) {
  if (bytes[1] !== 1) return undefined;
  const end = bytes.indexOf(0, 10);
  return { tag: 'message', prefix: bytes.toString('utf8', 10, end), content: bytes.toString('utf8', end + 5) };
}

/** @param {Buffer} bytes @returns {Update} */
function decodeUpdate(bytes) {
  const oid = bytes.readUInt32BE(1);
  if (bytes[5] === 0x4e) return { tag: 'update', oid, old: undefined, row: readTuple(bytes, 6).tuple };
  const old = readTuple(bytes, 6);
  return { tag: 'update', oid, old: old.tuple, row: readTuple(bytes, old.end + 1).tuple };
}

/** @param {Buffer} bytes @param {number} start @returns {{tuple: Tuple, end: number}} */
function readTuple(bytes, start) {
  const count = bytes.readUInt16BE(start);
  /** @type {Tuple} */
  const tuple = new Array(count);
  let at = start + 2;
  for (let i = 0; i < count; i += 1) {
    const kind = bytes[at];
    at += 1;
    if (kind === 0x74) {
      const end = at + 4 + bytes.readUInt32BE(at);
      tuple[i] = bytes.toString('utf8', at + 4, end);
      at = end;
    } else tuple[i] = kind === 0x6e ? null : undefined; // 'n' is NULL, 'u' is unchanged
  }
  return { tuple, end: at };
}

/** @param {Buffer} bytes @returns {Relation} */
function decodeRelation(bytes) {
  let at = 5;
  const text = () => {
    const end = bytes.indexOf(0, at);
    const value = bytes.toString('utf8', at, end);
    at = end + 1;
    return value;
  };
  const schema = text() || 'pg_catalog';
  const name = text();
  const identity = String.fromCharCode(/** @type {number} */ (bytes[at]));
  const count = bytes.readUInt16BE(at + 1);
  at += 3;
  /** @type {RelationColumn[]} */
  const columns = [];
  for (let i = 0; i < count; i += 1) {
    const key = (/** @type {number} */ (bytes[at]) & 1) === 1;
    at += 1;
    const column = text();
    columns.push({ name: column, key, typeOid: bytes.readUInt32BE(at), typeModifier: bytes.readInt32BE(at + 4) });
    at += 8;
  }
  return { tag: 'relation', oid: bytes.readUInt32BE(1), schema, name, identity, columns };
}

/**
 * Which column of which relation makes a message large, from the message's beginning.
 * @param {Buffer} head of an insert, update or delete
 * @returns {{oid: number, column: number}} `column`: among those of the relation
 */
export function largestColumn(head) {
  const oid = head.length >= 5 ? head.readUInt32BE(1) : 0;
  let [column, largest] = [-1, -1];
  for (let at = 5; at + 3 <= head.length; ) {
    const count = head.readUInt16BE(at + 1); // after the letter of the tuple
    at += 3;
    for (let i = 0; i < count && at < head.length; i += 1) {
      const sent = head[at] === 0x74 && at + 5 <= head.length;
      const length = sent ? head.readUInt32BE(at + 1) : 0;
      if (sent && length > largest) [column, largest] = [i, length];
      at += sent ? 5 + length : 1;
    }
  }
  return { oid, column };
}
