import { compileMapping } from '../../src/mapping/compile.mjs';

/**
 * Catalogs written short: `{ 'public.t': { id: 'bigint key', a: 'text', b: 'integer not null', c: 'text generated', d: 'text not null default' } }`.
 *
 * @param {Record<string, Record<string, string>>} tables
 * @param {Record<string, string[]>} [enums]
 * @returns {import('../../src/mapping/types.mjs').Catalog}
 */
export function catalog(tables, enums = {}) {
  const flags = / (key|not null|generated|default)\b/g;
  return {
    enums,
    tables: Object.fromEntries(
      Object.entries(tables).map(([name, columns]) => [
        name,
        {
          partitioned: false,
          primaryKey: Object.keys(columns).filter((column) => / key\b/.test(columns[column] ?? '')),
          columns: Object.entries(columns).map(([column, text]) => ({
            name: column,
            type: text.replace(flags, ''),
            notNull: / (key|not null)\b/.test(text),
            generated: / generated\b/.test(text),
            hasDefault: / default\b/.test(text),
          })),
        },
      ]),
    ),
  };
}

export const HASH_KEY = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');

/**
 * One table `public.t` with the key `id bigint`, whose column `out` of the given type is computed from the other columns.
 * @param {Record<string, string>} columns of the source, besides `id`
 * @param {string} type of `out`
 * @param {unknown} expression
 * @param {{enums?: Record<string, string[]>, targetEnums?: Record<string, string[]>, mapping?: object, table?: object}} [more]
 * @returns {(row: Record<string, string | null | undefined>) => unknown} the value of `out`, or why there is none
 */
export function computeOut(columns, type, expression, { enums = {}, targetEnums = enums, mapping = {}, table = {} } = {}) {
  const source = catalog({ 'public.t': { id: 'bigint key', ...columns } }, enums);
  const target = catalog({ 'public.t': { id: 'bigint key', out: type } }, targetEnums);
  const json = { version: 1, ...mapping, tables: [{ source: 'public.t', others: 'drop', columns: { id: 'id', out: expression }, ...table }] };
  const [plan] = compileMapping(json, source, target, { hashKey: HASH_KEY }).tables;
  if (plan === undefined) throw new Error('no table');
  return (row) => {
    const outcome = plan.transform(plan.sourceColumns.map((name) => (name === 'id' ? '1' : row[name])));
    return outcome.kind === 'row' ? outcome.values[plan.targetColumns.indexOf('out')] : outcome;
  };
}

/** @param {string} reason */
export const held = (reason) => ({ kind: 'quarantine', reason, column: 'out' });
