import { PermanentError } from '../lib/errors.mjs';
import { nearest } from './nearest.mjs';

/** More than these at once help nobody. */
const SHOWN = 20;

/**
 * Collects what is wrong with a mapping, so that all of it is told at once: where, what stands there, what is accepted.
 * Of what stands there, names are repeated. Values are not, unless they are a single word or a short number: a mapping may hold card
 * numbers, e-mails or passwords in its filters, maps and constants, and the errors go into logs.
 */
export class Problems {
  /** @type {string[]} */
  found = [];

  /** @param {string} path @param {unknown} value @param {string} accepted */
  add(path, value, accepted) {
    this.#add(path, quote(value, NAME), accepted);
  }

  /** A value, where no name stands. @param {string} path @param {unknown} value @param {string} accepted */
  addValue(path, value, accepted) {
    this.#add(path, quote(value, WORD), accepted);
  }

  /** @param {string} path @param {string} quoted @param {string} accepted */
  #add(path, quoted, accepted) {
    this.found.push(`${path}: ${quoted} is not accepted; ${accepted}`);
  }

  /** A name that is not known. @param {string} path @param {string} value @param {string} kind @param {Iterable<string>} known @param {RegExp} [shape] of what may be repeated */
  unknown(path, value, kind, known, shape = NAME) {
    const names = [...known];
    const near = nearest(value, names);
    const listed = names.length > 24 ? `${names.slice(0, 24).join(', ')}, ...` : names.join(', ');
    this.#add(path, quote(value, shape), `it takes ${kind}${near === undefined ? '' : `, perhaps ${JSON.stringify(near)}`} (${listed})`);
  }

  /** Ends the work when anything was found. */
  finish() {
    if (this.found.length === 0) return;
    const shown = this.found.slice(0, SHOWN).join('\n');
    const more = this.found.length > SHOWN ? `\nand ${this.found.length - SHOWN} more` : '';
    throw new PermanentError('MAPPING', `the mapping is not usable:\n${shown}${more}`, {
      hint: 'correct the mapping (README.md explains it, mappings/schema.json checks it in an editor); nothing was changed',
    });
  }
}

/** A name of a table, column or type, or a list of them. */
const NAME = /^[\p{L}_][\p{L}\p{N}_.$ (),]*$/u;
/** A label or the like. */
export const WORD = /^\p{L}{1,12}$|^-?\d{1,6}$/u;
const LONGEST = 60;

/** @param {unknown} value @param {RegExp} shape of a text that may be repeated @returns {string} */
function quote(value, shape) {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string' && !isPlain(value, shape)) return `a text of ${value.length} characters`;
  if (typeof value === 'number' && Math.abs(value) >= 1e6) return 'a large number';
  const text = JSON.stringify(value, (_, part) => plainPart(part, value === part ? shape : WORD));
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text;
}

/** @param {unknown} part of a value @param {RegExp} shape @returns {unknown} */
function plainPart(part, shape) {
  if (typeof part === 'string') return isPlain(part, shape) ? part : '(withheld)';
  if (typeof part === 'number') return Math.abs(part) >= 1e6 ? '(withheld)' : part;
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  return Object.fromEntries(Object.entries(part).map(([name, content], i) => [keyOfMap(name, i), content]));
}

/** @param {string} text @param {RegExp} shape */
const isPlain = (text, shape) => shape.test(text) && !/\d{8}/.test(text);

/** A key of a map, which is a value, as a part of a path. @param {string} key @param {number} at its place */
export const keyOfMap = (key, at) => (WORD.test(key) ? key : `(key ${at + 1})`);

/** Another key of the mapping's JSON. @param {string} key @param {string} [within] the key above it */
export const keyOfPath = (key, within) => (within === 'map' ? WORD.test(key) : isPlain(key, NAME)) ? key : '(withheld)';
