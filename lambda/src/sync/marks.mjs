import { createHash } from 'node:crypto';
import { valueSet } from '../pg/keys.mjs';
import { literal } from '../pg/text.mjs';

/**
 * What this migration writes into the log of a database besides rows: a mark at the beginning of every transaction in which it applies changes of the other side, so
 * that they do not go back to where they came from; and markers, which are finished with when they have been seen in the stream.
 *
 * @typedef {import('../lib/config.mjs').DatabaseConfig} DatabaseConfig
 */

export const APPLIED = 'deployer:applied';
export const MARKER = 'deployer:marker';
/** Mode two-way: a state of a row of green about which blue has decided. */
export const SEEN = 'deployer:seen';

/** The same in both directions: it follows from the address that green has when the migration begins (later it stands in the state, `identity.pair`). @param {Pick<DatabaseConfig, 'source' | 'target' | 'direction'>} config */
export function pairName({ source, target, direction }) {
  const green = direction === 'reverse' ? source : target;
  return digest(`${green.host.toLowerCase()}:${green.port}/${green.database}`);
}

/** @param {string} address */
export const digest = (address) => createHash('sha256').update(address).digest('hex').slice(0, 12);

/** Begins a transaction that the stream of the other direction passes over. @param {string} pair */
export const beginMarked = (pair) => `BEGIN; SELECT pg_logical_emit_message(true, ${literal(APPLIED)}, ${literal(pair)})`;

/** @param {string} pair @param {string} id */
export const emitMarker = (pair, id) => `SELECT pg_logical_emit_message(true, ${literal(MARKER)}, ${literal(`${pair}:${id}`)})`;

/** @typedef {{table: string, key: (string | null | undefined)[], digest: string}} Seen `table`, `key`: green's */

/** @param {string} pair @param {Seen[]} rows */
export function emitSeen(pair, rows) {
  const { set, value } = valueSet([{ type: 'text' }], rows.map(({ table, key, digest }) => [`${pair}:${JSON.stringify([seenName(table, key), digest])}`]));
  return `SELECT pg_logical_emit_message(true, ${literal(SEEN)}, ${value(0)}) FROM ${set}`;
}

/** @param {string} table @param {(string | null | undefined)[]} key */
export const seenName = (table, key) => JSON.stringify([table, key]);
