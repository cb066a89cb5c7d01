import { NEEDS_FULL_ROW, Problem } from './problem.mjs';

/**
 * The functions that run once per row: nothing in here looks at names or types any more.
 *
 * @typedef {import('./types.mjs').Value} Value
 * @typedef {import('./types.mjs').Transformed} Transformed
 * @typedef {import('./table.mjs').Delivered} Delivered
 */

/** @type {Transformed} */
const SKIP = Object.freeze({ kind: 'skip' });
/** @type {Transformed} */
const FULL_ROW = Object.freeze({ kind: 'needsFullRow' });

/**
 * @param {Delivered[]} delivered
 * @param {number[]} copied for each target column the slot to copy from, or -1 to compute it
 * @param {import('./filter.mjs').Test | undefined} filter
 * @returns {(values: Value[]) => Transformed}
 */
export function buildTransform(delivered, copied, filter) {
  const width = delivered.length;
  const computes = delivered.map(({ expression }) => expression.compute);
  return (values) => {
    if (filter !== undefined) {
      const holds = filter(values);
      if (holds !== true) return holds === false ? SKIP : FULL_ROW;
    }
    /** @type {Value[]} */
    const out = new Array(width);
    for (let i = 0; i < width; i += 1) {
      const slot = /** @type {number} */ (copied[i]);
      const value = slot >= 0 ? values[slot] : /** @type {import('./problem.mjs').Compute} */ (computes[i])(values);
      if (value instanceof Problem) return refuse(delivered, i, value);
      out[i] = value;
    }
    return { kind: 'row', values: out };
  };
}

/**
 * @param {Delivered[]} delivered @param {string[]} key @param {string[]} targetKey @param {string[]} sourceColumns
 * @returns {(keyValues: Value[]) => Transformed}
 */
export function buildTransformKey(delivered, key, targetKey, sourceColumns) {
  const parts = targetKey.map((name) => delivered.findIndex(({ column }) => column.name === name));
  const slots = key.map((name) => sourceColumns.indexOf(name));
  return (keyValues) => {
    /** @type {Value[]} */
    const values = new Array(sourceColumns.length).fill(undefined);
    slots.forEach((slot, i) => (values[slot] = keyValues[i]));
    const out = [];
    for (const at of parts) {
      const value = /** @type {Delivered} */ (delivered[at]).expression.compute(values);
      if (value instanceof Problem) return refuse(delivered, at, value);
      out.push(value);
    }
    return { kind: 'row', values: out };
  };
}

/** @param {Delivered[]} delivered @param {number} at @param {Problem} problem @returns {Transformed} */
function refuse(delivered, at, problem) {
  if (problem === NEEDS_FULL_ROW) return FULL_ROW;
  return { kind: 'quarantine', reason: problem.reason, column: /** @type {Delivered} */ (delivered[at]).column.name };
}
