import { CURRENCY_EXPONENTS } from './currencies.mjs';
import { Problems } from './problems.mjs';
import { checkShape } from './schema.mjs';
import { compileTable } from './table.mjs';

/** So many rows may be in quarantine before a run stops, unless the mapping says otherwise. */
const QUARANTINE_LIMIT = 1000;

/**
 * Checks a mapping against both databases and makes of it what the copy runs.
 * @param {unknown} mappingJson
 * @param {import('./types.mjs').Catalog} source
 * @param {import('./types.mjs').Catalog} target
 * @param {{hashKey?: Buffer | null}} [secrets]
 * @returns {import('./types.mjs').Mapping}
 * @throws {import('../lib/errors.mjs').PermanentError} code `MAPPING`, with all that is wrong
 */
export function compileMapping(mappingJson, source, target, { hashKey = null } = {}) {
  const spec = checkShape(mappingJson);
  const problems = new Problems();
  const exponents = new Map([...CURRENCY_EXPONENTS, ...Object.entries(spec.currencies ?? {})]);
  const settings = { source, target, exponents, hashKey, problems };
  checkOnce(spec.tables.map((table) => table.source), 'source', problems);
  checkOnce(spec.tables.map((table) => table.target ?? table.source), 'target', problems);
  const tables = spec.tables.map((table, i) => compileTable(table, `tables[${i}]`, settings));
  problems.finish();
  return {
    tables: /** @type {import('./types.mjs').TablePlan[]} */ (tables),
    limits: { quarantine: spec.limits?.quarantine ?? QUARANTINE_LIMIT },
  };
}

/** @param {string[]} names @param {string} key @param {Problems} problems */
function checkOnce(names, key, problems) {
  names.forEach((name, i) => {
    const first = names.indexOf(name);
    if (first < i) problems.add(`tables[${i}].${key}`, name, `tables[${first}] has it already: each table comes once`);
  });
}
