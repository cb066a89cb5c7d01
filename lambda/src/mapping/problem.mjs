/**
 * Why a row's value can't be transformed. Made when the mapping is compiled, so the reason can hold no value, and handing
 * one back costs nothing per row.
 */
export class Problem {
  /** @param {string} reason */
  constructor(reason) {
    this.reason = reason;
  }
}

/** In place of a value: it depends on a column that the change stream left out. */
export const NEEDS_FULL_ROW = new Problem('a large unchanged column is needed');

/**
 * @typedef {import('./types.mjs').Value} Value
 * @typedef {(text: string) => string | Problem} Convert a value that is there, to another representation
 * @typedef {(values: Value[]) => Value | Problem} Compute
 */
