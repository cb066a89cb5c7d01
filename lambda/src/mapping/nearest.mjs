/**
 * The known name that a misspelt one was probably meant to be, if any is near: at most a third of its letters differ.
 * @param {string} wrong
 * @param {Iterable<string>} known
 * @returns {string | undefined}
 */
export function nearest(wrong, known) {
  let best;
  let least = Math.max(1, Math.floor(wrong.length / 3)) + 1;
  for (const name of known) {
    const steps = distance(wrong.toLowerCase(), name.toLowerCase(), least);
    if (steps < least) [best, least] = [name, steps];
  }
  return best;
}

/** Levenshtein's distance; a transposition costs two. @param {string} a @param {string} b @param {number} enough */
function distance(a, b, enough) {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = /** @type {number} */ (previous[j - 1]) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, /** @type {number} */ (previous[j]) + 1, /** @type {number} */ (row[j - 1]) + 1);
    }
    previous = row;
  }
  return /** @type {number} */ (previous[b.length]);
}
