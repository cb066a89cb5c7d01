/**
 * Which unique indexes of green follow from one of blue: then two rows never hold the same value in a state that blue committed, and a row that holds a
 * value which another wants is stale and comes again in the stream. Of other indexes nothing of the kind is known.
 *
 * @typedef {import('../mapping/types.mjs').TablePlan} TablePlan
 * @typedef {import('../pg/catalog.mjs').Table} Table
 * @typedef {import('../pg/catalog.mjs').UniqueIndex} UniqueIndex
 * @typedef {Pick<UniqueIndex, 'columns' | 'expressions' | 'predicate' | 'operators'>} Rule
 */

/**
 * @param {TablePlan} plan @param {Table} source @param {Table} target
 * @param {ReadonlySet<number>} [since] only these indexes of blue count: those that are there since the migration began
 * @returns {UniqueIndex[]} of green
 */
export function sharedUnique(plan, source, target, since) {
  /** @type {Rule[]} */
  const rules = source.uniqueIndexes.filter(({ oid, valid, local }) => valid && !local && (since === undefined || since.has(oid)));
  rules.push({ columns: source.primaryKey, expressions: [], predicate: null, operators: source.keyOperators });
  const from = new Map(plan.targetColumns.map((column, i) => [column, plan.carriedFrom[i] ?? null]));
  return target.uniqueIndexes.filter((index) => !index.local && index.binary && rules.some((rule) => byColumns(rule, index, from) || byText(rule, index, from)));
}

/** Blue's columns are among green's, as they are: what is unique in a part is unique in the whole. @param {Rule} rule @param {UniqueIndex} index @param {Map<string, string | null>} from */
function byColumns(rule, index, from) {
  const carried = index.columns.map((column) => (column === null ? null : (from.get(column) ?? null)));
  return (rule.predicate === null || samePredicate(rule, index, from)) && rule.columns.length > 0 && rule.columns.every((column, i) => {
    const at = column === null ? -1 : carried.indexOf(column);
    return at !== -1 && sameEquality(rule.operators[i], index.operators[at]);
  });
}

/** Another operator class may call other values equal: `*=` of record_image_ops tells 1.0 from 1.00. The schema of an extension may be another one. @param {import('../pg/catalog.mjs').Operators | undefined} one @param {import('../pg/catalog.mjs').Operators | undefined} other */
const sameEquality = (one, other) => one !== undefined && other !== undefined && named(one.eq) === named(other.eq);

/** @param {string} operator */
const named = (operator) => (operator.startsWith('OPERATOR(pg_catalog.') ? operator : operator.replace(/^.*\./, ''));

/** The same expressions over columns that are carried under their names. @param {Rule} rule @param {UniqueIndex} index @param {Map<string, string | null>} from */
const byText = (rule, index, from) =>
  rule.expressions.length > 0 && rule.expressions.join('\0') === index.expressions.join('\0') && rule.operators.every((operator, i) => sameEquality(operator, index.operators[i])) && (rule.predicate === null || rule.predicate === index.predicate) && sameNames(index, from);

/** @param {Rule} rule @param {UniqueIndex} index @param {Map<string, string | null>} from */
const samePredicate = (rule, index, from) => rule.predicate === index.predicate && sameNames(index, from);

/** @param {UniqueIndex} index @param {Map<string, string | null>} from */
const sameNames = ({ uses }, from) => uses.every((column) => from.get(column) === column);
