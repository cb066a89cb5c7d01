import { compileConflicts } from './conflicts.mjs';
import { CURRENCY_EXPONENTS } from './currencies.mjs';
import { Literals } from './literals.mjs';
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
 * @param {{hashKey?: Buffer | null, literals?: Literals, back?: ReadonlyMap<string, string[]>}} [known] `literals`: when it is open afterwards, let it ask the servers and compile again;
 *   `back`: this is the way back, for each table of the source the columns that are read besides (columns of the target may be left as they are)
 * @returns {import('./types.mjs').Mapping}
 * @throws {import('../lib/errors.mjs').PermanentError} code `MAPPING`, with all that is wrong
 */
export function compileMapping(mappingJson, source, target, { hashKey = null, literals = new Literals(), back } = {}) {
  const spec = checkShape(mappingJson);
  const problems = new Problems();
  acceptVersions(spec.extensions ?? [], [source, target]);
  const exponents = new Map([...CURRENCY_EXPONENTS, ...Object.entries(spec.currencies ?? {})]);
  const settings = { source, target, exponents, hashKey, literals, problems, back };
  checkOnce(spec.tables.map((table) => table.source), 'source', problems);
  checkOnce(spec.tables.map((table) => table.target ?? table.source), 'target', problems);
  const tables = spec.tables.map((table, i) => compileTable(table, `tables[${i}]`, settings));
  const rules = spec.tables.map(({ conflicts }, i) => {
    const plan = tables[i];
    if (conflicts === undefined && spec.mode === 'two-way') problems.add(`tables[${i}].conflicts`, undefined, 'the mode two-way needs a rule for each table');
    return conflicts === undefined || plan === undefined ? undefined : compileConflicts(conflicts, plan, `tables[${i}].conflicts`, problems);
  });
  problems.finish();
  return {
    rules,
    tables: /** @type {import('./types.mjs').TablePlan[]} */ (tables),
    limits: { quarantine: spec.limits?.quarantine ?? QUARANTINE_LIMIT },
    mode: spec.mode,
    invariants: spec.invariants ?? [],
    sequences: { gap: spec.sequences?.gap === undefined ? undefined : BigInt(spec.sequences.gap), pairs: spec.sequences?.pairs ?? {}, alone: spec.sequences?.alone ?? [] },
  };
}

/**
 * The same, with both servers at hand to say how they write the values that the mapping names.
 * @param {unknown} mappingJson @param {import('./types.mjs').Catalog} source @param {import('./types.mjs').Catalog} target
 * @param {{hashKey: Buffer | null, back?: ReadonlyMap<string, string[]>}} known
 * @param {import('../pg/session.mjs').Session} blue @param {import('../pg/session.mjs').Session} green
 */
export async function compileWithServers(mappingJson, source, target, known, blue, green) {
  const literals = new Literals();
  const compiled = compileMapping(mappingJson, source, target, { ...known, literals });
  if (!literals.open) return compiled;
  await literals.ask(blue, green);
  return compileMapping(mappingJson, source, target, { ...known, literals });
}

/**
 * The part of a mapping that says what is copied. The rest (limits, sequences, the way back) may change while a migration is under way.
 * @param {unknown} mappingJson
 */
export function copiedPart(mappingJson) {
  if (typeof mappingJson !== 'object' || mappingJson === null) return mappingJson;
  const { $schema, description, limits, sequences, mode, invariants, ...rest } = /** @type {Record<string, unknown>} */ (mappingJson);
  if (!Array.isArray(rest['tables'])) return rest;
  rest['tables'] = rest['tables'].map((table) => (typeof table === 'object' && table !== null && ('reverse' in table || 'conflicts' in table) ? { ...table, reverse: undefined, conflicts: undefined } : table));
  return rest;
}

/** @param {string[]} names @param {string} key @param {Problems} problems */
function checkOnce(names, key, problems) {
  names.forEach((name, i) => {
    const first = names.indexOf(name);
    if (first < i) problems.add(`tables[${i}].${key}`, name, `tables[${first}] has it already: each table comes once`);
  });
}

/**
 * Extensions whose versions are told to write values alike.
 * @param {string[]} names @param {import('./types.mjs').Catalog[]} catalogs
 */
function acceptVersions(names, catalogs) {
  for (const type of catalogs.flatMap(({ types }) => types ?? [])) if (type.extension !== undefined && names.includes(type.extension)) type.version = 'any';
}
