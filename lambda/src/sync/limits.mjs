import { PermanentError } from '../lib/errors.mjs';
import { largestColumn } from '../pg/pgoutput.mjs';

/**
 * How large one row may be, as text. A row passes through the function's memory about ten times over (bytes from blue, text, fields, the
 * transformed row, bytes for green, while the next one is read), so the limit follows from the memory that Lambda gives: 16 MB of 512 MB. What is larger is
 * told with table and column, before Lambda ends the function without a word.
 *
 * @typedef {import('./table.mjs').SyncTable} SyncTable
 * @typedef {{bytes: number, exceeded: (pieces: Buffer[]) => Error}} RowLimit `exceeded` takes what has been read of the row
 */

const SHARE = 32;
const DEFAULT_MEMORY_MB = 512;
const TAB = 9;

/** @param {Record<string, string | undefined>} [env] */
export function rowBytes(env = process.env) {
  const memory = Number(env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']) || DEFAULT_MEMORY_MB;
  return Math.floor((memory * (1 << 20)) / SHARE);
}

/** For rows of a text COPY of `sourceColumns`. @param {SyncTable} table @returns {RowLimit} */
export const valueLimit = (table) => ({ bytes: rowBytes(), exceeded: (pieces) => tooLarge(table, table.plan.sourceColumns[largestField(pieces)]) });

/**
 * For messages of the stream: an update may bring the row before and after.
 * @param {import('./relations.mjs').Relations} relations
 */
export const messageLimit = (relations) => ({
  bytes: 2 * rowBytes() + 65_536,
  exceeded: (/** @type {Buffer[]} */ pieces) => {
    const { oid, column } = largestColumn(Buffer.concat(pieces));
    const known = relations.get(oid);
    return tooLarge(known?.table, known?.names[column]);
  },
});

/** @param {SyncTable | undefined} table @param {string | undefined} column */
export function tooLarge(table, column) {
  const limit = Math.floor(rowBytes() / (1 << 20));
  return new PermanentError('VALUE_TOO_LARGE', `a row of blue's table ${table?.name ?? '(not known)'} is larger than ${limit} MB as text; its largest value so far is in column ${column ?? '(not known)'}`, {
    table: table?.name, column, hint: 'give the function more memory (the limit is a thirty-second of it), make the value smaller on blue, or leave the column out of the mapping',
  });
}

/** @param {Buffer[]} pieces of one line, perhaps not its end */
function largestField(pieces) {
  let [field, length, largest, longest] = [0, 0, 0, -1];
  const ends = () => {
    if (length > longest) [largest, longest] = [field, length];
  };
  for (const piece of pieces) {
    let from = 0;
    for (let at = piece.indexOf(TAB); at !== -1; at = piece.indexOf(TAB, from)) {
      length += at - from;
      ends();
      [field, length, from] = [field + 1, 0, at + 1];
    }
    length += piece.length - from;
  }
  ends();
  return largest;
}

/** The column with the largest value. @param {string[]} names @param {import('../pg/pgoutput.mjs').Tuple} row */
export const widest = (names, row) => names[row.reduce((most, value, i) => ((value?.length ?? -1) > (row[most]?.length ?? -1) ? i : most), 0)];
