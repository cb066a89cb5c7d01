/** Streams of COPY cut at the right places: text at the ends of rows, binary into fields. */

const LF = 10;

/** @typedef {{bytes: number, exceeded: (pieces: Buffer[]) => Error}} Limit on what is kept of one row; `exceeded` takes what there is of it */

/**
 * The blocks of a text COPY, each ending at the end of a row (PostgreSQL escapes line ends inside of values).
 * @param {AsyncIterable<Buffer>} stream
 * @param {Limit} [limit]
 * @returns {AsyncGenerator<Buffer>}
 */
export async function* wholeRows(stream, limit) {
  /** @type {Buffer[]} */
  let rest = [];
  let size = 0;
  for await (const block of stream) {
    const end = block.lastIndexOf(LF) + 1;
    if (end === 0) size += block.length;
    if (limit !== undefined && size > limit.bytes) throw limit.exceeded([...rest, block]);
    if (end === 0) {
      rest.push(block);
      continue;
    }
    const rows = end === block.length ? block : block.subarray(0, end);
    yield rest.length === 0 ? rows : Buffer.concat([...rest, rows]);
    rest = end === block.length ? [] : [block.subarray(end)];
    size = block.length - end;
  }
}

/** The last row of a block that ends at the end of a row. @param {Buffer} block */
export function lastRow(block) {
  const start = block.length < 2 ? 0 : block.lastIndexOf(LF, block.length - 2) + 1;
  return block.toString('utf8', start, block.length - 1);
}

/** @param {Buffer} block */
export function countRows(block) {
  let rows = 0;
  for (let at = block.indexOf(LF); at !== -1; at = block.indexOf(LF, at + 1)) rows += 1;
  return rows;
}

/** So much of a field that is too large is read, to tell what it is. */
const SHOWN = 8_192;
const HEADER = 19; // signature 11, flags 4, extension length 4 (PostgreSQL sends no extension)

/**
 * The fields of a binary COPY of one column, in lists as large as the blocks in which they arrive.
 * https://www.postgresql.org/docs/14/sql-copy.html#id-1.9.3.55.9.4
 * @param {AsyncIterable<Buffer>} stream
 * @param {Limit} [limit]
 * @returns {AsyncGenerator<Buffer[]>}
 */
export async function* binaryFields(stream, limit) {
  /** @type {Buffer[]} */
  let pieces = [];
  let size = 0;
  let needed = HEADER;
  let begun = false;
  for await (const block of stream) {
    pieces.push(block);
    size += block.length;
    if (size < needed) continue;
    const bytes = pieces.length === 1 ? block : Buffer.concat(pieces, size);
    let at = begun ? 0 : HEADER;
    begun = true;
    /** @type {Buffer[]} */
    const fields = [];
    needed = 2;
    while (bytes.length - at >= 2) {
      if (bytes.readInt16BE(at) === -1) {
        at = bytes.length; // the trailer
        break;
      }
      needed = 6;
      if (bytes.length - at < 6) break;
      const length = bytes.readInt32BE(at + 2);
      needed = 6 + length;
      if (limit !== undefined && length > limit.bytes) {
        if (bytes.length - at >= SHOWN) {
          if (fields.length > 0) yield fields; // they may tell what this one is
          throw limit.exceeded([bytes.subarray(at + 6)]);
        }
        needed = SHOWN;
      }
      if (bytes.length - at < needed) break;
      fields.push(bytes.subarray(at + 6, at + needed));
      at += needed;
      needed = 2;
    }
    if (fields.length > 0) yield fields;
    const rest = bytes.subarray(at);
    pieces = rest.length === 0 ? [] : [rest];
    size = rest.length;
  }
}
