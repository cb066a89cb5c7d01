import { reachable } from '../split/rules.mjs';

/**
 * What becomes of a row that both sides may have changed, as the mapping declares it for each table ("conflicts"). Columns and states are green's.
 *
 * @typedef {import('../split/rules.mjs').Rule} Rule
 * @typedef {{rule: import('../split/rules.mjs').Kind, state?: string, order?: Record<string, string[]>, immutable?: string[], idempotency?: string[]}} ConflictSpec
 */

/** @param {ConflictSpec} spec @param {import('./types.mjs').TablePlan} plan @param {string} path @param {import('./problems.mjs').Problems} problems @returns {Rule} */
export function compileConflicts({ rule, state, order, immutable = [], idempotency = [] }, { targetColumns, targetKey }, path, problems) {
  const at = (/** @type {string} */ name, /** @type {string} */ where) => {
    const found = targetColumns.indexOf(name);
    if (found === -1) problems.unknown(where, name, 'a column of green that the mapping writes', targetColumns);
    return found;
  };
  if (rule === 'state-machine') {
    if (state === undefined) problems.add(`${path}.state`, undefined, 'a state machine needs the column of green that holds the state');
    if (order === undefined) problems.add(`${path}.order`, undefined, 'a state machine needs the states that may follow each state');
  } else for (const [name, value] of Object.entries({ state, order })) if (value !== undefined) problems.add(`${path}.${name}`, undefined, 'only a state machine has it');
  for (const [i, name] of idempotency.entries()) at(name, `${path}.idempotency[${i}]`);
  return {
    kind: rule, columns: targetColumns, state: state === undefined ? -1 : at(state, `${path}.state`), reach: reachable(order ?? {}),
    immutable: [...targetKey.map((name) => targetColumns.indexOf(name)), ...immutable.map((name, i) => at(name, `${path}.immutable[${i}]`))], idempotency,
  };
}
