import { Ajv } from 'ajv';
import schema from '../../mappings/schema.json' with { type: 'json' };
import { Problems, WORD, keyOfPath } from './problems.mjs';

/**
 * @typedef {object} TableSpec
 * @property {string} source
 * @property {string} [target]
 * @property {Record<string, unknown>} [where]
 * @property {string[]} [drop]
 * @property {'carry' | 'drop'} [others]
 * @property {Record<string, unknown>} [columns]
 * @property {import('./conflicts.mjs').ConflictSpec} [conflicts]
 * @property {{columns?: Record<string, unknown>, keep?: string[]}} [reverse]
 *
 * @typedef {object} MappingSpec the JSON of a mapping, after its shape was checked
 * @property {1} version
 * @property {{quarantine?: number}} [limits]
 * @property {Record<string, number>} [currencies]
 * @property {string[]} [extensions] whose versions may differ
 * @property {{gap?: number, pairs?: Record<string, string>, alone?: string[]}} [sequences]
 * @property {'read-only' | 'two-way'} [mode] of a split of the traffic
 * @property {{name: string, violations: string}[]} [invariants]
 * @property {TableSpec[]} tables
 */

const validate = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true }).compile(schema);

/**
 * Checks the shape of a mapping with the JSON Schema (mappings/schema.json).
 * @param {unknown} json
 * @returns {MappingSpec}
 */
export function checkShape(json) {
  const problems = new Problems();
  if (!validate(json)) for (const error of validate.errors ?? []) tell(problems, error);
  problems.finish();
  return /** @type {MappingSpec} */ (json);
}

/** What one finding of the validator means to a person. @param {Problems} problems @param {import('ajv').ErrorObject} error */
function tell(problems, error) {
  const path = pathOf(error.instancePath);
  const { params, data, schema: wanted, parentSchema } = error;
  if (error.schemaPath.includes('/anyOf/')) return undefined; // told once, for the choice as a whole
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty']);
      return problems.unknown(join(path, keyOfPath(name)), name, 'one of', Object.keys(parentSchema?.['properties'] ?? {}));
    }
    case 'required':
      return problems.add(join(path, String(params['missingProperty'])), undefined, 'it has to be given');
    case 'type':
      return problems.addValue(path, data, `it takes ${[wanted].flat().map(String).map(withArticle).join(' or ')}`);
    case 'enum':
      return typeof data === 'string'
        ? problems.unknown(path, data, 'one of', /** @type {string[]} */ (wanted), WORD)
        : problems.addValue(path, data, `it takes one of ${/** @type {string[]} */ (wanted).join(', ')}`);
    case 'const':
      return problems.addValue(path, data, `it takes ${JSON.stringify(wanted)}`);
    case 'anyOf':
      return problems.addValue(path, data, 'it takes "quarantine", "carry" or {"value": ...}');
    case 'pattern':
      return path.endsWith('.name') ? problems.addValue(path, data, 'it takes a few words of letters') : problems.add(path, data, 'it takes schema.table, for example public.payments');
    default:
      return problems.addValue(path, data, `it ${error.message ?? 'is wrong'}`);
  }
}

/** `/tables/2/columns/pan_hash` as `tables[2].columns.pan_hash`. @param {string} pointer */
const pathOf = (pointer) =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part, i, parts) => (/^\d{1,5}$/.test(part) ? `${path}[${part}]` : join(path, keyOfPath(part, parts[i - 1]))), '') || 'the mapping';

/** @param {string} path @param {string} name */
const join = (path, name) => (path === '' || path === 'the mapping' ? name : `${path}.${name}`);

/** @param {string} type */
const withArticle = (type) => (type === 'null' ? type : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`);
