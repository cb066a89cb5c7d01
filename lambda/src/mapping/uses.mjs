/** Options of an expression that hold other things than operands. */
const NO_OPERANDS = new Set(['constant', 'map', 'otherwise', 'ifNull', 'cast', 'separator', 'part', 'rest', 'fill', 'normalize']);

/**
 * The source columns that expressions name, before they are compiled.
 * @param {unknown} spec @param {Set<string>} [found]
 */
export function columnsUsed(spec, found = new Set()) {
  if (typeof spec === 'string') found.add(spec);
  else if (Array.isArray(spec)) for (const part of spec) columnsUsed(part, found);
  else if (typeof spec === 'object' && spec !== null)
    for (const [key, part] of Object.entries(spec)) if (!NO_OPERANDS.has(key)) columnsUsed(part, found);
  return found;
}

/** Does any expression hash? @param {unknown} spec @returns {boolean} */
export function hashes(spec) {
  if (Array.isArray(spec)) return spec.some(hashes);
  if (typeof spec !== 'object' || spec === null) return false;
  return Object.entries(spec).some(([key, part]) => key === 'hash' || (!NO_OPERANDS.has(key) && hashes(part)));
}
