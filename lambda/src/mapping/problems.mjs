import { PermanentError } from '../lib/errors.mjs';
import { nearest } from './nearest.mjs';

/** More than these at once help nobody. */
const SHOWN = 20;

/**
 * Collects what is wrong with a mapping, so that all of it is told at once: where, what stands there, what is accepted.
 * What stands there is a part of the mapping, never of a row.
 */
export class Problems {
  /** @type {string[]} */
  found = [];

  /** @param {string} path @param {unknown} value @param {string} accepted */
  add(path, value, accepted) {
    this.found.push(`${path}: ${quote(value)} is not accepted; ${accepted}`);
  }

  /** A name that is not known. @param {string} path @param {string} value @param {string} kind @param {Iterable<string>} known */
  unknown(path, value, kind, known) {
    const names = [...known];
    const near = nearest(value, names);
    const listed = names.length > 24 ? `${names.slice(0, 24).join(', ')}, ...` : names.join(', ');
    this.add(path, value, `it takes ${kind}${near === undefined ? '' : `, perhaps ${quote(near)}`} (${listed})`);
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

/** @param {unknown} value */
export function quote(value) {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
