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

/** Letters replaced, added, left out, or two neighbours swapped ("optimal string alignment"). @param {string} a @param {string} b @param {number} enough */
function distance(a, b, enough) {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (/** @type {number} */ i, /** @type {number} */ j) => /** @type {number} */ (rows[i]?.[j]);
  for (let i = 1; i <= a.length; i += 1) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity;
      rows[i]?.push(Math.min(replaced, swapped, at(i - 1, j) + 1, at(i, j - 1) + 1));
    }
  }
  return at(a.length, b.length);
}
